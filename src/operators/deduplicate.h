// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"
#include "operators/bound_aggregate.h"
#include "tidegate/status.h"
#include "types/logical_type.h"

namespace tidegate {

/// Keeps the first or the last row of each key, by the order of arrival or by event time. Among
/// rows of the same time the first that arrived is the first, the last that arrived the last. The
/// input is insert-only; null is a key like others; columns stay as they are.
///
/// What is emitted, where it may change (all but the first row by arrival):
///   kRetract  +I, then -U of the row that was kept and +U of the one that is
///   kUpsert   +I, then +U
///   kAppend   the first row by event time only: +I, once the watermark has passed it. Rows behind
///             the watermark by more than a millisecond are late (rows_late) and left out
/// As in Flink, a row that equals the kept one gives nothing by arrival and without a TTL, else it
/// is told as a change. By event time, rows without it are left out and counted as rows_null_time.
///
/// For an input that takes rows back use Top-1 (rank.h), as Flink does.
struct DeduplicateOptions {
  std::vector<LogicalType> types = {};  ///< of all columns
  std::vector<int> keys = {};
  bool keep_last = false;
  bool by_event_time = false;
  int time_column =
      -1;  ///< by event time: a timestamp or BIGINT (ms) column, or -1 for attached ones
  Changelog changelog = Changelog::kRetract;
  /// A key is forgotten this long (in processing time) after its row was kept, and its next row is
  /// a first one again; 0: never.
  std::int64_t ttl_ms = 0;

  // Of the first row by arrival, in place of `ttl_ms`.
  /// Rows at or behind the watermark in this column are left out (rows_late), and those without
  /// time (rows_null_time); -1: none are.
  int late_column = -1;
  /// With `late_column`: a key is forgotten when the watermark has reached the time of its first
  /// row and so much more; -1: never, and then nothing is late. Repetitions do not prolong it.
  std::int64_t keep_ms = -1;
};

Result<std::unique_ptr<Operator>> make_deduplicate(DeduplicateOptions options);
/// With a `late_column`; make_deduplicate() calls it.
std::unique_ptr<Operator> make_deduplicate_in_time(DeduplicateOptions options);

/// To the millisecond where rows wait for the watermark, else not at all.
TimeGrain deduplicate_time_grain(const DeduplicateOptions& options);

}  // namespace tidegate
