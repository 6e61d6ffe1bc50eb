// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "dataflow/operator.h"
#include "operators/bound_aggregate.h"

namespace tidegate {

/// Combines the rows of a key one by one: each row that comes in gives one +I row, the combination
/// so far. `reduce` is an aggregator whose result is a ROW (or a single column); output columns are
/// its fields, with the keys in front if `with_keys`.
struct KeyedReduceOptions {
  std::vector<int> keys;
  std::vector<LogicalType> key_types;
  BoundAggregate reduce;
  bool with_keys = true;
};

Result<std::unique_ptr<Operator>> make_keyed_reduce(KeyedReduceOptions options);

}  // namespace tidegate
