// SPDX-License-Identifier: Apache-2.0
#include "planner/bind_aggregates.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "base/check.h"
#include "expr/distinct_aggregate.h"
#include "operators/accumulator_layout.h"
#include "planner/lower_rows.h"

namespace tidegate {
namespace {

Result<std::unique_ptr<Aggregator>> bind_function(const AggregateFunction& function,
                                                  std::span<const LogicalType> types,
                                                  bool retracts) {
  TG_ASSIGN_OR_RETURN(std::unique_ptr<Aggregator> plain, function.bind(types));
  if (!retracts || plain->can_retract()) return plain;
  if (function.bind_retracting) return function.bind_retracting(types);
  return Status(
      ErrorCode::kNotSupported,
      fmt::format("{} over rows that may be updated or deleted is not supported", function.name),
      "Aggregate an insert-only table, or use a function that can take rows back.");
}

/// "SUM(INT; BIGINT) distinct retracting".
std::string binding_text(const plan::AggregateCall& call, std::span<const LogicalType> types,
                         bool retracts) {
  std::string text;
  for (const LogicalType& type : types) {
    text += (text.empty() ? "" : "; ") + type.to_string();
  }
  return fmt::format("{}{}{}({})", call.function, call.distinct ? " DISTINCT" : "",
                     retracts ? " RETRACTING" : "", text);
}

bool take_word(std::string_view word, std::string_view& text) {
  const bool is_there = text.ends_with(word);
  if (is_there) text.remove_suffix(word.size());
  return is_there;
}

}  // namespace

Result<std::shared_ptr<const Aggregator>> bind_as(const FunctionRegistry& functions,
                                                  std::string_view binding) {
  TG_ASSIGN_OR_RETURN(const std::vector<LogicalType> types, argument_types(binding));
  std::string_view name = binding.substr(0, binding.find('('));
  const bool retracts = take_word(" RETRACTING", name);
  const bool distinct = take_word(" DISTINCT", name);
  TG_ASSIGN_OR_RETURN(const AggregateFunction* function, functions.find_aggregate(name));
  TG_ASSIGN_OR_RETURN(std::unique_ptr<Aggregator> aggregator,
                      bind_function(*function, types, retracts));
  if (distinct) aggregator = make_distinct(std::move(aggregator), types);
  return std::shared_ptr<const Aggregator>(std::move(aggregator));
}

namespace {

/// What accumulators over a wider type can take from those over a narrower one: sums of integers
/// and of floats are kept as wide as can be.
BoundAggregate::Widening widening_of(const plan::AggregateCall& call, bool retracts) {
  if (call.distinct) return BoundAggregate::Widening::kNone;
  const auto is_one_of = [&](std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, call.function) != names.end();
  };
  if (is_one_of({"SUM", "AVG", "COUNT"})) return BoundAggregate::Widening::kSameBytes;
  if (!retracts && is_one_of({"MIN", "MAX", "FIRST_VALUE", "LAST_VALUE"})) {
    return BoundAggregate::Widening::kOneValue;
  }
  return BoundAggregate::Widening::kNone;
}

}  // namespace

Result<BoundAggregate> bind_aggregate(const plan::AggregateCall& call, const Schema& input,
                                      bool retracts, const Lowering& lowering) {
  BoundAggregate bound;
  bound.arguments = call.arguments;
  bound.filter = call.filter;
  bound.flatten = call.flatten;
  bound.text = call.text;
  if (call.aggregator != nullptr) {
    bound.aggregator = call.aggregator;
    return bound;
  }
  TG_ASSIGN_OR_RETURN(const FunctionRegistry* functions, lowering.functions());
  TG_ASSIGN_OR_RETURN(const AggregateFunction* function, functions->find_aggregate(call.function));
  const std::vector<LogicalType> types = column_types(input, call.arguments);
  TG_ASSIGN_OR_RETURN(std::unique_ptr<Aggregator> aggregator,
                      bind_function(*function, types, retracts));
  if (call.distinct) aggregator = make_distinct(std::move(aggregator), types);
  bound.aggregator = std::move(aggregator);
  bound.binding = binding_text(call, types, retracts);
  bound.widening = widening_of(call, retracts);
  bound.bind = [functions](std::string_view binding) { return bind_as(*functions, binding); };
  return bound;
}

Result<std::vector<BoundAggregate>> bind_aggregates(const std::vector<plan::AggregateCall>& calls,
                                                    const Schema& input, bool retracts,
                                                    const Lowering& lowering) {
  std::vector<BoundAggregate> aggregates;
  for (const plan::AggregateCall& call : calls) {
    TG_ASSIGN_OR_RETURN(BoundAggregate bound, bind_aggregate(call, input, retracts, lowering));
    aggregates.push_back(std::move(bound));
  }
  return aggregates;
}

}  // namespace tidegate
