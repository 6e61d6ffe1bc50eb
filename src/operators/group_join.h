// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataflow/operator.h"
#include "operators/join.h"

namespace tidegate {

// Lists of rows as a join keeps them in state: each length (varint) | the row (row_codec.h).

/// Appends a row to a list.
void append_to_list(std::string& list, std::string_view row);
/// The rows of a list. They point into it.
Result<std::vector<std::string_view>> rows_of_list(std::string_view list);

/// Joins a group of left rows with a group of right rows that have the same key, one group after
/// another. A group may be joined in several goes, since its pairs may be many.
class GroupJoin {
 public:
  GroupJoin(const std::vector<LogicalType>& left, const std::vector<LogicalType>& right,
            JoinKind kind, JoinCondition condition);

  /// The next group. `left` and `right` are lists, which must stay until the group is done; `match`
  /// false: their keys hold nulls, so nothing matches. `time`: of all rows of the output.
  Status begin(std::string_view left, std::string_view right, bool match, EventTime time);
  /// Joins on, until the group is done (true) or the output has no credit (false). Rows are held
  /// back until there are enough for a batch.
  Result<bool> run(Output& out);
  /// Emits the rows that are held back, at the end.
  Status flush(Output& out);

  /// Whether left (right) rows that match nothing are part of the result.
  static bool keeps_left(JoinKind kind);
  static bool keeps_right(JoinKind kind);

 private:
  enum class Step : std::uint8_t { kPairs, kLeftRows, kRightRows, kDone };

  bool is_left_only() const { return kind_ == JoinKind::kSemi || kind_ == JoinKind::kAnti; }
  Result<bool> run_pairs(Output& out);
  Result<bool> run_left_rows(Output& out);
  Result<bool> run_right_rows(Output& out);
  Result<bool> make_room(Output& out);
  Status evaluate_pairs(Output& out);
  bool emits_left(std::size_t row) const;

  const JoinKind kind_;
  const JoinCondition condition_;

  // The group and how far it has come.
  std::vector<std::string_view> left_;
  std::vector<std::string_view> right_;
  std::vector<bool> left_matched_;
  std::vector<bool> right_matched_;
  EventTime time_ = 0;
  Step step_ = Step::kDone;
  std::size_t i_ = 0;
  std::size_t j_ = 0;

  JoinedRows result_;
  JoinedRows pairs_;  // where there is a condition: not known to be part of the result yet
  std::vector<std::pair<std::uint32_t, std::uint32_t>> candidates_;  // of pairs_: left, right row
};

}  // namespace tidegate
