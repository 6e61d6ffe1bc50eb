// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"
#include "operators/bound_aggregate.h"
#include "tidegate/windows.h"

namespace tidegate {

/// Aggregates per key and window.
///
/// Output columns: keys, window_start, window_end (both TIMESTAMP(3)), window_time if asked for,
/// results; count and global windows have no start and end, and the two columns are missing. The
/// event time of an output row, where input rows have one attached, is the last millisecond of its
/// window (of a count or global window: that of the row that completed it).
///
/// Time. A row whose windows have all closed (watermark >= end + grace) is late: counted as
/// rows_late and, if asked for, sent whole to the side output. A row that is late for some of its
/// windows counts in the others. A row whose time column is null belongs to no window: it is
/// left out and counted as rows_null_time, as Flink's window operators do (its watermark assigner
/// refuses such rows, which is the business of the source's strategy here). Rows exactly a gap
/// apart are one session, so a session closes when the watermark is past end + grace.
///
/// Emit policies: on close, one row per key and window. At the end and per late update: one row at
/// the end, then one for each late row, until the window closes. On every update: one row for each
/// row that comes in (and window that it belongs to). On epoch: at the end of each epoch, and
/// when a window closes, one row per key and window that has changed in the epoch; with grace a
/// late row changes a window until it closes. For windows of slices or that rows bring along, and
/// input without retractions.
///
/// Input may hold -U and -D when `retracts`; every aggregator must be able to retract then. A key
/// and window whose rows have all been taken back gives no result.
struct WindowAggregateOptions {
  std::vector<int> keys;
  std::vector<LogicalType> key_types;  ///< of these columns
  std::vector<BoundAggregate> aggregates;
  Window window;
  std::int64_t grace_ms = 0;
  Emit emit = Emit::kOnClose;
  /// For emit policies that change results. On-close results never change.
  Changelog changelog = Changelog::kAppend;
  /// Event time: a timestamp or BIGINT (ms) column, or -1 for attached times.
  int time_column = -1;
  bool retracts = false;
  /// Side output for late rows, or -1.
  int late_output = -1;
  /// The input is what partial_aggregate.h emits for the same keys, aggregates and window.
  bool merges_partials = false;
  /// On epoch, of windows of time: windows never close, no row is late, and each epoch ends with
  /// all results.
  bool keeps_all = false;
  /// Windows of slices: each by itself, so that other emit policies can go on from the state.
  bool separate = false;
  /// Sessions as Spark has them: a row is late when [time, time + gap) has closed, also where it
  /// would join an open session, and a session closes when the watermark reaches its end.
  bool late_alone = false;

  /// Sessions: a BIGINT column with the gap in milliseconds that a row opens; a row without one, or
  /// with one of 0 or less, is left out as one without time is. -1: `window` says the gap.
  int gap_column = -1;

  // What SQL adds. All but time_zone and window_time take no partial aggregates and emit on close
  // or on epoch.

  /// Rows come with their windows (of a window table function, an aggregate or a join above), in
  /// two TIMESTAMP(3) columns; `window` and `time_column` are not looked at. -1: `window` says
  /// them. A row of a window that is closed is late.
  int window_start_column = -1;
  int window_end_column = -1;
  /// Windows by the clock at a row's arrival; they close by the clock, and all at the end of a
  /// bounded input. Watermarks do not matter, and no row is late.
  bool processing_time = false;
  /// Where windows are aligned, and what their start and end are local times of, when time is an
  /// instant (a TIMESTAMP_LTZ column, processing time): the session time zone. "UTC" otherwise.
  std::string time_zone = "UTC";
  /// Set: a column window_time of this type, TIMESTAMP(3) or TIMESTAMP_LTZ(3) (an instant: of
  /// `time_zone`), follows window_end; it is the window's last millisecond.
  std::optional<LogicalType> window_time = std::nullopt;
};

Result<std::unique_ptr<Operator>> make_window_aggregate(WindowAggregateOptions options);

/// What a window operator can tell apart in event time.
TimeGrain window_time_grain(const Window& window, std::int64_t grace_ms, Emit emit);
/// The same with regard to attached windows, processing time and the time zone.
TimeGrain window_time_grain(const WindowAggregateOptions& options);

/// True when partial aggregation before the exchange gives the same results: sliced windows that
/// emit once, aggregators that can merge in any order, no side output for late rows.
bool allows_partial_aggregate(const WindowAggregateOptions& options);

}  // namespace tidegate
