// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "operators/bound_aggregate.h"
#include "plan/aggregate.h"
#include "planner/lowering.h"

namespace tidegate {

/// The aggregates of these calls over rows of `input`. Calls by name are looked up; where rows are
/// taken back (`retracts`) in the form that can do so. kNotSupported when there is none.
Result<std::vector<BoundAggregate>> bind_aggregates(const std::vector<plan::AggregateCall>& calls,
                                                    const Schema& input, bool retracts,
                                                    const Lowering& lowering);
Result<BoundAggregate> bind_aggregate(const plan::AggregateCall& call, const Schema& input,
                                      bool retracts, const Lowering& lowering);

/// What BoundAggregate::binding says, once more.
Result<std::shared_ptr<const Aggregator>> bind_as(const FunctionRegistry& functions,
                                                  std::string_view binding);

}  // namespace tidegate
