// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"
#include "operators/sort_order.h"

namespace tidegate {

/// ORDER BY of a stream, as Flink's: by time, ascending, and then by any columns; ties in the order
/// of arrival. Insert-only. Columns stay as they are. The operator runs in one task.
///
/// By event time rows come out once the watermark has passed them. A row is late only when a row of
/// the same or a later time has come out: it is counted as rows_late, sent to `late_output` if
/// there is one, and left out; without event time it is counted as rows_null_time and left out.
/// By processing time they come out in the next millisecond, those of one millisecond in `order`.
struct TemporalSortOptions {
  std::vector<LogicalType> types = {};  ///< of all columns
  bool by_processing_time = false;
  int time_column = -1;  ///< a timestamp or BIGINT (ms) column, or -1 for attached times
  std::vector<SortColumn> order = {};  ///< behind the time
  int late_output = -1;
};

Result<std::unique_ptr<Operator>> make_temporal_sort(TemporalSortOptions options);

/// To the millisecond by event time, else not at all.
TimeGrain temporal_sort_time_grain(const TemporalSortOptions& options);

}  // namespace tidegate
