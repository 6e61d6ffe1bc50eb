// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"
#include "operators/join.h"

namespace tidegate {

/// Joins each row of the left with the version of the right row with its key that was valid at the
/// time of the left row (FOR SYSTEM_TIME AS OF). The right is a table whose primary key is the join
/// key: +I and +U begin a version, -D ends the last one, -U is passed over. Null in a key matches
/// nothing. Output rows have the columns of the left and then of the right, the kind of the left
/// row, and where the condition fails or there is no version, an outer join has nulls.
///
/// By event time: a left row comes out when the watermark has passed its time, with the last
/// version whose time is not later; in order of time, then of keys, then of arrival. Versions of
/// one time: the last that came. Versions that a newer one behind the watermark has followed are
/// forgotten. Late rows are not left out, as in Flink: a left row behind the watermark comes out at
/// the next one, if its version has not been forgotten; a right one counts from now on. Rows
/// without time are counted as rows_null_time and left out.
///
/// By processing time: a left row comes out at once, with the version that came last.
struct TemporalJoinOptions {
  JoinInput left = {};               ///< time_column: by event time only; late_output is not used
  JoinInput right = {};              ///< the same
  JoinKind kind = JoinKind::kInner;  ///< or kLeft
  bool by_event_time = true;
  JoinCondition condition = {};  ///< null: none
};

Result<std::unique_ptr<Operator>> make_temporal_join(TemporalJoinOptions options);

/// Every millisecond by event time, else nothing.
TimeGrain temporal_join_time_grain(const TemporalJoinOptions& options);

}  // namespace tidegate
