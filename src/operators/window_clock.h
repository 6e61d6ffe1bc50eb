// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "dataflow/operator.h"
#include "types/logical_type.h"

namespace tidegate {

/// An operator that keeps rows until event time has passed a window.
class WindowOperator : public Operator {
 public:
  /// The smallest watermark at which a window is to fire; nullopt when no row waits. It may be too
  /// small, but not too large.
  virtual std::optional<EventTime> next_due() const = 0;
};

/// What makes the time of a window operator another one than that of its rows' column.
struct WindowClockOptions {
  /// The clock at a row's arrival, in place of event time: windows fire by the clock, and all of
  /// them with the maximum watermark at the end of the input.
  bool processing_time = false;
  /// Times are instants, and windows are aligned in this zone.
  std::string time_zone = "UTC";
  /// Event time of rows, or -1.
  int time_column = -1;
  /// False when the operator does not look at the time of rows, since windows are in their columns.
  bool attaches_times = true;
  /// Adds a column of this type behind column `window_end_column` of the output: the last
  /// millisecond of that window.
  std::optional<LogicalType> window_time = std::nullopt;
  int window_end_column = -1;

  /// False when there is nothing to do.
  bool is_needed() const { return changes_time() || window_time; }
  bool changes_time() const { return processing_time || time_zone != "UTC"; }
};

/// Runs `inner` in local time: where time changes, it sees rows with their local time attached
/// (column -1), local watermarks, and makes windows of local times. Rows whose time is null stay
/// outside then, counted as rows_null_time. Rows leave without attached times.
Result<std::unique_ptr<Operator>> make_window_clock(std::unique_ptr<WindowOperator> inner,
                                                    WindowClockOptions options);

}  // namespace tidegate
