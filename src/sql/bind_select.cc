// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "base/check.h"
#include "expr/bind.h"
#include "expr/columns_of.h"
#include "plan/aggregate.h"
#include "plan/relational.h"
#include "sql/binder.h"

namespace tidegate::sql {
namespace {

constexpr std::size_t kMaxColumns = 100'000;

/// The conditions that stand side by side in a chain of ANDs.
void split(const ExpressionPtr& condition, std::vector<ExpressionPtr>& out) {
  const auto* call = std::get_if<Call>(&condition->node);
  if (call == nullptr || !call->is_operator || call->function != "AND") {
    out.push_back(condition);
    return;
  }
  for (const ExpressionPtr& arg : call->args) split(arg, out);
}

/// EXISTS or IN (query), and whether NOT stands in front.
const Subquery* as_membership(const ExpressionPtr& condition, bool* negated) {
  const Expression* node = condition.get();
  *negated = false;
  for (const auto* call = std::get_if<Call>(&node->node);
       call != nullptr && call->is_operator && call->function == "NOT";
       call = std::get_if<Call>(&node->node)) {
    *negated = !*negated;
    node = call->args[0].get();
  }
  const auto* subquery = std::get_if<Subquery>(&node->node);
  if (subquery == nullptr) return nullptr;
  const bool fits =
      subquery->kind == Subquery::Kind::kExists || subquery->kind == Subquery::Kind::kIn;
  return fits ? subquery : nullptr;
}

bool is_outer(const ExprPtr& value) {
  return reads_columns(value, kOuterColumns, std::numeric_limits<int>::max());
}
bool is_inner(const ExprPtr& value) { return reads_columns(value, 0, kOuterColumns); }

/// Which side of an equality is of the subquery, where the other is of the query around it; else
/// -1.
int inner_side(const ExprPtr& condition) {
  if (condition->kind() != Expr::Kind::kCall || condition->function() != "=") return -1;
  for (const int side : {0, 1}) {
    const auto& args = condition->args();
    if (!is_outer(args[static_cast<std::size_t>(side)]) &&
        !is_inner(args[static_cast<std::size_t>(1 - side)])) {
      return side;
    }
  }
  return -1;
}

std::string name_of(const SelectItem& item, std::size_t position) {
  if (item.alias) return item.alias->text;
  if (const auto* column = std::get_if<ColumnName>(&item.value->node)) {
    return column->name.back().text;
  }
  if (const auto* field = std::get_if<FieldAccess>(&item.value->node)) return field->field.text;
  return fmt::format("EXPR${}", position);
}

/// Unknown where any column of it is null.
bool is_comparison(const ExprPtr& condition) {
  const std::function<bool(const ExprPtr&)> is_strict = [&](const ExprPtr& value) {
    if (value->kind() != Expr::Kind::kCall) return true;
    static constexpr std::array<std::string_view, 4> kArithmetic = {"+", "-", "*", "/"};
    return std::ranges::count(kArithmetic, value->function()) > 0 &&
           std::ranges::all_of(value->args(), is_strict);
  };
  static constexpr std::array<std::string_view, 7> kSigns = {
      "=", "<>", "<", "<=", ">", ">=", "BETWEEN"};
  return condition->kind() == Expr::Kind::kCall &&
         std::ranges::count(kSigns, condition->function()) > 0 &&
         std::ranges::all_of(condition->args(), is_strict);
}

/// Per item what it is when no row answers: COUNT 0, other aggregates NULL.
std::vector<ExprPtr> values_over_nothing(const std::vector<AggregateUse>& aggregates,
                                         const std::vector<ExprPtr>& items) {
  std::vector<ExprPtr> values;
  for (const ExprPtr& item : items) {
    const auto is_null = [&](const ExprPtr& value) {
      return value->kind() == Expr::Kind::kColumn && value->column() >= kAggregateColumns &&
             value->column() < kOverColumns &&
             aggregates[static_cast<std::size_t>(value->column() - kAggregateColumns)].function !=
                 "COUNT";
    };
    if (is_null(item)) {
      values.push_back(nullptr);
      continue;
    }
    values.push_back(map_columns(item, [&](const ExprPtr& column) -> ExprPtr {
      if (is_null(column)) return lit_null();
      const int k = column->column() - kAggregateColumns;
      const bool counts = k >= 0 && k < static_cast<int>(aggregates.size());
      return counts ? lit(std::int64_t{0}) : column;
    }));
  }
  return values;
}

bool names_table(const Scope& from, const std::string& table) {
  return std::any_of(from.columns.begin(), from.columns.end(),
                     [&](const ScopeColumn& column) { return column.table == table; });
}

}  // namespace

Result<BoundQuery> Binder::bind_select(const Select& select, const Query& clauses,
                                       const Scope* outer) {
  SelectState state;
  BoundRelation from;
  const auto outside = std::exchange(state_ttls_, {});
  TG_RETURN_IF_ERROR(read_hints(select));
  if (select.from != nullptr) {
    TG_ASSIGN_OR_RETURN(from, bind_relation(*select.from, outer));
    // By its alias where it has one.
    for (const auto& [table, ttl] : state_ttls_) {
      if (names_table(from.scope, table)) continue;
      return error_here(select.from->place, ErrorCode::kUnknownName,
                        "the hint STATE_TTL names '{}', which is no table of this FROM", table);
    }
    state.ttl_ms = state_ttl_of(from.scope);
    state_ttls_ = outside;
  } else {
    state_ttls_ = outside;
    TG_ASSIGN_OR_RETURN(from, one_row());
  }
  state.input = from.input;
  state.scope = std::move(from.scope);
  state.scope.outer = outer;
  state.scope.input = &state.input;
  if (select.where != nullptr) TG_RETURN_IF_ERROR(bind_where(select, state));
  TG_RETURN_IF_ERROR(bind_group_by(select, state));
  TG_RETURN_IF_ERROR(bind_items(select, state));
  state.visible_items = state.items.size();
  TG_RETURN_IF_ERROR(bind_order(select, clauses, state));
  TG_ASSIGN_OR_RETURN(BoundQuery query, finish_select(select, clauses, state));
  mark_place(query.input,
             select.group_by ? select.group_by->place : select.items.front().value->place);
  return query;
}

Status Binder::bind_where(const Select& select, SelectState& state) {
  std::vector<ExpressionPtr> conditions;
  split(select.where, conditions);
  std::vector<std::pair<const Subquery*, std::pair<Place, bool>>> memberships;
  std::vector<std::pair<ExprPtr, Place>> filters;
  for (const ExpressionPtr& condition : conditions) {
    bool negated = false;
    if (const Subquery* subquery = as_membership(condition, &negated)) {
      memberships.push_back({subquery, {condition->place, negated}});
      continue;
    }
    ExpressionContext context = state.context("WHERE", &select);
    TG_ASSIGN_OR_RETURN(ExprPtr value, bind(condition, context));
    filters.push_back({std::move(value), condition->place});
  }
  TG_RETURN_IF_ERROR(join_subqueries(state));
  std::vector<ExprPtr> plain;
  for (auto& [value, place] : filters) {
    TG_ASSIGN_OR_RETURN(ExprPtr now, current(value, state, place));
    if (is_outer(now)) {
      state.correlated.push_back(std::move(now));
      continue;
    }
    auto type = type_of(now, *state.input.schema(), functions_);
    if (!type.is_ok()) return at(place, std::move(type).status());
    if (type->kind() != TypeKind::kBoolean && type->kind() != TypeKind::kNull) {
      return error_here(place, ErrorCode::kTypeMismatch, "WHERE needs a BOOLEAN, not {}",
                        type->to_string());
    }
    plain.push_back(std::move(now));
  }
  if (ExprPtr condition = conjunction_of(std::move(plain))) {
    state.input = {std::make_shared<plan::FilterNode>(state.input, std::move(condition))};
  }
  for (const auto& [subquery, how] : memberships) {
    TG_RETURN_IF_ERROR(filter_by_subquery(*subquery, how.first, how.second, select, state));
  }
  return Status::ok();
}

Status Binder::add_star(const Star& star, Place place, SelectState& state) {
  const auto add_fields = [&](const ExprPtr& row) -> Status {
    auto type = type_of(row, *state.input.schema(), functions_);
    if (!type.is_ok()) return at(place, std::move(type).status());
    if (type->kind() != TypeKind::kRow) {
      return error_here(place, ErrorCode::kTypeMismatch, "'.*' needs a ROW, not {}",
                        type->to_string());
    }
    for (const LogicalType::Child& child : type->children()) {
      state.items.push_back({field_of(row, child.name), child.name, place});
    }
    return Status::ok();
  };
  if (star.value != nullptr) {
    ExpressionContext context = state.context("SELECT", nullptr);
    TG_ASSIGN_OR_RETURN(const ExprPtr row, bind(star.value, context));
    return add_fields(row);
  }
  bool found = false;
  for (const ScopeColumn& column : state.scope.columns) {
    if (star.qualifier.empty() ? column.merged : column.table != star.qualifier.back().text) {
      continue;
    }
    found = true;
    state.items.push_back({column.value, column.name, place});
  }
  if (found) return Status::ok();
  if (star.qualifier.empty()) {
    return error_here(place, ErrorCode::kInvalidSyntax, "SELECT * needs FROM");
  }
  auto row = resolve(state.scope, star.qualifier);
  if (!row.is_ok()) {
    return error_here(place, ErrorCode::kUnknownName, "there is no table '{}' in FROM",
                      to_string(star.qualifier));
  }
  return add_fields(*row);
}

Status Binder::bind_items(const Select& select, SelectState& state) {
  ExpressionContext context = state.context("SELECT", &select);
  context.aggregates = &state.aggregates;
  context.overs = &state.overs;
  for (std::size_t i = 0; i < select.items.size(); ++i) {
    const SelectItem& item = select.items[i];
    if (const auto* star = std::get_if<Star>(&item.value->node)) {
      TG_RETURN_IF_ERROR(add_star(*star, item.value->place, state));
      continue;
    }
    TG_ASSIGN_OR_RETURN(ExprPtr value, bind(item.value, context));
    state.items.push_back({std::move(value), name_of(item, i), item.value->place});
  }
  if (select.having != nullptr) {
    ExpressionContext having = state.context("HAVING", &select);
    having.aggregates = &state.aggregates;
    TG_ASSIGN_OR_RETURN(state.having, bind(select.having, having));
  }
  if (select.qualify != nullptr) {
    context.clause = "QUALIFY";
    TG_ASSIGN_OR_RETURN(state.qualify, bind(select.qualify, context));
  }
  if (state.items.size() > kMaxColumns) {
    return error_here(select.items.front().value->place, ErrorCode::kLimitExceeded,
                      "{} columns are selected; {} are possible", state.items.size(), kMaxColumns);
  }
  // A name once only: url, url0, url1.
  std::set<std::string> taken;
  std::map<std::string, int> next;  // number to try, by name
  for (OutputItem& item : state.items) {
    std::string name = item.name;
    if (!taken.insert(name).second) {
      int& n = next[item.name];
      do {
        name = fmt::format("{}{}", item.name, n++);
      } while (!taken.insert(name).second);
    }
    item.name = std::move(name);
  }
  return Status::ok();
}

Status Binder::bind_order(const Select& select, const Query& clauses, SelectState& state) {
  for (const SortItem& sort : clauses.order_by) {
    int item = -1;
    const auto* literal = std::get_if<Literal>(&sort.value->node);
    const auto* column = std::get_if<ColumnName>(&sort.value->node);
    if (literal != nullptr && literal->kind == Literal::Kind::kNumber) {
      TG_ASSIGN_OR_RETURN(const std::int64_t position, row_count(sort.value, "ORDER BY"));
      if (position < 1 || position > static_cast<std::int64_t>(state.visible_items)) {
        return error_here(sort.value->place, ErrorCode::kInvalidArgument,
                          "ORDER BY {}: there are {} columns", position, state.visible_items);
      }
      item = static_cast<int>(position) - 1;
    } else if (column != nullptr && column->name.size() == 1) {
      for (std::size_t i = 0; i < state.visible_items && item < 0; ++i) {
        if (state.items[i].name == column->name[0].text) item = static_cast<int>(i);
      }
    }
    if (item < 0) {
      ExpressionContext context = state.context("ORDER BY", &select);
      context.aggregates = &state.aggregates;
      context.overs = &state.overs;
      TG_ASSIGN_OR_RETURN(ExprPtr value, bind(sort.value, context));
      for (std::size_t i = 0; i < state.items.size() && item < 0; ++i) {
        if (same_expr(state.items[i].value, value)) item = static_cast<int>(i);
      }
      if (item < 0) {
        if (select.distinct) {
          return error_here(sort.value->place, ErrorCode::kInvalidSyntax,
                            "SELECT DISTINCT can be sorted by its columns only");
        }
        item = static_cast<int>(state.items.size());
        state.items.push_back({std::move(value), fmt::format("$sort{}", item), sort.value->place});
      }
    }
    state.order.push_back({item, sort.descending, sort.nulls_first.value_or(!sort.descending)});
  }
  return Status::ok();
}

/// Makes the inner sides of correlated conditions columns of the output: as they are, or, where
/// rows are grouped, as keys.
/// Below an aggregate a condition with the query around must be an equality of both. Any other is
/// asked of the values that the outer columns have: each joins its rows, which equality then tells.
Status Binder::join_outer_values(SelectState& state, ExprPtr& condition) {
  if (inner_side(condition) >= 0) return Status::ok();
  const plan::Input* around = state.scope.outer == nullptr ? nullptr : state.scope.outer->input;
  std::set<int> read;
  map_columns(condition, [&](const ExprPtr& column) {
    if (column->column() >= kOuterColumns) read.insert(column->column());
    return column;
  });
  if (around == nullptr || read.size() != 1 || !is_comparison(condition)) {
    return error(
        ErrorCode::kNotSupported,
        "a subquery with an aggregate, OVER or LIMIT can be tied to the query around it by "
        "equalities, and by comparisons with one column of it");
  }
  Projection values(*around, functions_, false);
  TG_RETURN_IF_ERROR(values.append(col(*read.begin() - kOuterColumns), "$outer"));
  auto distinct = std::make_shared<plan::AggregateNode>(values.build(), std::vector<int>{0},
                                                        std::vector<plan::AggregateCall>{});
  distinct->append = false;
  const ExprPtr value = col(state.input.schema()->num_fields());
  condition = map_columns(condition, [&](const ExprPtr& column) {
    return column->column() == *read.begin() ? value : column;
  });
  state.input = {std::make_shared<plan::JoinNode>(state.input, plan::Input{std::move(distinct)},
                                                  plan::JoinType::kInner, std::move(condition))};
  condition = tidegate::call("=", {col(*read.begin()), value});
  return Status::ok();
}

Status Binder::expose_correlated(SelectState& state, bool grouped) {
  const auto expose = [&](const ExprPtr& value) {
    for (std::size_t i = 0; i < state.items.size(); ++i) {
      if (same_expr(state.items[i].value, value)) return col(static_cast<int>(i));
    }
    state.items.push_back({value, fmt::format("$key{}", state.items.size()), {}});
    return col(static_cast<int>(state.items.size()) - 1);
  };
  for (ExprPtr& condition : state.correlated) {
    const int side = inner_side(condition);
    if (side < 0) {
      condition = map_columns(condition, [&](const ExprPtr& column) {
        return column->column() >= kOuterColumns ? column : expose(column);
      });
      continue;
    }
    const ExprPtr inner = condition->args()[static_cast<std::size_t>(side)];
    const ExprPtr around = condition->args()[static_cast<std::size_t>(1 - side)];
    if (grouped) {
      state.keys.push_back(inner);
      for (std::vector<bool>& set : state.sets) set.push_back(true);
    }
    condition = tidegate::call(condition->function(), {around, expose(inner)});
  }
  return Status::ok();
}

/// What aggregates, OVER and LIMIT look at are the rows that answer to one row of the query around.
Status Binder::tell_outer_rows_apart(SelectState& state) {
  for (ExprPtr& condition : state.correlated) {
    TG_RETURN_IF_ERROR(join_outer_values(state, condition));
    const ExprPtr& inner = condition->args()[static_cast<std::size_t>(inner_side(condition))];
    for (OverUse& over : state.overs) over.partition.push_back(inner);
  }
  return Status::ok();
}

plan::Input Binder::limit_per_key(plan::Input input, const SelectState& state, Bounds bounds) {
  std::vector<bool> used(state.items.size(), false);
  for (const ExprPtr& condition : state.correlated) {
    const std::function<void(const ExprPtr&)> mark = [&](const ExprPtr& value) {
      if (value->kind() == Expr::Kind::kColumn && value->column() < kOuterColumns) {
        used[static_cast<std::size_t>(value->column())] = true;
      }
      for (const ExprPtr& arg : value->args()) mark(arg);
    };
    mark(condition);
  }
  std::vector<int> partition;
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i]) partition.push_back(static_cast<int>(i));
  }
  std::vector<plan::SortKey> order;
  for (const SelectState::Order& each : state.order) {
    order.push_back({each.item, each.descending, each.nulls_first});
  }
  plan::OverCall number;
  number.call.function = "ROW_NUMBER";
  number.call.text = "ROW_NUMBER()";
  number.call.result_name = "$row_number";
  number.call.result_type = LogicalType(TypeKind::kBigInt, false);
  number.frame = {.rows = true, .preceding = -1, .following = 0};
  const SchemaPtr schema = input.schema();
  const int width = schema->num_fields();
  plan::Input over{std::make_shared<plan::OverNode>(std::move(input), std::move(partition),
                                                    std::move(order),
                                                    std::vector<plan::OverCall>{number})};
  std::vector<ExprPtr> conditions;
  if (bounds.limit >= 0) {
    conditions.push_back(tidegate::call("<=", {col(width), lit(bounds.offset + bounds.limit)}));
  }
  if (bounds.offset > 0) {
    conditions.push_back(tidegate::call(">", {col(width), lit(bounds.offset)}));
  }
  plan::Input kept{std::make_shared<plan::FilterNode>(over, conjunction_of(std::move(conditions)))};
  std::vector<ExprPtr> columns;
  for (int i = 0; i < width; ++i) columns.push_back(col(i));
  return {std::make_shared<plan::ProjectNode>(std::move(kept), std::move(columns), schema)};
}

