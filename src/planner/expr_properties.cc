// SPDX-License-Identifier: Apache-2.0
#include "planner/expr_properties.h"

#include <arrow/array/array_primitive.h>

#include <algorithm>
#include <set>

#include "expr/bind.h"
#include "expr/columns_of.h"

namespace tidegate {
namespace {

void collect_columns(const ExprPtr& expr, std::set<int>& columns) {
  if (expr->kind() == Expr::Kind::kColumn) columns.insert(expr->column());
  for (const ExprPtr& arg : expr->args()) collect_columns(arg, columns);
}

/// The condition with nulls in the place of the columns [from, to).
ExprPtr with_nulls(const ExprPtr& expr, const Schema& schema, int from, int to) {
  std::vector<ExprPtr> columns;
  for (int i = 0; i < schema.num_fields(); ++i) {
    const bool is_null = i >= from && i < to;
    columns.push_back(is_null ? lit_null(schema.field(i).type.with_nullable(true)) : col(i));
  }
  return substitute_columns(expr, columns);
}

bool is_known_null(const ExprPtr& expr, const Schema& schema, const FunctionRegistry& functions) {
  const Result<BoundExprPtr> bound = tidegate::bind(expr, schema, functions);
  return bound.is_ok() && (*bound)->kind == BoundExpr::Kind::kLiteral && (*bound)->value->IsNull(0);
}

/// Null as soon as one argument is.
bool is_strict(const std::string& function) {
  static constexpr std::string_view kStrict[] = {"=",  "<>",   "!=", "<", "<=", ">",
                                                 ">=", "LIKE", "+",  "-", "*",  "/"};
  return std::find(std::begin(kStrict), std::end(kStrict), function) != std::end(kStrict);
}

}  // namespace

int count_parts(const ExprPtr& expr, int most) {
  int parts = 1;
  for (const ExprPtr& arg : expr->args()) {
    if (parts >= most) return most;
    parts += count_parts(arg, most - parts);
  }
  return std::min(parts, most);
}

bool is_deterministic(const ExprPtr& expr, const FunctionRegistry* functions) {
  if (expr->kind() == Expr::Kind::kCall) {
    if (functions == nullptr) return false;
    const Result<const ScalarFunction*> function = functions->find(expr->function());
    if (!function.is_ok() || !(*function)->deterministic) return false;
  }
  return std::all_of(expr->args().begin(), expr->args().end(),
                     [&](const ExprPtr& arg) { return is_deterministic(arg, functions); });
}

std::vector<int> columns_read(const ExprPtr& expr) {
  std::set<int> columns;
  collect_columns(expr, columns);
  return {columns.begin(), columns.end()};
}

KnownCondition known_condition(const ExprPtr& expr, const FunctionRegistry* functions) {
  if (functions == nullptr || !columns_read(expr).empty()) return {};
  const Result<BoundExprPtr> bound = tidegate::bind(expr, Schema(), *functions);
  if (!bound.is_ok() || (*bound)->kind != BoundExpr::Kind::kLiteral) return {};
  const arrow::Array& value = *(*bound)->value;
  if (value.IsNull(0)) return {true, std::nullopt};
  if ((*bound)->type.kind() != TypeKind::kBoolean) return {};
  return {true, static_cast<const arrow::BooleanArray&>(value).Value(0)};
}

bool rejects_nulls(const ExprPtr& condition, const Schema& schema, int from, int to,
                   const FunctionRegistry* functions) {
  if (functions == nullptr || !reads_columns(condition, from, to)) return false;
  if (condition->kind() == Expr::Kind::kAnd) {
    return std::any_of(condition->args().begin(), condition->args().end(), [&](const auto& each) {
      return rejects_nulls(each, schema, from, to, functions);
    });
  }
  if (condition->kind() == Expr::Kind::kOr) {
    return std::all_of(condition->args().begin(), condition->args().end(), [&](const auto& each) {
      return rejects_nulls(each, schema, from, to, functions);
    });
  }
  const ExprPtr nulled = with_nulls(condition, schema, from, to);
  if (columns_read(nulled).empty()) {
    const KnownCondition known = known_condition(nulled, functions);
    return known.is_known && !known.value.value_or(false);
  }
  if (nulled->kind() != Expr::Kind::kCall || !is_strict(nulled->function())) return false;
  return std::any_of(nulled->args().begin(), nulled->args().end(),
                     [&](const ExprPtr& arg) { return is_known_null(arg, schema, *functions); });
}

}  // namespace tidegate
