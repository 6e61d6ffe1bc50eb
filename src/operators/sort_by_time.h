// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"
#include "tidegate/status.h"
#include "types/logical_type.h"

namespace tidegate {

/// Emits rows in the order of their event times, those of the same millisecond in the order of
/// arrival, as soon as the watermark has passed them. Rows behind the watermark are late: counted
/// as rows_late, sent to `late_output` if there is one, and left out; rows without event time are
/// counted as rows_null_time and left out. Row kinds stay with their rows.
struct SortByTimeOptions {
  std::vector<LogicalType> types = {};  ///< of the columns
  int time_column = -1;  ///< a timestamp or BIGINT (ms) column, or -1 for attached times
  int late_output = -1;
};

std::unique_ptr<Operator> make_sort_by_time(SortByTimeOptions options);

/// Lateness is judged to the millisecond.
inline constexpr TimeGrain kSortByTimeTimeGrain{1, 0};

}  // namespace tidegate
