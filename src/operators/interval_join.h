// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"
#include "operators/join.h"

namespace tidegate {

/// Joins rows of two streams with equal keys whose event times are near each other: a right row
/// matches when its time lies between (time of the left row) + lower and + upper.
///
/// The event time of an output row is the later one of its two rows. A row that is behind the
/// watermark is late: counted as rows_late, sent to its side output if there is one, and not
/// joined. A row without event time is counted as rows_null_time and left out.
///
/// Rows are kept until the watermark says that nothing can match them any more; in outer joins they
/// are then emitted if nothing has. That happens in steps of a quarter of the interval, so such
/// rows may come that much later in event time, as in Flink. The output watermark is held back by
/// what both sides may lie behind: the bounds and, in outer joins, that quarter.
struct IntervalJoinOptions {
  JoinInput left;
  JoinInput right;
  JoinKind kind = JoinKind::kInner;  ///< not kAnti
  std::int64_t lower_ms = 0;
  std::int64_t upper_ms = 0;
  bool lower_inclusive = true;
  bool upper_inclusive = true;
  JoinCondition condition;  ///< null: none
  /// Times as Spark has them: a row at the watermark itself is late. A row leaves, and is emitted
  /// if it must, as soon as the watermark is past all that it could match, or has reached it where
  /// the times must be equal; also one with nulls in its key. The output watermark is the one
  /// behind which no row can come out.
  bool exact_times = false;
  /// With exact times: whether the watermark is about the times of a side. Else none of its rows is
  /// late, and rows of the other side stay for ever.
  bool left_follows_watermark = true;
  bool right_follows_watermark = true;
};

Result<std::unique_ptr<Operator>> make_interval_join(IntervalJoinOptions options);

/// Lateness is judged to the millisecond. Rows that are not late may stand on either side of a
/// watermark: what it lets go of cannot match them.
inline constexpr TimeGrain kIntervalJoinTimeGrain{1, 0};

}  // namespace tidegate
