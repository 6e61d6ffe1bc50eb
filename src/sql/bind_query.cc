// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "expr/bind.h"
#include "expr/columns_of.h"
#include "expr/compiled_expr.h"
#include "expr/type_rules.h"
#include "plan/aggregate.h"
#include "plan/native.h"
#include "plan/relational.h"
#include "sql/binder.h"

namespace tidegate::sql {
namespace {

/// Queries in queries; binding recurses.
constexpr int kMaxDepth = 200;

std::vector<int> first_columns(int count) {
  std::vector<int> columns(static_cast<std::size_t>(count));
  std::iota(columns.begin(), columns.end(), 0);
  return columns;
}

}  // namespace

Result<BoundQuery> Binder::bind_query(const Query& query, const Scope* outer) {
  if (depth_ >= kMaxDepth) {
    return error_here(query.place, ErrorCode::kLimitExceeded,
                      "queries are nested more than {} deep", kMaxDepth);
  }
  ++depth_;
  const std::size_t outside = common_tables_.size();
  for (const CommonTable& table : query.with) common_tables_.push_back(&table);
  auto bound = bind_body(query, outer);
  common_tables_.resize(outside);
  --depth_;
  return bound;
}

Result<BoundQuery> Binder::bind_body(const Query& query, const Scope* outer) {
  if (const auto* select = std::get_if<Select>(&query.body)) {
    return bind_select(*select, query, outer);
  }
  if (const auto* values = std::get_if<Values>(&query.body)) {
    TG_ASSIGN_OR_RETURN(BoundQuery bound, bind_values(*values, outer));
    return sort_output(std::move(bound), query);
  }
  TG_ASSIGN_OR_RETURN(BoundQuery bound,
                      bind_set_operation(std::get<SetOperation>(query.body), outer));
  return sort_output(std::move(bound), query);
}

Result<std::int64_t> Binder::row_count(const ExpressionPtr& expression, std::string_view clause) {
  const auto* literal = std::get_if<Literal>(&expression->node);
  std::int64_t count = 0;
  if (literal == nullptr || literal->kind != Literal::Kind::kNumber || literal->text.empty() ||
      literal->text.size() > 18 ||
      literal->text.find_first_not_of("0123456789") != std::string::npos) {
    return error_here(expression->place, ErrorCode::kInvalidSyntax,
                      "{} takes a whole number of rows", clause);
  }
  for (char c : literal->text) count = count * 10 + (c - '0');
  return count;
}

Result<Binder::Bounds> Binder::bounds_of(const Query& query) {
  Bounds bounds;
  if (query.offset != nullptr) {
    TG_ASSIGN_OR_RETURN(bounds.offset, row_count(query.offset, "OFFSET"));
  }
  if (query.limit != nullptr) {
    TG_ASSIGN_OR_RETURN(bounds.limit, row_count(query.limit, "LIMIT"));
  }
  return bounds;
}

Result<BoundQuery> Binder::sort_output(BoundQuery query, const Query& clauses) {
  TG_ASSIGN_OR_RETURN(const Bounds bounds, bounds_of(clauses));
  if (clauses.order_by.empty() && bounds.offset == 0 && bounds.limit < 0) return query;
  Scope scope;
  for (std::size_t i = 0; i < query.names.size(); ++i) {
    scope.columns.push_back({"", query.names[i], col(static_cast<int>(i))});
  }
  std::vector<plan::SortKey> keys;
  for (const SortItem& item : clauses.order_by) {
    ExprPtr value;
    const auto* literal = std::get_if<Literal>(&item.value->node);
    if (literal != nullptr && literal->kind == Literal::Kind::kNumber) {
      TG_ASSIGN_OR_RETURN(const std::int64_t position, row_count(item.value, "ORDER BY"));
      if (position >= 1 && position <= static_cast<std::int64_t>(query.names.size())) {
        value = col(static_cast<int>(position) - 1);
      }
    }
    if (value == nullptr) {
      ExpressionContext context{.scope = &scope, .clause = "ORDER BY"};
      TG_ASSIGN_OR_RETURN(value, bind(item.value, context));
    }
    if (value->kind() != Expr::Kind::kColumn) {
      return error_here(item.value->place, ErrorCode::kNotSupported,
                        "ORDER BY of a set operation takes its output columns");
    }
    keys.push_back({value->column(), item.descending, item.nulls_first.value_or(!item.descending)});
  }
  query.input = {
      std::make_shared<plan::SortNode>(query.input, std::move(keys), bounds.offset, bounds.limit)};
  return query;
}

Result<BoundQuery> Binder::bind_values(const Values& values, const Scope*) {
  TG_ASSIGN_OR_RETURN(const BoundRelation row, one_row());
  Scope none;
  ExpressionContext context{.scope = &none, .clause = "VALUES"};
  const std::size_t width = values.rows.front().size();
  std::vector<std::vector<ExprPtr>> cells;
  std::vector<std::vector<LogicalType>> types(width);
  for (const std::vector<ExpressionPtr>& each : values.rows) {
    if (each.size() != width) {
      return error_here(each.front()->place, ErrorCode::kInvalidSyntax,
                        "the rows of VALUES have different numbers of columns: {} and {}", width,
                        each.size());
    }
    std::vector<ExprPtr> bound;
    for (std::size_t i = 0; i < width; ++i) {
      TG_ASSIGN_OR_RETURN(ExprPtr value, bind(each[i], context));
      auto type = type_of(value, row.schema(), functions_);
      if (!type.is_ok()) return at(each[i]->place, std::move(type).status());
      types[i].push_back(*std::move(type));
      bound.push_back(std::move(value));
    }
    cells.push_back(std::move(bound));
  }
  std::vector<Field> fields;
  BoundQuery query;
  for (std::size_t i = 0; i < width; ++i) {
    const auto type = common_type(types[i]);
    if (!type) {
      return error_here(values.rows.front()[i]->place, ErrorCode::kTypeMismatch,
                        "column {} of VALUES holds {} and {}", i + 1, types[i][0].to_string(),
                        types[i].back().to_string());
    }
    query.names.push_back(fmt::format("EXPR${}", i));
    fields.push_back({query.names.back(), *type});
  }
  // Constants, so they are computed here and now.
  const auto schema = std::make_shared<Schema>(std::move(fields));
  const auto& one = std::static_pointer_cast<plan::ValuesNode>(row.input.node)->rows;
  std::vector<Batch> batches;
  for (const std::vector<ExprPtr>& each : cells) {
    std::vector<BoundExprPtr> bound;
    for (std::size_t i = 0; i < width; ++i) {
      TG_ASSIGN_OR_RETURN(BoundExprPtr value, tidegate::bind(each[i], row.schema(), functions_));
      TG_ASSIGN_OR_RETURN(
          value, bind_cast(std::move(value), schema->field(static_cast<int>(i)).type, functions_));
      bound.push_back(std::move(value));
    }
    TG_ASSIGN_OR_RETURN(const CompiledProjection compiled, CompiledProjection::compile(bound));
    EvalContext evaluation;
    TG_ASSIGN_OR_RETURN(std::vector<ArrayPtr> columns, compiled.evaluate(one, evaluation));
    batches.emplace_back(1, std::move(columns));
  }
  TG_ASSIGN_OR_RETURN(Batch rows, Batch::concatenate(batches));
  query.input = {std::make_shared<plan::ValuesNode>(schema, std::move(rows))};
  return query;
}

Result<BoundQuery> Binder::bind_set_operation(const SetOperation& operation, const Scope* outer) {
  // Long chains of UNION lean to the left: they are walked, not recursed into.
  std::vector<const SetOperation*> chain = {&operation};
  const Query* first = operation.left.get();
  while (first->with.empty() && first->order_by.empty() && first->limit == nullptr &&
         first->offset == nullptr) {
    const auto* inner = std::get_if<SetOperation>(&first->body);
    if (inner == nullptr) break;
    chain.push_back(inner);
    first = inner->left.get();
  }
  TG_ASSIGN_OR_RETURN(BoundQuery result, bind_query(*first, outer));
  for (std::size_t i = chain.size(); i-- > 0;) {
    const SetOperation& each = *chain[i];
    TG_ASSIGN_OR_RETURN(BoundQuery right, bind_query(*each.right, outer));
    if (!result.correlated.empty() || !right.correlated.empty()) {
      return error_here(each.right->place, ErrorCode::kNotSupported,
                        "a set operation in a subquery cannot use columns of the query around it");
    }
    if (result.names.size() != right.names.size()) {
      return error_here(each.right->place, ErrorCode::kTypeMismatch,
                        "the two sides of a set operation have {} and {} columns",
                        result.names.size(), right.names.size());
    }
    std::vector<Field> fields;
    for (std::size_t c = 0; c < result.names.size(); ++c) {
      const Field& l = result.input.schema()->field(static_cast<int>(c));
      const Field& r = right.input.schema()->field(static_cast<int>(c));
      const auto type = common_type(l.type, r.type);
      if (!type) {
        return error_here(each.right->place, ErrorCode::kTypeMismatch,
                          "column {} of a set operation is {} on the left and {} on the right",
                          c + 1, l.type.to_string(), r.type.to_string());
      }
      Field field{result.names[c], type->with_nullable(l.type.nullable() || r.type.nullable())};
      if (l.time == r.time) field.time = l.time;
      fields.push_back(std::move(field));
    }
    const auto schema = std::make_shared<Schema>(std::move(fields));
    const auto conform = [&](plan::Input input) -> plan::Input {
      std::vector<ExprPtr> columns;
      bool same = input.schema()->num_fields() == schema->num_fields();
      for (int c = 0; c < schema->num_fields(); ++c) {
        const Field& from = input.schema()->field(c);
        const bool fits = from.type.same_but_nullability(schema->field(c).type);
        columns.push_back(fits ? col(c) : cast(col(c), schema->field(c).type));
        same = same && fits && from.name == schema->field(c).name &&
               from.type == schema->field(c).type && from.time == schema->field(c).time;
      }
      if (same) return input;
      return {std::make_shared<plan::ProjectNode>(std::move(input), std::move(columns), schema)};
    };
    const plan::Input l = conform(result.input);
    const plan::Input r = conform(right.input);
    if (each.kind == SetOperation::Kind::kUnion) {
      result.input = {std::make_shared<plan::MergeNode>(std::vector<plan::Input>{l, r})};
      if (!each.all) {
        auto distinct = std::make_shared<plan::AggregateNode>(
            result.input, first_columns(schema->num_fields()), std::vector<plan::AggregateCall>{});
        distinct->append = false;
        result.input = {std::move(distinct)};
      }
    } else {
      result.input = {std::make_shared<plan::SetOperationNode>(
          l, r,
          each.kind == SetOperation::Kind::kIntersect
              ? plan::SetOperationNode::Operation::kIntersect
              : plan::SetOperationNode::Operation::kExcept,
          each.all)};
    }
    result.one_row = false;
  }
  return result;
}

}  // namespace tidegate::sql
