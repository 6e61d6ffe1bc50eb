// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataflow/operator.h"
#include "operators/bound_aggregate.h"
#include "tidegate/windows.h"

namespace tidegate {

/// Aggregates per key and slice in front of an exchange, in memory only, so that fewer rows cross
/// it. Everything goes out before a watermark that passes the time grain of the window, before the
/// end of an epoch and of the input, and when `max_bytes` are held; lateness is judged behind the
/// exchange. Where it does not shrink the stream it passes rows on, each as a group of one.
///
/// Output columns: keys, slice_end (BIGINT, ms), row count (BIGINT), then per aggregate its
/// accumulator: BIGINT columns where it is words in place, else one BYTES column.
struct PartialAggregateOptions {
  std::vector<int> keys;
  std::vector<LogicalType> key_types;
  std::vector<BoundAggregate> aggregates;
  Window window;  ///< tumbling, hopping or cumulating
  std::int64_t grace_ms = 0;
  int time_column = -1;
  std::int64_t max_bytes = std::int64_t{8} << 20;
};

Result<std::unique_ptr<Operator>> make_partial_aggregate(PartialAggregateOptions options);

/// The types of its output.
std::vector<LogicalType> partial_output_types(const PartialAggregateOptions& options);

}  // namespace tidegate
