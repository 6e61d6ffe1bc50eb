// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"
#include "operators/join.h"
#include "operators/null_aware.h"
#include "tidegate/windows.h"

namespace tidegate {

/// One input of a window join. Where the rows bring their windows along (SQL's window functions),
/// in which columns those stand; they are timestamps or BIGINT (ms), and the end is exclusive.
struct WindowJoinInput : JoinInput {
  int window_start_column = -1;
  int window_end_column = -1;
};

/// Joins rows of two streams with equal keys in the same window, when the window closes.
///
/// With `window` rows are assigned to windows by their event time: tumbling, hopping, cumulating,
/// or sessions that the rows of both sides of a key make together. Without, each row belongs to the
/// window in its columns, and the rows of a pair have the same one.
///
/// The event time of an output row is the last millisecond of its window. A row whose windows have
/// all closed is late: counted as rows_late, and sent to its side output if there is one; a row
/// without event time or window is counted as rows_null_time and left out.
struct WindowJoinOptions {
  WindowJoinInput left = {};
  WindowJoinInput right = {};
  JoinKind kind = JoinKind::kInner;
  std::optional<Window> window = {};  ///< not of the kinds count and global
  JoinCondition condition = {};       ///< null: none
  /// Per key column: true where null equals null (IS NOT DISTINCT FROM); {}: nowhere.
  std::vector<bool> null_safe_keys = {};
  /// Anti joins only: the columns that NOT IN compares, which are no keys.
  std::vector<NullAwarePair> null_aware = {};
};

Result<std::unique_ptr<Operator>> make_window_join(WindowJoinOptions options);

/// The ends of windows; to the millisecond for sessions and where rows bring their windows.
TimeGrain window_join_time_grain(const WindowJoinOptions& options);

}  // namespace tidegate
