// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "plan/aggregate.h"
#include "plan/relational.h"
#include "tidegate/windows.h"

namespace tidegate::plan {

/// TUMBLE, HOP, CUMULATE and SESSION over a table: each row once per window that it belongs to,
/// with window_start, window_end and window_time behind its columns.
class WindowFunctionNode final : public Node {
 public:
  WindowFunctionNode(Input input, Window window, int time_column, std::vector<int> partition);
  std::string_view kind() const override { return "WindowFunction"; }
  std::string details() const override;

  Window window;
  int time_column;             ///< a row-time or processing-time column
  std::vector<int> partition;  ///< sessions: per these columns
  int gap_column = -1;         ///< sessions: each row's gap in ms (BIGINT); -1: as `window` says
};

/// How many rows around a row an OVER call looks at.
struct OverFrame {
  bool rows = false;  ///< else a range of the sort column
  /// Rows, or milliseconds of a time (months do not occur); -1: unbounded.
  std::int64_t preceding = -1;
  std::int64_t following = 0;  ///< -1: unbounded
};

/// A call with OVER: an aggregate, or ROW_NUMBER, RANK, DENSE_RANK, LAG, LEAD, NTILE, ...
struct OverCall {
  AggregateCall call;  ///< `function` by name, its arguments as columns of the input
  OverFrame frame;
  /// LAG, LEAD, NTILE: distance or number of buckets.
  std::int64_t parameter = 1;
};

/// Calls over the same partition and order: output is the input's columns and then the results.
class OverNode final : public Node {
 public:
  OverNode(Input input, std::vector<int> partition, std::vector<SortKey> order,
           std::vector<OverCall> calls);
  std::string_view kind() const override { return "Over"; }
  std::string details() const override;

  std::vector<int> partition;
  std::vector<SortKey> order;
  std::vector<OverCall> calls;
  /// Set by the planner: only the final rows of a bounded input are looked at, so there is no need
  /// to tell how they change on the way.
  bool at_end = false;
};

}  // namespace tidegate::plan
