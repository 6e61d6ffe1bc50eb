// SPDX-License-Identifier: Apache-2.0
#include "operators/keyed_reduce.h"

#include <utility>

#include "operators/keyed_aggregate.h"

namespace tidegate {

Result<std::unique_ptr<Operator>> make_keyed_reduce(KeyedReduceOptions options) {
  KeyedAggregateOptions aggregate;
  aggregate.keys = std::move(options.keys);
  aggregate.key_types = std::move(options.key_types);
  aggregate.aggregates = {std::move(options.reduce)};
  aggregate.aggregates.front().flatten = true;
  aggregate.changelog = Changelog::kAppend;
  aggregate.emit_keys = options.with_keys;
  return make_keyed_aggregate(std::move(aggregate));
}

}  // namespace tidegate
