// SPDX-License-Identifier: Apache-2.0
#include "planner/bind_aggregates.h"

#include <utility>

#include "base/check.h"
#include "expr/distinct_aggregate.h"
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

}  // namespace

Result<BoundAggregate> bind_aggregate(const plan::AggregateCall& call, const Schema& input,
                                      bool retracts, const Lowering& lowering) {
  BoundAggregate bound;
  bound.arguments = call.arguments;
  bound.filter = call.filter;
  bound.flatten = call.flatten;
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
