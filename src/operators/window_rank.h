// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"
#include "operators/sort_order.h"

namespace tidegate {

/// Top-N per window: of the rows of a window and key those numbered `rank_start` to `rank_end` in
/// `order`, emitted in that order when the window closes (watermark >= its end); windows in the
/// order of their ends. Rows bring their windows along in columns (SQL's window functions), which
/// are timestamps or BIGINT (ms), the end exclusive. Insert-only in and out. Columns are those of
/// the input, and behind them the number as BIGINT if asked for.
///
/// Window deduplication is N = 1 by the time column: ascending as it is, descending with
/// `latest_of_ties_first`.
///
/// A row whose window has closed is late: counted as rows_late, sent to `late_output` if there is
/// one, and left out; a row without window is counted as rows_null_time and left out. At most
/// rank_end rows are kept per window and key.
struct WindowRankOptions {
  std::vector<LogicalType> types = {};  ///< of all columns
  std::vector<int> keys = {};           ///< PARTITION BY without window_start and window_end
  int window_start_column = -1;
  int window_end_column = -1;
  std::vector<SortColumn> order = {};  ///< none: in the order of arrival
  std::int64_t rank_start = 1;
  std::int64_t rank_end = 1;
  bool emit_rank_number = false;
  /// Rows that are equal in `order`: the latest arrival first, else the earliest first.
  bool latest_of_ties_first = false;
  int late_output = -1;
};

Result<std::unique_ptr<Operator>> make_window_rank(WindowRankOptions options);

/// Windows end at any millisecond.
inline constexpr TimeGrain kWindowRankTimeGrain{1, 0};

}  // namespace tidegate
