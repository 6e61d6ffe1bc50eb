// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "expr/expr.h"
#include "plan/node.h"

namespace tidegate::plan {

enum class JoinType : std::uint8_t { kInner, kLeft, kRight, kFull, kSemi, kAnti };
std::string_view join_type_name(JoinType type);

/// Rows of both inputs for which the condition holds. Output: the columns of the left, then (but
/// for semi and anti joins) those of the right.
class JoinNode final : public Node {
 public:
  JoinNode(Input left, Input right, JoinType type, ExprPtr condition);
  std::string_view kind() const override { return "Join"; }
  std::string details() const override;

  JoinType type;
  /// Over the left columns and then the right ones, whatever the type. Null: always true.
  ExprPtr condition;
  /// Anti joins made of NOT IN: index of the conjunct (an equality) for which a null on either side
  /// means that it is unknown whether there is a match; -1: none.
  int null_aware = -1;
  /// STATE_TTL hints; 0: the job's setting.
  std::int64_t left_ttl_ms = 0;
  std::int64_t right_ttl_ms = 0;
};

/// Each left row with the version of the right table that was valid at a time of the left row
/// (FOR SYSTEM_TIME AS OF).
class TemporalJoinNode final : public Node {
 public:
  TemporalJoinNode(Input left, Input right, bool outer, int time_column, ExprPtr condition);
  std::string_view kind() const override { return "TemporalJoin"; }
  std::string details() const override;

  bool outer;         ///< left rows without a version stay
  int time_column;    ///< of the left: a row-time column; -1: processing time
  ExprPtr condition;  ///< over left and then right columns; holds equalities with the right's key
};

}  // namespace tidegate::plan
