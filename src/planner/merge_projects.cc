// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "base/check.h"
#include "expr/bind.h"
#include "expr/columns_of.h"
#include "planner/expr_properties.h"
#include "planner/rewrite.h"
#include "planner/rules.h"

namespace tidegate {
namespace {

/// Past this an expression that repeats itself would grow without end.
constexpr int kMostParts = 2000;

void count_uses(const ExprPtr& expr, std::vector<int>& uses) {
  if (expr->kind() == Expr::Kind::kColumn) ++uses[static_cast<std::size_t>(expr->column())];
  for (const ExprPtr& arg : expr->args()) count_uses(arg, uses);
}

/// True when the columns of `inner` may be put in the place of their names: what is not
/// deterministic must not be computed twice, and what is large not be repeated.
bool may_substitute(const std::vector<ExprPtr>& inner, const std::vector<int>& uses,
                    const FunctionRegistry* functions) {
  std::int64_t parts = 0;
  for (std::size_t i = 0; i < inner.size(); ++i) {
    if (inner[i]->kind() == Expr::Kind::kColumn) continue;
    parts += static_cast<std::int64_t>(uses[i]) * count_parts(inner[i], kMostParts);
    if (parts > kMostParts) return false;
    if (uses[i] > 1 && !is_deterministic(inner[i], functions)) return false;
  }
  return true;
}

/// True when what is time in the inner projection still is said to be in the outer one: then it can
/// be computed there.
bool keeps_time(const plan::ProjectNode& outer, const plan::ProjectNode& inner) {
  for (std::size_t i = 0; i < outer.columns.size(); ++i) {
    const Expr& column = *outer.columns[i];
    if (column.kind() != Expr::Kind::kColumn) continue;
    const auto from = static_cast<std::size_t>(column.column());
    if (inner.columns[from]->kind() == Expr::Kind::kColumn) continue;
    if (inner.schema->field(column.column()).time !=
        outer.schema->field(static_cast<int>(i)).time) {
      return false;
    }
  }
  return true;
}

/// The columns of `inner` as its readers see them: with its types, also where they say less than
/// the expressions (a bare NULL).
std::vector<ExprPtr> typed_columns(const plan::ProjectNode& inner,
                                   const FunctionRegistry& functions) {
  std::vector<ExprPtr> columns;
  for (std::size_t i = 0; i < inner.columns.size(); ++i) {
    const ExprPtr& column = inner.columns[i];
    const LogicalType& type = inner.schema->field(static_cast<int>(i)).type;
    const Result<LogicalType> own = type_of(column, *inner.inputs[0].schema(), functions);
    const bool same = own.is_ok() && own->same_but_nullability(type);
    columns.push_back(same ? column : cast(column, type.with_nullable(true)));
  }
  return columns;
}

plan::NodePtr merge_into(const plan::NodePtr& node, const plan::ProjectNode& outer,
                         const plan::ProjectNode& inner, const FunctionRegistry* functions) {
  std::vector<int> uses(inner.columns.size(), 0);
  for (const ExprPtr& column : outer.columns) count_uses(column, uses);
  if (functions == nullptr || !keeps_time(outer, inner) ||
      !may_substitute(inner.columns, uses, functions)) {
    return node;
  }
  const std::vector<ExprPtr> below = typed_columns(inner, *functions);
  std::vector<ExprPtr> columns;
  for (const ExprPtr& column : outer.columns) columns.push_back(substitute_columns(column, below));
  auto merged =
      std::make_shared<plan::ProjectNode>(inner.inputs[0], std::move(columns), outer.schema);
  merged->name = outer.name;
  return merged;
}

bool changes_nothing(const plan::ProjectNode& project) {
  const SchemaPtr& input = project.inputs[0].schema();
  if (project.inputs[0].side >= 0 || !(*project.schema == *input)) return false;
  for (std::size_t i = 0; i < project.columns.size(); ++i) {
    const Expr& column = *project.columns[i];
    if (column.kind() != Expr::Kind::kColumn || column.column() != static_cast<int>(i)) {
      return false;
    }
    if (project.schema->field(static_cast<int>(i)).time != input->field(static_cast<int>(i)).time) {
      return false;
    }
  }
  return true;
}

}  // namespace

Result<plan::NodePtr> merge_projects(const plan::NodePtr& node, PlanFacts& facts) {
  if (auto* project = node_as<plan::ProjectNode>(node)) {
    plan::NodePtr merged = node;
    if (const auto* inner = input_as<plan::ProjectNode>(project->inputs[0])) {
      merged = merge_into(node, *project, *inner, facts.options().functions);
    }
    const auto* result = node_as<plan::ProjectNode>(merged);
    return changes_nothing(*result) ? result->inputs[0].node : merged;
  }
  if (auto* filter = node_as<plan::FilterNode>(node)) {
    if (auto* inner = input_as<plan::FilterNode>(filter->inputs[0])) {
      std::vector<ExprPtr> conditions = conjuncts_of(inner->condition);
      for (ExprPtr& each : conjuncts_of(filter->condition)) conditions.push_back(std::move(each));
      return std::make_shared<plan::FilterNode>(inner->inputs[0],
                                                conjunction_of(std::move(conditions)));
    }
  }
  return node;
}

}  // namespace tidegate
