// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <numeric>

#include "base/check.h"
#include "expr/bind.h"
#include "expr/columns_of.h"
#include "plan/aggregate.h"
#include "plan/join.h"
#include "plan/relational.h"
#include "sql/binder.h"

namespace tidegate::sql {
namespace {

/// The values in front of IN: several for a row.
std::vector<ExprPtr> values_of(const ExprPtr& value) {
  if (value->kind() == Expr::Kind::kCall && value->function() == "ROW") return value->args();
  return {value};
}

plan::AggregateCall count_call(std::vector<int> arguments, std::string name) {
  plan::AggregateCall call;
  call.function = "COUNT";
  call.text = arguments.empty() ? "COUNT(*)" : "COUNT(value)";
  call.arguments = std::move(arguments);
  call.result_name = std::move(name);
  call.result_type = LogicalType(TypeKind::kBigInt, false);
  return call;
}

plan::Input aggregate_of(plan::Input input, std::vector<int> keys,
                         std::vector<plan::AggregateCall> calls) {
  auto node =
      std::make_shared<plan::AggregateNode>(std::move(input), std::move(keys), std::move(calls));
  node->append = false;
  return {std::move(node)};
}

/// The same conditions where the query's column columns[k] stands at position k.
std::vector<ExprPtr> moved_conditions(const BoundQuery& query, const std::vector<int>& columns) {
  const auto move = [&](const ExprPtr& column) {
    const auto found = std::find(columns.begin(), columns.end(), column->column());
    return found == columns.end() ? column : col(static_cast<int>(found - columns.begin()));
  };
  std::vector<ExprPtr> conditions;
  for (const ExprPtr& condition : query.correlated)
    conditions.push_back(map_columns(condition, move));
  return conditions;
}

/// A column of the subquery = something of the query around it.
bool is_plain_equality(const ExprPtr& condition) {
  if (condition->kind() != Expr::Kind::kCall || condition->function() != "=") return false;
  const auto ties = [](const ExprPtr& inner, const ExprPtr& outer) {
    return inner->kind() == Expr::Kind::kColumn && inner->column() < kOuterColumns &&
           !reads_columns(outer, 0, kOuterColumns);
  };
  return ties(condition->args()[0], condition->args()[1]) ||
         ties(condition->args()[1], condition->args()[0]);
}

}  // namespace

std::vector<int> hidden_columns(const BoundQuery& query) {
  std::vector<int> columns;
  for (int i = 0; i < query.input.schema()->num_fields(); ++i) {
    for (const ExprPtr& condition : query.correlated) {
      if (reads_columns(condition, i, i + 1)) {
        columns.push_back(i);
        break;
      }
    }
  }
  return columns;
}

Result<ExprPtr> Binder::bind_subquery(const Subquery& subquery, Place place,
                                      ExpressionContext& context) {
  if (context.subqueries == nullptr || context.inside_aggregate) {
    return error_here(place, ErrorCode::kNotSupported, "a subquery in {} is not supported",
                      context.inside_aggregate ? "an aggregate" : context.clause);
  }
  SubqueryUse use;
  use.kind = subquery.kind;
  use.place = place;
  bool negated = false;
  if (subquery.kind == Subquery::Kind::kQuantified) {
    // x = ANY is IN, x <> ALL is NOT IN.
    if (subquery.comparison == "=" && !subquery.all) {
      use.kind = Subquery::Kind::kIn;
    } else if (subquery.comparison == "<>" && subquery.all) {
      use.kind = Subquery::Kind::kIn;
      negated = true;
    }
    use.comparison = subquery.comparison;
    use.all = subquery.all;
  } else if (subquery.kind == Subquery::Kind::kArray) {
    return error_here(place, ErrorCode::kNotSupported, "ARRAY (query) is not supported");
  }
  if (subquery.value != nullptr) {
    TG_ASSIGN_OR_RETURN(const ExprPtr value, bind(subquery.value, context));
    use.values = values_of(value);
  }
  TG_ASSIGN_OR_RETURN(use.query, bind_query(*subquery.query, context.scope));
  const std::size_t wanted = use.kind == Subquery::Kind::kScalar ? 1 : use.values.size();
  if (use.kind != Subquery::Kind::kExists && use.query.names.size() != wanted) {
    return error_here(place, ErrorCode::kTypeMismatch, "the subquery has {} columns instead of {}",
                      use.query.names.size(), wanted);
  }
  context.subqueries->push_back(std::move(use));
  ExprPtr value = col(kSubqueryColumns + static_cast<int>(context.subqueries->size()) - 1);
  return negated ? call("NOT", {std::move(value)}) : value;
}

Status Binder::filter_by_subquery(const Subquery& subquery, Place place, bool negated,
                                  const Select& select, SelectState& state) {
  std::vector<ExprPtr> values;
  if (subquery.value != nullptr) {
    ExpressionContext context = state.context("WHERE", &select);
    TG_ASSIGN_OR_RETURN(ExprPtr value, bind(subquery.value, context));
    TG_RETURN_IF_ERROR(join_subqueries(state));
    TG_ASSIGN_OR_RETURN(value, current(value, state, place));
    values = values_of(value);
    for (const ExprPtr& each : values) {
      if (reads_columns(each, kOuterColumns, std::numeric_limits<int>::max())) {
        return error_here(place, ErrorCode::kNotSupported,
                          "IN inside a subquery cannot compare columns of the query around it");
      }
    }
  }
  TG_ASSIGN_OR_RETURN(BoundQuery query, bind_query(*subquery.query, &state.scope));
  if (subquery.kind == Subquery::Kind::kIn && query.names.size() != values.size()) {
    return error_here(place, ErrorCode::kTypeMismatch, "the subquery has {} columns instead of {}",
                      query.names.size(), values.size());
  }
  if (query.one_row && !query.correlated.empty()) {
    return error_here(place, ErrorCode::kNotSupported,
                      "IN and EXISTS over a correlated aggregate without GROUP BY are not "
                      "supported");
  }
  const int width = state.input.schema()->num_fields();
  std::vector<ExprPtr> conditions;
  for (const ExprPtr& condition : query.correlated) {
    conditions.push_back(shift_correlated(condition, width));
  }
  const int first_equality = static_cast<int>(conditions.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    conditions.push_back(call("=", {values[i], col(width + static_cast<int>(i))}));
  }
  std::vector<Field> fields = state.input.schema()->fields();
  const std::vector<Field>& right = query.input.schema()->fields();
  fields.insert(fields.end(), right.begin(), right.end());
  const Schema both(std::move(fields));
  for (const ExprPtr& condition : conditions) {
    auto type = type_of(condition, both, functions_);
    if (!type.is_ok()) return at(place, std::move(type).status());
  }
  if (negated && values.size() > 1) {
    return error_here(place, ErrorCode::kNotSupported,
                      "NOT IN with several columns is not supported; NOT EXISTS is");
  }
  auto node = std::make_shared<plan::JoinNode>(
      state.input, query.input, negated ? plan::JoinType::kAnti : plan::JoinType::kSemi,
      conjunction_of(std::move(conditions)));
  if (negated && !values.empty()) {
    // Where neither side can be null, unknown does not occur.
    auto left_type = type_of(values[0], *state.input.schema(), functions_);
    const bool nullable = !left_type.is_ok() || left_type->nullable() || right[0].type.nullable();
    if (nullable) node->null_aware = first_equality;
  }
  state.input = {std::move(node)};
  return Status::ok();
}

/// The query as one row: an aggregate without keys has one, of others it is checked.
Result<plan::Input> Binder::single_row(const BoundQuery& query) {
  if (query.one_row) return query.input;
  const std::vector<int> hidden = hidden_columns(query);
  auto function = functions_.find_aggregate("SINGLE_VALUE");
  if (!function.is_ok()) return std::move(function).status();
  const LogicalType type = query.input.schema()->field(0).type;
  TG_ASSIGN_OR_RETURN(const auto aggregator, (*function)->bind(std::vector<LogicalType>{type}));
  plan::AggregateCall call;
  call.function = "SINGLE_VALUE";
  call.text = "SINGLE_VALUE";
  call.arguments = {0};
  call.result_name = query.names[0];
  call.result_type = aggregator->result_type();
  return aggregate_of(query.input, hidden, {std::move(call)});
}

/// A value per row of the query around needs one answer per row: where the conditions are not plain
/// equalities with columns of the subquery, each combination of values that the outer columns have
/// joins its own rows, and equality with these values then tells whose they are.
Status Binder::answer_per_outer_values(SubqueryUse& use, SelectState& state) {
  BoundQuery& query = use.query;
  if (std::ranges::all_of(query.correlated, is_plain_equality)) return Status::ok();
  std::vector<int> read;
  for (const ExprPtr& condition : query.correlated) {
    map_columns(condition, [&](const ExprPtr& column) {
      const int outer = column->column();
      if (outer >= kOuterColumns && std::ranges::count(read, outer) == 0) read.push_back(outer);
      return column;
    });
  }
  Projection outer(state.input, functions_, false);
  for (const int column : read) {
    TG_ASSIGN_OR_RETURN(const ExprPtr now, current(col(column - kOuterColumns), state, use.place));
    TG_RETURN_IF_ERROR(outer.append(now, fmt::format("$outer{}", column - kOuterColumns)));
  }
  std::vector<int> all(read.size());
  std::iota(all.begin(), all.end(), 0);
  const int width = query.input.schema()->num_fields();
  std::vector<ExprPtr> conditions;
  for (const ExprPtr& condition : query.correlated) {
    conditions.push_back(map_columns(condition, [&](const ExprPtr& column) {
      if (column->column() < kOuterColumns) return column;
      return col(width +
                 static_cast<int>(std::ranges::find(read, column->column()) - read.begin()));
    }));
  }
  query.input = {std::make_shared<plan::JoinNode>(
      query.input, aggregate_of(outer.build(), std::move(all), {}), plan::JoinType::kInner,
      conjunction_of(std::move(conditions)))};
  query.correlated.clear();
  for (std::size_t i = 0; i < read.size(); ++i) {
    query.correlated.push_back(
        call("IS NOT DISTINCT FROM", {col(read[i]), col(width + static_cast<int>(i))}));
  }
  return Status::ok();
}

Status Binder::join_scalar(SubqueryUse& use, SelectState& state, ExprPtr* value) {
  TG_RETURN_IF_ERROR(answer_per_outer_values(use, state));
  BoundQuery& query = use.query;
  const int width = state.input.schema()->num_fields();
  TG_ASSIGN_OR_RETURN(const plan::Input row, single_row(query));
  std::vector<ExprPtr> correlated = query.correlated;
  int value_column = 0;
  int key_column = -1;
  if (!query.one_row) {
    const std::vector<int> hidden = hidden_columns(query);
    correlated = moved_conditions(query, hidden);
    value_column = static_cast<int>(hidden.size());
  } else if (!correlated.empty()) {
    key_column = hidden_columns(query).front();
  }
  std::vector<ExprPtr> conditions;
  for (const ExprPtr& condition : correlated) {
    TG_ASSIGN_OR_RETURN(const ExprPtr now, current_outer(condition, state, use.place));
    conditions.push_back(shift_correlated(now, width));
  }
  state.input = {std::make_shared<plan::JoinNode>(state.input, row, plan::JoinType::kLeft,
                                                  conjunction_of(std::move(conditions)))};
  *value = col(width + value_column);
  if (key_column >= 0 && query.on_empty[0] != nullptr) {
    *value = case_when({{call("IS NULL", {col(width + key_column)}), query.on_empty[0]}}, *value);
  }
  return Status::ok();
}

/// EXISTS and IN where a value is asked for, not a condition on rows.
Status Binder::join_membership(SubqueryUse& use, SelectState& state, ExprPtr* value) {
  if (!use.query.one_row) TG_RETURN_IF_ERROR(answer_per_outer_values(use, state));
  BoundQuery& query = use.query;
  const int width = state.input.schema()->num_fields();
  if (use.kind == Subquery::Kind::kExists) {
    const std::vector<int> hidden = hidden_columns(query);
    const plan::Input counted = aggregate_of(query.input, hidden, {count_call({}, "$rows")});
    std::vector<ExprPtr> conditions;
    for (const ExprPtr& condition : moved_conditions(query, hidden)) {
      TG_ASSIGN_OR_RETURN(const ExprPtr now, current_outer(condition, state, use.place));
      conditions.push_back(shift_correlated(now, width));
    }
    state.input = {std::make_shared<plan::JoinNode>(state.input, counted, plan::JoinType::kLeft,
                                                    conjunction_of(std::move(conditions)))};
    const ExprPtr rows = col(width + static_cast<int>(hidden.size()));
    *value = call(">", {call("COALESCE", {rows, lit(std::int64_t{0})}), lit(std::int64_t{0})});
    return Status::ok();
  }
  const bool is_quantified = use.kind == Subquery::Kind::kQuantified;
  const std::vector<int> hidden = hidden_columns(query);
  if (use.values.size() != 1 || ((is_quantified || query.one_row) && !query.correlated.empty())) {
    return error_here(use.place, ErrorCode::kNotSupported,
                      "IN, ANY or ALL (query) {} is supported as a condition of WHERE only",
                      query.correlated.empty() ? "of several columns"
                                               : "that uses columns of the query around it");
  }
  if (is_quantified) return join_quantified(use, state, value);
  // x IN S is TRUE when x is there, else unknown when x or a value of S is null, else FALSE.
  TG_ASSIGN_OR_RETURN(const ExprPtr wanted, current(use.values[0], state, use.place));
  std::vector<ExprPtr> outer;
  for (const ExprPtr& condition : moved_conditions(query, hidden)) {
    TG_ASSIGN_OR_RETURN(ExprPtr now, current_outer(condition, state, use.place));
    outer.push_back(std::move(now));
  }
  const auto join_by_outer = [&](plan::Input right, int at, std::vector<ExprPtr> conditions) {
    for (const ExprPtr& each : outer) conditions.push_back(shift_correlated(each, at));
    state.input = {std::make_shared<plan::JoinNode>(
        state.input, std::move(right), plan::JoinType::kLeft,
        conditions.empty() ? nullptr : conjunction_of(std::move(conditions)))};
  };
  const int keys = static_cast<int>(hidden.size());
  join_by_outer(
      aggregate_of(query.input, hidden, {count_call({}, "$rows"), count_call({0}, "$values")}),
      width, {});
  const int counts = width + keys;
  const int found = counts + 2;
  std::vector<int> distinct = hidden;
  distinct.push_back(0);
  join_by_outer(aggregate_of(query.input, distinct, {count_call({}, "$found")}), found,
                {call("=", {wanted, col(found + keys)})});
  const ExprPtr rows = call("COALESCE", {col(counts), lit(std::int64_t{0})});
  const ExprPtr values = call("COALESCE", {col(counts + 1), lit(std::int64_t{0})});
  *value = case_when({{call("IS NOT NULL", {col(found + keys + 1)}), lit(true)},
                      {call("=", {rows, lit(std::int64_t{0})}), lit(false)},
                      {logical_or({call("IS NULL", {wanted}), call("<", {values, rows})}),
                       lit_null(LogicalType(TypeKind::kBoolean))}},
                     lit(false));
  return Status::ok();
}

/// x > ANY S: some row of S decides it alone, the smallest one; x > ALL S: the largest one; x = ALL
/// S and x <> ANY S: the smallest and the largest. Nulls
/// leave it unknown unless it is decided without them; an empty S is FALSE for ANY, TRUE for ALL.
Status Binder::join_quantified(SubqueryUse& use, SelectState& state, ExprPtr* value) {
  const int width = state.input.schema()->num_fields();
  TG_ASSIGN_OR_RETURN(const ExprPtr wanted, current(use.values[0], state, use.place));
  const bool greater = use.comparison[0] == '>';
  std::vector<plan::AggregateCall> calls = {count_call({}, "$rows"), count_call({0}, "$values")};
  const LogicalType type = use.query.input.schema()->field(0).type;
  const bool both = use.comparison == "=" || use.comparison == "<>";
  for (const char* name : {"MAX", "MIN"}) {
    if (!both && (greater == use.all) != (std::string_view(name) == "MAX")) continue;
    plan::AggregateCall bound;
    bound.function = name;
    bound.text = bound.function + "(value)";
    bound.arguments = {0};
    bound.result_name = "$" + bound.function;
    TG_ASSIGN_OR_RETURN(const AggregateFunction* function, functions_.find_aggregate(name));
    auto aggregator = function->bind(std::vector<LogicalType>{type});
    if (!aggregator.is_ok()) return at(use.place, std::move(aggregator).status());
    bound.result_type = (*aggregator)->result_type();
    calls.push_back(std::move(bound));
  }
  const plan::Input counted = aggregate_of(use.query.input, {}, std::move(calls));
  state.input = {
      std::make_shared<plan::JoinNode>(state.input, counted, plan::JoinType::kLeft, nullptr)};
  const ExprPtr rows = call("COALESCE", {col(width), lit(std::int64_t{0})});
  const ExprPtr values = call("COALESCE", {col(width + 1), lit(std::int64_t{0})});
  ExprPtr holds = call(use.comparison, {wanted, col(width + 2)});
  if (both) {  // = ALL: the largest and the smallest; <> ANY: one of them is another
    std::vector<ExprPtr> each = {holds, call(use.comparison, {wanted, col(width + 3)})};
    holds = use.all ? logical_and(std::move(each)) : logical_or(std::move(each));
  }
  *value = case_when({{call("=", {rows, lit(std::int64_t{0})}), lit(use.all)},
                      {use.all ? call("NOT", {holds}) : holds, lit(!use.all)},
                      {logical_or({call("IS NULL", {wanted}), call("<", {values, rows})}),
                       lit_null(LogicalType(TypeKind::kBoolean))}},
                     lit(use.all));
  return Status::ok();
}

Status Binder::join_subqueries(SelectState& state) {
  for (; state.joined_subqueries < state.subqueries.size(); ++state.joined_subqueries) {
    SubqueryUse& use = state.subqueries[state.joined_subqueries];
    ExprPtr value;
    if (use.kind == Subquery::Kind::kScalar) {
      TG_RETURN_IF_ERROR(join_scalar(use, state, &value));
    } else {
      TG_RETURN_IF_ERROR(join_membership(use, state, &value));
    }
    state.subquery_values.push_back(std::move(value));
  }
  return Status::ok();
}

Result<ExprPtr> Binder::current_outer(const ExprPtr& value, const SelectState& state, Place place) {
  if (value->kind() == Expr::Kind::kColumn) {
    if (value->column() < kOuterColumns) return value;
    TG_ASSIGN_OR_RETURN(const ExprPtr now,
                        current(col(value->column() - kOuterColumns), state, place));
    return as_outer(now);
  }
  std::vector<ExprPtr> args;
  for (const ExprPtr& arg : value->args()) {
    TG_ASSIGN_OR_RETURN(ExprPtr now, current_outer(arg, state, place));
    args.push_back(std::move(now));
  }
  return args.empty() ? value : with_args(value, std::move(args));
}

}  // namespace tidegate::sql
