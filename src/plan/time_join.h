// SPDX-License-Identifier: Apache-2.0
//
// What the planner makes of joins whose conditions bound times, so that rows can be forgotten.
#pragma once

#include <string>

#include "plan/join.h"

namespace tidegate::plan {

/// How far a right row's time may be from that of a left row: between left + lower and left +
/// upper.
struct TimeBounds {
  int left_time = -1;   ///< row-time column of the left
  int right_time = -1;  ///< of the right
  std::int64_t lower_ms = 0;
  std::int64_t upper_ms = 0;
  bool lower_inclusive = true;
  bool upper_inclusive = true;
};

/// A join of rows whose times are near each other.
class IntervalJoinNode final : public Node {
 public:
  /// `condition`: what must hold beside the bounds; null: nothing. `schema`: of the JoinNode.
  IntervalJoinNode(Input left, Input right, JoinType type, TimeBounds bounds, ExprPtr condition,
                   SchemaPtr schema);
  std::string_view kind() const override { return "IntervalJoin"; }
  std::string details() const override;

  JoinType type;
  TimeBounds bounds;
  ExprPtr condition;
};

/// The columns of one side of a window join that hold its windows.
struct WindowSide {
  int start = -1;
  int end = -1;
};

/// A join of rows of the same window.
class WindowJoinNode final : public Node {
 public:
  WindowJoinNode(Input left, Input right, JoinType type, WindowSide left_window,
                 WindowSide right_window, ExprPtr condition, SchemaPtr schema);
  std::string_view kind() const override { return "WindowJoin"; }
  std::string details() const override;

  JoinType type;
  WindowSide left_window;
  WindowSide right_window;
  ExprPtr condition;  ///< without the equality of windows
};

}  // namespace tidegate::plan