Result<BoundQuery> Binder::finish_select(const Select& select, const Query& clauses,
                                         SelectState& state) {
  BoundQuery query;
  const bool aggregates = state.grouped || !state.aggregates.empty() || select.having != nullptr;
  query.one_row = aggregates && !state.grouped;
  if (query.one_row && !state.correlated.empty()) {
    std::vector<ExprPtr> items;
    for (std::size_t i = 0; i < state.visible_items; ++i) items.push_back(state.items[i].value);
    query.on_empty = values_over_nothing(state.aggregates, items);
  }
  TG_ASSIGN_OR_RETURN(const Bounds bounds, bounds_of(clauses));
  const bool limits = bounds.limit >= 0 || bounds.offset > 0;
  if (aggregates || limits || !state.overs.empty())
    TG_RETURN_IF_ERROR(tell_outer_rows_apart(state));
  TG_RETURN_IF_ERROR(expose_correlated(state, aggregates));
  if (aggregates) TG_RETURN_IF_ERROR(aggregate(state));
  TG_RETURN_IF_ERROR(join_subqueries(state));
  if (state.having != nullptr) {
    TG_ASSIGN_OR_RETURN(ExprPtr condition, current(state.having, state, select.having->place));
    auto type = type_of(condition, *state.input.schema(), functions_);
    if (!type.is_ok()) return at(select.having->place, std::move(type).status());
    state.input = {std::make_shared<plan::FilterNode>(state.input, std::move(condition))};
    query.one_row = false;
  }
  TG_RETURN_IF_ERROR(compute_overs(state));
  if (state.qualify != nullptr) {
    TG_ASSIGN_OR_RETURN(ExprPtr condition, current(state.qualify, state, select.qualify->place));
    state.input = {std::make_shared<plan::FilterNode>(state.input, std::move(condition))};
    query.one_row = false;
  }
  Projection projection(state.input, functions_, false);
  for (std::size_t i = 0; i < state.items.size(); ++i) {
    const OutputItem& item = state.items[i];
    TG_ASSIGN_OR_RETURN(const ExprPtr value, current(item.value, state, item.place));
    if (is_outer(value)) {
      return error_here(item.place, ErrorCode::kNotSupported,
                        "a column of the query around a subquery can stand in its WHERE only");
    }
    if (Status status = projection.append(value, item.name); !status.is_ok()) {
      return at(item.place, std::move(status));
    }
    if (i < state.visible_items) query.names.push_back(item.name);
  }
  query.input = projection.build();
  query.correlated = state.correlated;
  if (select.distinct) {
    std::vector<int> all(state.items.size());
    std::iota(all.begin(), all.end(), 0);
    auto distinct = std::make_shared<plan::AggregateNode>(query.input, std::move(all),
                                                          std::vector<plan::AggregateCall>{});
    distinct->append = false;
    query.input = {std::move(distinct)};
  }
  if (!state.correlated.empty()) {
    if (limits) query.input = limit_per_key(query.input, state, bounds);
    return query;
  }
  if (!state.order.empty() || limits) {
    std::vector<plan::SortKey> keys;
    for (const SelectState::Order& each : state.order) {
      keys.push_back({each.item, each.descending, each.nulls_first});
    }
    query.input = {std::make_shared<plan::SortNode>(query.input, std::move(keys), bounds.offset,
                                                    bounds.limit)};
    if (state.items.size() > state.visible_items) {
      Projection visible(query.input, functions_, false);
      for (std::size_t i = 0; i < state.visible_items; ++i) {
        TG_RETURN_IF_ERROR(visible.append(col(static_cast<int>(i)), query.names[i]));
      }
      query.input = visible.build();
    }
  }
  return query;
}

}  // namespace tidegate::sql
