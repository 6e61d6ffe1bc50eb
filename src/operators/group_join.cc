// SPDX-License-Identifier: Apache-2.0
#include "operators/group_join.h"

#include "base/check.h"
#include "state/binary_codec.h"

namespace tidegate {

void append_to_list(std::string& list, std::string_view row) { write_bytes(list, row); }

Result<std::vector<std::string_view>> rows_of_list(std::string_view list) {
  std::vector<std::string_view> rows;
  while (!list.empty()) {
    if (!read_bytes(list, rows.emplace_back())) {
      return error(ErrorCode::kStateCorrupt, "the stored rows of a join are cut short");
    }
  }
  return rows;
}

GroupJoin::GroupJoin(const std::vector<LogicalType>& left, const std::vector<LogicalType>& right,
                     JoinKind kind, JoinCondition condition)
    : kind_(kind),
      condition_(std::move(condition)),
      result_(left, is_left_only() ? std::vector<LogicalType>() : right),
      pairs_(left, right) {}

bool GroupJoin::keeps_left(JoinKind kind) {
  return kind == JoinKind::kLeft || kind == JoinKind::kFull || kind == JoinKind::kAnti;
}
bool GroupJoin::keeps_right(JoinKind kind) {
  return kind == JoinKind::kRight || kind == JoinKind::kFull;
}

Status GroupJoin::begin(std::string_view left, std::string_view right, bool match, EventTime time) {
  TG_ASSIGN_OR_RETURN(left_, rows_of_list(left));
  TG_ASSIGN_OR_RETURN(right_, rows_of_list(right));
  // Without a condition all pairs match, so that is known before they are made.
  const bool all = match && !condition_;
  left_matched_.assign(left_.size(), all && !right_.empty());
  right_matched_.assign(right_.size(), all && !left_.empty());
  time_ = time;
  const bool has_pairs = match && (condition_ || !is_left_only());
  step_ = has_pairs ? Step::kPairs : Step::kLeftRows;
  i_ = j_ = 0;
  return Status::ok();
}

Result<bool> GroupJoin::run(Output& out) {
  while (step_ != Step::kDone) {
    Result<bool> done = step_ == Step::kPairs      ? run_pairs(out)
                        : step_ == Step::kLeftRows ? run_left_rows(out)
                                                   : run_right_rows(out);
    if (!done.is_ok() || !*done) return done;
    step_ = static_cast<Step>(static_cast<int>(step_) + 1);
    i_ = j_ = 0;
  }
  return true;
}

Result<bool> GroupJoin::run_pairs(Output& out) {
  JoinedRows& pairs = condition_ ? pairs_ : result_;
  for (; i_ < left_.size(); ++i_, j_ = 0) {
    for (; j_ < right_.size(); ++j_) {
      TG_ASSIGN_OR_RETURN(const bool room, make_room(out));
      if (!room) return false;
      TG_RETURN_IF_ERROR(pairs.add(left_[i_], right_[j_], time_));
      if (condition_) {
        candidates_.emplace_back(static_cast<std::uint32_t>(i_), static_cast<std::uint32_t>(j_));
      }
    }
  }
  // What is left over of this group is known only now.
  if (kind_ != JoinKind::kInner) TG_RETURN_IF_ERROR(evaluate_pairs(out));
  return true;
}

bool GroupJoin::emits_left(std::size_t row) const {
  if (kind_ == JoinKind::kSemi) return left_matched_[row];
  return keeps_left(kind_) && !left_matched_[row];
}

Result<bool> GroupJoin::run_left_rows(Output& out) {
  for (; i_ < left_.size(); ++i_) {
    if (!emits_left(i_)) continue;
    TG_ASSIGN_OR_RETURN(const bool room, make_room(out));
    if (!room) return false;
    const auto no_columns = std::optional<std::string_view>("");
    TG_RETURN_IF_ERROR(result_.add(left_[i_], is_left_only() ? no_columns : std::nullopt, time_));
  }
  return true;
}

Result<bool> GroupJoin::run_right_rows(Output& out) {
  for (; keeps_right(kind_) && i_ < right_.size(); ++i_) {
    if (right_matched_[i_]) continue;
    TG_ASSIGN_OR_RETURN(const bool room, make_room(out));
    if (!room) return false;
    TG_RETURN_IF_ERROR(result_.add(std::nullopt, right_[i_], time_));
  }
  return true;
}

/// Makes room for one more row; false when that has to wait for credit.
Result<bool> GroupJoin::make_room(Output& out) {
  if (!result_.full() && !pairs_.full()) return true;
  if (!out.has_credit()) return false;
  TG_RETURN_IF_ERROR(flush(out));
  return true;
}

Status GroupJoin::flush(Output& out) {
  TG_RETURN_IF_ERROR(evaluate_pairs(out));
  if (result_.num_rows() == 0) return Status::ok();
  TG_ASSIGN_OR_RETURN(Batch batch, result_.take());
  out.emit(std::move(batch));
  return Status::ok();
}

/// Asks the condition about the pairs so far; those for which it holds come behind what is in
/// result_.
Status GroupJoin::evaluate_pairs(Output& out) {
  if (pairs_.num_rows() == 0) return Status::ok();
  TG_ASSIGN_OR_RETURN(Batch pairs, pairs_.take());
  std::vector<std::int32_t> holds;
  TG_RETURN_IF_ERROR(condition_(pairs, holds));
  const auto candidates = std::exchange(candidates_, {});
  // Pairs of an inner join may be of earlier groups, and nobody asks what they leave over.
  if (kind_ != JoinKind::kInner) {
    for (const std::int32_t pair : holds) {
      const auto [left, right] = candidates[static_cast<std::size_t>(pair)];
      left_matched_[left] = true;
      right_matched_[right] = true;
    }
  }
  if (is_left_only() || holds.empty()) return Status::ok();
  if (result_.num_rows() > 0) {
    TG_ASSIGN_OR_RETURN(Batch before, result_.take());
    out.emit(std::move(before));
  }
  TG_ASSIGN_OR_RETURN(pairs, pairs.take(holds));
  out.emit(std::move(pairs));
  return Status::ok();
}

}  // namespace tidegate
