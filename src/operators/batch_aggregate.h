// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"
#include "operators/bound_aggregate.h"

namespace tidegate {

/// Aggregates each batch per key in front of an exchange, so that fewer rows cross it and a key of
/// many rows does not fall upon one task alone. Keeps nothing from batch to batch, so no watermark
/// and no barrier has to wait for it. Where batches do not shrink it passes rows on, each as a
/// group of one. For insert-only input and aggregators that can merge in any order.
///
/// Output columns: keys, row count (BIGINT), then per aggregate its accumulator, as
/// partial_columns.h says.
struct BatchAggregateOptions {
  std::vector<int> keys;
  std::vector<LogicalType> key_types;
  std::vector<BoundAggregate> aggregates;
};

Result<std::unique_ptr<Operator>> make_batch_aggregate(BatchAggregateOptions options);

/// The types of its output.
std::vector<LogicalType> batch_aggregate_types(const BatchAggregateOptions& options);
/// True when these aggregates can be put together from those of batches.
bool allows_batch_aggregate(const std::vector<BoundAggregate>& aggregates);

/// Time does not matter to it.
inline constexpr TimeGrain kBatchAggregateTimeGrain{0, 0};

}  // namespace tidegate
