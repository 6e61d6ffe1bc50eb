// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"
#include "tidegate/windows.h"
#include "types/logical_type.h"

namespace tidegate {

/// Flink's window table functions TUMBLE, HOP, CUMULATE and SESSION over a table.
///
/// Output columns: those of the input, then window_start and window_end (TIMESTAMP(3), local times
/// of `time_zone`) and window_time (of `window_time`, the last millisecond of the window).
///
/// TUMBLE, HOP, CUMULATE: one row per window of a row, at once, in the order of the input; windows
/// of HOP the latest first, those of CUMULATE the shortest first, as in Flink. No state; rows
/// behind the watermark pass like others.
///
/// SESSION: rows wait for the end of their session and then come out with its window, those of a
/// session in the order of their arrival, sessions by end. A row that no session can take any more
/// (behind the watermark by more than the gap) is late: counted as rows_late and, if asked for,
/// sent to the side output. Rows exactly a gap apart are one session, as everywhere in the engine.
///
/// Row kinds stay: a changelog comes out as it came in, in the windows of its rows. Rows whose time
/// is null are left out and counted as rows_null_time.
struct AssignWindowsOptions {
  Window window;
  /// Event time: a TIMESTAMP or TIMESTAMP_LTZ column of any precision. -1: processing time, the
  /// clock at a row's arrival.
  int time_column = -1;
  /// The type of window_time: TIMESTAMP(3), or TIMESTAMP_LTZ(3) when the time column is an instant
  /// or it is processing time.
  LogicalType window_time = LogicalType::timestamp(3);
  /// Where windows are aligned when the time column is an instant or it is processing time: the
  /// session time zone. "UTC" for a time column without zone.
  std::string time_zone = "UTC";

  // SESSION only.
  std::vector<LogicalType> types = {};  ///< of all input columns
  std::vector<int> keys = {};           ///< PARTITION BY; none: all rows are one partition
  int late_output = -1;                 ///< side output for late rows, or -1
};

Result<std::unique_ptr<Operator>> make_assign_windows(AssignWindowsOptions options);

/// Sessions wait for event time, to the millisecond; others do not look at it.
TimeGrain assign_windows_time_grain(const AssignWindowsOptions& options);

}  // namespace tidegate
