// SPDX-License-Identifier: Apache-2.0
//
// What the planner makes of ROW_NUMBER() and a condition on it.
#pragma once

#include <string>
#include <vector>

#include "plan/relational.h"

namespace tidegate::plan {

/// Which rows of their partition, by ROW_NUMBER, go on.
struct RankRange {
  std::int64_t start = 1;
  std::int64_t end = 1;  ///< included
};

/// Top-N: of the rows with equal `keys` those numbered `range` in `order`, as a changelog. Output:
/// the input's columns, then the number if asked for.
class RankNode final : public Node {
 public:
  RankNode(Input input, std::vector<int> keys, std::vector<SortKey> order, RankRange range,
           bool with_number, const std::string& number_name);
  std::string_view kind() const override { return "Rank"; }
  std::string details() const override;

  std::vector<int> keys;
  std::vector<SortKey> order;  ///< none: in the order of arrival
  RankRange range;
  bool with_number;
  /// Set by the planner where nobody needs a -U in front of a +U.
  bool tells_before = true;
};

/// The same per window: rows bring their windows along, and go out when they close.
class WindowRankNode final : public Node {
 public:
  /// `keys` without the columns of the window.
  WindowRankNode(Input input, std::vector<int> keys, int window_start, int window_end,
                 std::vector<SortKey> order, RankRange range, bool with_number,
                 const std::string& number_name);
  std::string_view kind() const override { return "WindowRank"; }
  std::string details() const override;

  std::vector<int> keys;
  int window_start;
  int window_end;
  std::vector<SortKey> order;
  RankRange range;
  bool with_number;
  /// Of rows that are equal in `order` the latest arrival is first: the last row by time.
  bool latest_of_ties_first = false;
};

/// The first or the last row of each key, by time.
class DeduplicateNode final : public Node {
 public:
  DeduplicateNode(Input input, std::vector<int> keys, bool keep_last, int time_column);
  std::string_view kind() const override { return "Deduplicate"; }
  std::string details() const override;

  std::vector<int> keys;
  bool keep_last;
  int time_column;  ///< a row-time column; -1: in the order of arrival
  /// Set by the planner where nobody needs a -U in front of a +U.
  bool tells_before = true;

  // Of the first row by arrival.
  /// A key is remembered until the watermark has passed the time of its row and the delay of the
  /// watermark; rows behind the watermark are left out.
  bool within_watermark = false;
  /// Set by the planner: rows at or behind the watermark in this column are left out; -1: none.
  int late_column = -1;
  /// Set by the planner: with `late_column`, how far the watermark has to be past the time of the
  /// row of a key until the key is forgotten; -1: never.
  std::int64_t keep_ms = -1;
};

}  // namespace tidegate::plan
