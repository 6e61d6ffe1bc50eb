// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "base/check.h"
#include "expr/bind.h"
#include "expr/columns_of.h"
#include "plan/aggregate.h"
#include "plan/relational.h"
#include "sql/binder.h"
#include "sql/words.h"

namespace tidegate::sql {
namespace {

/// TUMBLE, HOP or SESSION as a function in GROUP BY.
const Call* as_group_window(const ExpressionPtr& expression) {
  const auto* call = std::get_if<Call>(&expression->node);
  if (call == nullptr) return nullptr;
  const std::string name = upper(call->function);
  return name == "TUMBLE" || name == "HOP" || name == "SESSION" ? call : nullptr;
}

constexpr std::size_t kMaxGroupingSets = 4096;

/// Grouping sets as lists of expressions.
using Sets = std::vector<std::vector<ExpressionPtr>>;

Sets sets_of(const GroupBy::Element& element) {
  using Kind = GroupBy::Element::Kind;
  Sets sets;
  if (element.kind == Kind::kPlain) return element.sets;
  if (element.kind == Kind::kRollup) {
    for (std::size_t n = element.sets.size() + 1; n-- > 0;) {
      std::vector<ExpressionPtr> set;
      for (std::size_t i = 0; i < n; ++i) {
        set.insert(set.end(), element.sets[i].begin(), element.sets[i].end());
      }
      sets.push_back(std::move(set));
    }
    return sets;
  }
  if (element.kind == Kind::kCube) {
    const std::size_t n = std::min<std::size_t>(element.sets.size(), 12);
    for (std::size_t left_out = 0; left_out < (std::size_t{1} << n); ++left_out) {
      std::vector<ExpressionPtr> set;
      for (std::size_t i = 0; i < n; ++i) {
        if ((left_out >> (n - 1 - i) & 1) != 0) continue;
        set.insert(set.end(), element.sets[i].begin(), element.sets[i].end());
      }
      sets.push_back(std::move(set));
    }
    return sets;
  }
  sets = element.sets;
  for (const GroupBy::Element& nested : element.nested) {
    const Sets more = sets_of(nested);
    sets.insert(sets.end(), more.begin(), more.end());
  }
  return sets;
}

}  // namespace

Status Binder::bind_group_by(const Select& select, SelectState& state) {
  if (!select.group_by) return Status::ok();
  state.grouped = true;
  // Elements side by side multiply: GROUP BY a, ROLLUP(b, c) is (a, b, c), (a, b), (a).
  Sets sets = {{}};
  for (const GroupBy::Element& element : select.group_by->elements) {
    Sets product;
    for (const auto& left : sets) {
      for (const auto& right : sets_of(element)) {
        product.push_back(left);
        product.back().insert(product.back().end(), right.begin(), right.end());
      }
    }
    sets = std::move(product);
    if (sets.size() > kMaxGroupingSets) {
      return error_here(select.group_by->place, ErrorCode::kLimitExceeded,
                        "GROUP BY makes more than {} grouping sets", kMaxGroupingSets);
    }
  }
  ExpressionContext context = state.context("GROUP BY", &select);
  context.subqueries = nullptr;
  const Call* window = nullptr;
  Place window_place;
  std::vector<std::vector<std::size_t>> members;
  for (const auto& set : sets) {
    std::vector<std::size_t> keys;
    for (const ExpressionPtr& expression : set) {
      if (const Call* call = as_group_window(expression)) {
        if (window != nullptr && window != call) {
          return error_here(expression->place, ErrorCode::kNotSupported,
                            "one window can stand in GROUP BY");
        }
        window = call;
        window_place = expression->place;
        continue;
      }
      ExprPtr value;
      const auto* literal = std::get_if<Literal>(&expression->node);
      const auto* column = std::get_if<ColumnName>(&expression->node);
      const SelectItem* item = nullptr;
      if (literal != nullptr && literal->kind == Literal::Kind::kNumber) {
        TG_ASSIGN_OR_RETURN(const std::int64_t position, row_count(expression, "GROUP BY"));
        if (position >= 1 && position <= static_cast<std::int64_t>(select.items.size())) {
          item = &select.items[static_cast<std::size_t>(position) - 1];
        }
      } else if (column != nullptr && column->name.size() == 1 &&
                 !resolve(state.scope, column->name).is_ok()) {
        for (const SelectItem& each : select.items) {
          if (each.alias && each.alias->text == column->name[0].text) item = &each;
        }
      }
      Result<ExprPtr> bound = bind(item != nullptr ? item->value : expression, context);
      // Where the item cannot be a key, the number is a constant, as it always is in Flink.
      if (!bound.is_ok() && item != nullptr && literal != nullptr)
        bound = bind(expression, context);
      TG_ASSIGN_OR_RETURN(value, std::move(bound));
      auto type = type_of(value, *state.input.schema(), functions_);
      if (!type.is_ok()) return at(expression->place, std::move(type).status());
      std::size_t key = 0;
      while (key < state.keys.size() && !same_expr(state.keys[key], value)) ++key;
      if (key == state.keys.size()) state.keys.push_back(std::move(value));
      keys.push_back(key);
    }
    members.push_back(std::move(keys));
  }
  for (const std::vector<std::size_t>& keys : members) {
    std::vector<bool> set(state.keys.size(), false);
    for (std::size_t key : keys) set[key] = true;
    state.sets.push_back(std::move(set));
  }
  return window == nullptr ? Status::ok() : add_group_window(*window, window_place, state);
}

Status Binder::add_group_window(const Call& call, Place place, SelectState& state) {
  const std::string name = upper(call.function);
  const std::size_t wanted = name == "HOP" ? 3 : 2;
  if (call.args.size() < wanted || call.args.size() > wanted + (name == "SESSION" ? 0 : 1)) {
    return error_here(place, ErrorCode::kInvalidSyntax,
                      "{0} in GROUP BY is called as {0}(time_column, {1})", name,
                      name == "HOP"       ? "slide, size"
                      : name == "SESSION" ? "gap"
                                          : "size");
  }
  ExpressionContext context = state.context("GROUP BY", nullptr);
  TG_ASSIGN_OR_RETURN(const ExprPtr time, bind(call.args[0], context));
  if (time_attribute_of(time, *state.input.schema()) == TimeAttribute::kNone) {
    return at(call.args[0]->place,
              Status(ErrorCode::kInvalidPlan,
                     fmt::format("'{}' is not a time attribute, so it cannot make windows",
                                 text_at(call.args[0]->place)),
                     "Declare WATERMARK FOR it in its table, and keep it as it is on the way."));
  }
  std::vector<std::chrono::milliseconds> values;
  for (std::size_t i = 1; i < call.args.size(); ++i) {
    TG_ASSIGN_OR_RETURN(const std::int64_t ms, interval_ms(call.args[i], "the size of a window"));
    values.emplace_back(ms);
  }
  const auto offset = call.args.size() > wanted ? values.back() : std::chrono::milliseconds(0);
  Window window = tumbling(values[0], offset);
  if (name == "HOP") window = hopping(values[1], values[0], offset);
  if (name == "SESSION") window = session(values[0]);
  // Sessions are those of each combination of the other keys.
  Projection projection(state.input, functions_, true);
  std::vector<int> partition;
  for (ExprPtr& key : state.keys) {
    TG_ASSIGN_OR_RETURN(const int column, projection.add(key));
    if (name == "SESSION") partition.push_back(column);
  }
  state.input = {std::make_shared<plan::WindowFunctionNode>(projection.build(), window,
                                                            time->column(), std::move(partition))};
  state.window_keys = static_cast<int>(state.keys.size());
  const int width = state.input.schema()->num_fields();
  for (int i = width - 3; i < width; ++i) {
    state.keys.push_back(col(i));
    for (std::vector<bool>& set : state.sets) set.push_back(true);
  }
  return Status::ok();
}

Status Binder::aggregate(SelectState& state) {
  const bool expands = state.sets.size() > 1;
  Projection projection(state.input, functions_, false);
  std::vector<int> keys;
  for (std::size_t i = 0; i < state.keys.size(); ++i) {
    if (expands) {
      // A key that a set leaves out is nulled: arguments of aggregates need columns of their own.
      const ExprPtr& key = state.keys[i];
      TG_RETURN_IF_ERROR(projection.append(
          key, key->kind() == Expr::Kind::kColumn ? state.input.schema()->field(key->column()).name
                                                  : fmt::format("key{}", i)));
      keys.push_back(static_cast<int>(i));
    } else {
      TG_ASSIGN_OR_RETURN(const int column, projection.add(state.keys[i]));
      keys.push_back(column);
    }
  }
  std::vector<plan::AggregateCall> calls;
  std::vector<int> call_of(state.aggregates.size(), -1);
  const int first_argument = static_cast<int>(keys.size());
  for (std::size_t i = 0; i < state.aggregates.size(); ++i) {
    const AggregateUse& use = state.aggregates[i];
    if (!functions_.has_aggregate(use.function)) continue;  // a part of the grouping
    plan::AggregateCall call;
    call.function = use.function;
    call.distinct = use.distinct;
    call.text = use.text;
    std::vector<LogicalType> types;
    const auto column_for = [&](const ExprPtr& value) -> Result<int> {
      if (!expands) return projection.add(value);
      TG_RETURN_IF_ERROR(
          projection.append(value, fmt::format("arg{}", first_argument + static_cast<int>(i))));
      return projection.width() - 1;
    };
    for (const ExprPtr& argument : use.arguments) {
      auto column = column_for(argument);
      if (!column.is_ok()) return at(use.place, std::move(column).status());
      call.arguments.push_back(*column);
      types.push_back(projection.type(*column));
    }
    if (use.filter != nullptr) {
      auto column = column_for(use.filter);
      if (!column.is_ok()) return at(use.place, std::move(column).status());
      if (projection.type(*column).kind() != TypeKind::kBoolean) {
        return error_here(use.place, ErrorCode::kTypeMismatch, "FILTER needs a BOOLEAN, not {}",
                          projection.type(*column).to_string());
      }
      call.filter = *column;
    }
    auto function = functions_.find_aggregate(use.function);
    if (!function.is_ok()) return at(use.place, std::move(function).status());
    auto aggregator = (*function)->bind(types);
    if (!aggregator.is_ok()) return at(use.place, std::move(aggregator).status());
    call.result_type = (*aggregator)->result_type();
    call.can_merge = (*aggregator)->can_merge();
    const auto same = std::find_if(calls.begin(), calls.end(), [&](const plan::AggregateCall& c) {
      return c.function == call.function && c.distinct == call.distinct &&
             c.arguments == call.arguments && c.filter == call.filter;
    });
    call_of[i] = static_cast<int>(same - calls.begin());
    if (same != calls.end()) continue;
    call.result_name = fmt::format("EXPR${}", calls.size());
    calls.push_back(std::move(call));
  }
  state.input = projection.build();

  std::vector<int> distinct_keys;
  std::vector<int> position(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto found = std::find(distinct_keys.begin(), distinct_keys.end(), keys[i]);
    position[i] = static_cast<int>(found - distinct_keys.begin());
    if (found == distinct_keys.end()) distinct_keys.push_back(keys[i]);
  }
  int grouping_id = -1;
  if (expands) {
    state.input = {std::make_shared<plan::ExpandNode>(state.input, distinct_keys, state.sets)};
    grouping_id = state.input.schema()->num_fields() - 1;
    distinct_keys.push_back(grouping_id);
  }
  const int num_keys = static_cast<int>(distinct_keys.size());
  auto node = std::make_shared<plan::AggregateNode>(state.input, std::move(distinct_keys), calls);
  node->append = false;
  node->emit_empty = num_keys == 0;
  node->ttl_ms = state.ttl_ms;
  state.input = {std::move(node)};
  for (std::size_t i = 0; i < keys.size(); ++i) state.grouped_keys.push_back(col(position[i]));
  state.aggregated = true;
  for (std::size_t i = 0; i < state.aggregates.size(); ++i) {
    if (call_of[i] >= 0) {
      state.aggregate_values.push_back(col(num_keys + call_of[i]));
      continue;
    }
    TG_ASSIGN_OR_RETURN(ExprPtr value, grouping_part(state.aggregates[i], state));
    state.aggregate_values.push_back(std::move(value));
  }
  return Status::ok();
}

/// GROUPING(a), TUMBLE_START(ts, ...): what the keys say.
Result<ExprPtr> Binder::grouping_part(const AggregateUse& use, const SelectState& state) {
  const auto key_at = [&](int index) {
    return state.grouped_keys[static_cast<std::size_t>(index)];
  };
  if (!use.function.starts_with("GROUP")) {
    if (state.window_keys < 0) {
      return error_here(use.place, ErrorCode::kInvalidPlan, "{} needs the same window in GROUP BY",
                        use.text);
    }
    const bool is_start = use.function.ends_with("_START");
    const bool is_end = use.function.ends_with("_END");
    return key_at(state.window_keys + (is_start ? 0 : is_end ? 1 : 2));
  }
  if (!state.grouped) {
    return error_here(use.place, ErrorCode::kInvalidPlan, "{} needs GROUP BY", use.text);
  }
  const int num_keys = static_cast<int>(state.keys.size());
  const bool expands = state.sets.size() > 1;
  if (use.arguments.empty() != (use.function == "GROUP_ID")) {
    return error_here(use.place, ErrorCode::kInvalidArgument, "{}: GROUP_ID takes no argument, {}",
                      use.text, "GROUPING and GROUPING_ID take keys of GROUP BY");
  }
  std::vector<int> wanted;
  for (const ExprPtr& argument : use.arguments) {
    int key = 0;
    while (key < num_keys && !same_expr(state.keys[static_cast<std::size_t>(key)], argument)) ++key;
    if (key == num_keys) {
      return error_here(use.place, ErrorCode::kInvalidPlan,
                        "the arguments of {} must be keys of GROUP BY", use.text);
    }
    wanted.push_back(key);
  }
  ExprPtr result = lit(std::int64_t{0});
  if (!expands) return result;
  // The id stands behind the keys; the last key is its lowest bit.
  const ExprPtr id = col(num_keys);
  if (use.function == "GROUP_ID") {
    // Of a set that is there several times, which of them: what stands above the bits of the keys.
    result = tidegate::call("/", {id, lit(std::int64_t{1} << num_keys)});
    return cast(std::move(result), LogicalType(TypeKind::kBigInt, false));
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::int64_t bit = std::int64_t{1} << (num_keys - 1 - wanted[i]);
    const std::int64_t weight = std::int64_t{1} << (wanted.size() - 1 - i);
    ExprPtr set = tidegate::call("%", {tidegate::call("/", {id, lit(bit)}), lit(std::int64_t{2})});
    if (weight != 1) set = tidegate::call("*", {std::move(set), lit(weight)});
    result = i == 0 ? std::move(set) : tidegate::call("+", {std::move(result), std::move(set)});
  }
  return cast(std::move(result), LogicalType(TypeKind::kBigInt, false));
}

Result<ExprPtr> Binder::current(const ExprPtr& value, const SelectState& state, Place place) {
  if (state.aggregated) {
    for (std::size_t i = 0; i < state.keys.size(); ++i) {
      if (same_expr(value, state.keys[i])) return state.grouped_keys[i];
    }
  }
  if (value->kind() == Expr::Kind::kColumn) {
    const int column = value->column();
    if (column >= kOuterColumns) return value;
    if (column >= kSubqueryColumns) {
      const auto k = static_cast<std::size_t>(column - kSubqueryColumns);
      TG_CHECK(k < state.subquery_values.size(), "subquery {} is not joined yet", k);
      return state.subquery_values[k];
    }
    if (column >= kOverColumns) {
      const auto k = static_cast<std::size_t>(column - kOverColumns);
      TG_CHECK(k < state.over_values.size(), "OVER call {} is not computed yet", k);
      return state.over_values[k];
    }
    if (column >= kAggregateColumns) {
      return state.aggregate_values[static_cast<std::size_t>(column - kAggregateColumns)];
    }
    if (!state.aggregated) return value;
    return at(place,
              Status(ErrorCode::kInvalidPlan,
                     fmt::format("'{}' stands neither in GROUP BY nor in an aggregate",
                                 place.end > place.begin ? text_at(place) : "a column"),
                     "Add it to GROUP BY, or aggregate it, for example with MAX or LAST_VALUE."));
  }
  if (value->args().empty()) return value;
  std::vector<ExprPtr> args;
  bool changed = false;
  for (const ExprPtr& arg : value->args()) {
    TG_ASSIGN_OR_RETURN(ExprPtr now, current(arg, state, place));
    changed = changed || now != arg;
    args.push_back(std::move(now));
  }
  return changed ? with_args(value, std::move(args)) : value;
}

}  // namespace tidegate::sql
