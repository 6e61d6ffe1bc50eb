// SPDX-License-Identifier: Apache-2.0
#include <arrow/array/array_base.h>

#include <algorithm>

#include "base/check.h"
#include "expr/bind.h"
#include "expr/columns_of.h"
#include "expr/type_rules.h"
#include "plan/window.h"
#include "sql/binder.h"
#include "sql/words.h"

namespace tidegate::sql {
namespace {

/// What a window is made of, with the named windows that it builds on filled in.
Result<WindowSpec> whole_spec(const WindowSpec& spec, const Select* select) {
  if (!spec.base) return spec;
  const std::shared_ptr<const WindowSpec>* found = nullptr;
  if (select != nullptr) {
    for (const auto& [name, window] : select->windows) {
      if (name.text == spec.base->text) found = &window;
    }
  }
  if (found == nullptr) {
    return error(ErrorCode::kUnknownName, "there is no window '{}' in the WINDOW clause",
                 spec.base->text);
  }
  if (found->get() == &spec) {
    return error(ErrorCode::kInvalidPlan, "window '{}' is made of itself", spec.base->text);
  }
  TG_ASSIGN_OR_RETURN(WindowSpec whole, whole_spec(**found, select));
  if (!spec.partition_by.empty()) whole.partition_by = spec.partition_by;
  if (!spec.order_by.empty()) whole.order_by = spec.order_by;
  if (spec.frame) whole.frame = spec.frame;
  return whole;
}

bool is_numbering(const std::string& function) {
  return function == "ROW_NUMBER" || function == "RANK" || function == "DENSE_RANK" ||
         function == "NTILE" || function == "CUME_DIST" || function == "PERCENT_RANK";
}

/// Rows or milliseconds.
Result<std::int64_t> distance_of(const FrameBound& bound, bool rows) {
  const auto* literal =
      bound.distance == nullptr ? nullptr : std::get_if<Literal>(&bound.distance->node);
  if (literal != nullptr && rows && literal->kind == Literal::Kind::kNumber &&
      literal->text.size() < 18 &&
      literal->text.find_first_not_of("0123456789") == std::string::npos) {
    return std::stoll(literal->text);
  }
  if (literal != nullptr && !rows && literal->kind == Literal::Kind::kInterval &&
      !literal->interval_in_months && literal->interval >= 0) {
    return literal->interval;
  }
  return error(ErrorCode::kNotSupported, "a {}",
               rows ? "ROWS frame takes a constant number of rows"
                    : "RANGE frame takes a constant interval of days to seconds");
}

Result<std::int64_t> constant_of(const ExprPtr& value, std::string_view what) {
  if (value->kind() == Expr::Kind::kLiteral && value->type().is_integer() &&
      !value->value()->IsNull(0)) {
    return std::stoll(value->to_string());
  }
  return error(ErrorCode::kNotSupported, "{} must be a constant whole number", what);
}

}  // namespace

Result<ExprPtr> Binder::bind_over(const Call& call, Place place, ExpressionContext& context) {
  if (context.overs == nullptr || context.inside_aggregate) {
    return error_here(place, ErrorCode::kInvalidSyntax, "{} cannot stand in {}", text_at(place),
                      context.clause);
  }
  auto spec = whole_spec(*call.over, context.select);
  if (!spec.is_ok()) return at(place, std::move(spec).status());
  OverUse use;
  use.call.function = upper(call.function);
  use.call.distinct = call.distinct;
  use.call.text = upper(call.function) + "()";
  use.call.place = place;
  ExpressionContext inner = context;
  inner.overs = nullptr;
  const bool is_star = call.args.size() == 1 && std::get_if<Star>(&call.args[0]->node) != nullptr;
  if (!is_star) {
    TG_ASSIGN_OR_RETURN(use.call.arguments, bind_all(call.args, inner));
  }
  if (call.filter != nullptr) {
    TG_ASSIGN_OR_RETURN(use.call.filter, bind(call.filter, inner));
  }
  TG_ASSIGN_OR_RETURN(use.partition, bind_all(spec->partition_by, inner));
  for (const SortItem& item : spec->order_by) {
    TG_ASSIGN_OR_RETURN(ExprPtr value, bind(item.value, inner));
    use.order.push_back(
        {std::move(value), item.descending, item.nulls_first.value_or(!item.descending)});
  }
  std::vector<ExprPtr>& arguments = use.call.arguments;
  const std::string& function = use.call.function;
  if (function == "LAG" || function == "LEAD") {
    if (arguments.empty() || arguments.size() > 3) {
      return error_here(place, ErrorCode::kInvalidSyntax, "{} takes one to three arguments",
                        function);
    }
    if (arguments.size() > 1) {
      auto distance = constant_of(arguments[1], "the distance of " + function);
      if (!distance.is_ok()) return at(place, std::move(distance).status());
      use.parameter = *distance;
      arguments.erase(arguments.begin() + 1);
    }
  } else if (function == "NTILE") {
    if (arguments.size() != 1) {
      return error_here(place, ErrorCode::kInvalidSyntax, "NTILE takes one argument");
    }
    auto buckets = constant_of(arguments[0], "the argument of NTILE");
    if (!buckets.is_ok()) return at(place, std::move(buckets).status());
    use.parameter = *buckets;
    arguments.clear();
  } else if (is_numbering(function)) {
    if (!arguments.empty()) {
      return error_here(place, ErrorCode::kInvalidSyntax, "{} takes no arguments", function);
    }
  } else if (!functions_.has_aggregate(function)) {
    return at(place, functions_.find_aggregate(function).status());
  }
  // Without a frame: everything up to the current row and its peers.
  use.frame = {.rows = is_numbering(function), .preceding = -1, .following = 0};
  if (use.order.empty()) use.frame.following = -1;
  if (spec->frame) {
    use.frame.rows = spec->frame->rows;
    const auto side = [&](const FrameBound& bound, FrameBound::Kind unbounded,
                          FrameBound::Kind offset) -> Result<std::int64_t> {
      if (bound.kind == unbounded) return std::int64_t{-1};
      if (bound.kind == FrameBound::Kind::kCurrentRow) return std::int64_t{0};
      if (bound.kind == offset) return distance_of(bound, use.frame.rows);
      return error(ErrorCode::kNotSupported,
                   "a frame that does not reach the current row is not supported");
    };
    auto preceding = side(spec->frame->from, FrameBound::Kind::kUnboundedPreceding,
                          FrameBound::Kind::kPreceding);
    if (!preceding.is_ok()) return at(place, std::move(preceding).status());
    auto following =
        side(spec->frame->to, FrameBound::Kind::kUnboundedFollowing, FrameBound::Kind::kFollowing);
    if (!following.is_ok()) return at(place, std::move(following).status());
    use.frame.preceding = *preceding;
    use.frame.following = *following;
  }
  context.overs->push_back(std::move(use));
  return col(kOverColumns + static_cast<int>(context.overs->size()) - 1);
}

Status Binder::compute_overs(SelectState& state) {
  struct Group {
    std::vector<int> partition;
    std::vector<plan::SortKey> order;
    std::vector<plan::OverCall> calls;
    std::vector<std::size_t> uses;
  };
  if (state.overs.empty()) return Status::ok();
  std::vector<Group> groups;
  Projection projection(state.input, functions_, true);
  for (std::size_t i = 0; i < state.overs.size(); ++i) {
    const OverUse& use = state.overs[i];
    const Place place = use.call.place;
    const auto column_for = [&](const ExprPtr& value) -> Result<int> {
      TG_ASSIGN_OR_RETURN(const ExprPtr now, current(value, state, place));
      auto column = projection.add(now);
      if (!column.is_ok()) return at(place, std::move(column).status());
      return column;
    };
    Group group;
    for (const ExprPtr& value : use.partition) {
      TG_ASSIGN_OR_RETURN(const int column, column_for(value));
      group.partition.push_back(column);
    }
    for (const OverUse::Order& order : use.order) {
      TG_ASSIGN_OR_RETURN(const int column, column_for(order.value));
      group.order.push_back({column, order.descending, order.nulls_first});
    }
    plan::OverCall over;
    over.frame = use.frame;
    over.parameter = use.parameter;
    plan::AggregateCall& call = over.call;
    call.function = use.call.function;
    call.distinct = use.call.distinct;
    call.text = use.call.text;
    call.result_name = fmt::format("w{}$o{}", groups.size(), i);
    std::vector<LogicalType> types;
    for (const ExprPtr& argument : use.call.arguments) {
      TG_ASSIGN_OR_RETURN(const int column, column_for(argument));
      call.arguments.push_back(column);
      types.push_back(projection.type(column));
    }
    if (use.call.filter != nullptr) {
      TG_ASSIGN_OR_RETURN(call.filter, column_for(use.call.filter));
    }
    if (is_numbering(call.function)) {
      const bool is_share = call.function == "CUME_DIST" || call.function == "PERCENT_RANK";
      call.result_type = LogicalType(is_share ? TypeKind::kDouble : TypeKind::kBigInt, false);
    } else if (call.function == "LAG" || call.function == "LEAD") {
      const auto type = common_type(types);
      if (!type) {
        return error_here(place, ErrorCode::kTypeMismatch, "the default of {} is {}, not {}",
                          call.function, types.back().to_string(), types[0].to_string());
      }
      call.result_type = type->with_nullable(types.size() < 2 || any_nullable(types));
    } else {
      auto function = functions_.find_aggregate(call.function);
      if (!function.is_ok()) return at(place, std::move(function).status());
      auto aggregator = (*function)->bind(types);
      if (!aggregator.is_ok()) return at(place, std::move(aggregator).status());
      call.result_type = (*aggregator)->result_type();
    }
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const Group& other) {
      return other.partition == group.partition &&
             std::equal(other.order.begin(), other.order.end(), group.order.begin(),
                        group.order.end(), [](const plan::SortKey& a, const plan::SortKey& b) {
                          return a.column == b.column && a.descending == b.descending &&
                                 a.nulls_first == b.nulls_first;
                        });
    });
    Group& into = same == groups.end() ? groups.emplace_back(std::move(group)) : *same;
    into.calls.push_back(std::move(over));
    into.uses.push_back(i);
  }
  state.input = projection.build();
  state.over_values.resize(state.overs.size());
  for (Group& group : groups) {
    const int width = state.input.schema()->num_fields();
    for (std::size_t i = 0; i < group.uses.size(); ++i) {
      state.over_values[group.uses[i]] = col(width + static_cast<int>(i));
    }
    state.input = {std::make_shared<plan::OverNode>(
        state.input, std::move(group.partition), std::move(group.order), std::move(group.calls))};
  }
  return Status::ok();
}

}  // namespace tidegate::sql
