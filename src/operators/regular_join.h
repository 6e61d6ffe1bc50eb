// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataflow/operator.h"
#include "operators/join.h"
#include "operators/null_aware.h"

namespace tidegate {

/// One input of a regular join. Times and late rows mean nothing to it.
struct RegularJoinInput : JoinInput {
  /// The planner knows that it holds only +I; another row is kInvalidPlan.
  bool insert_only = false;
  /// Columns that tell the rows of this side apart, as long as its changes come in order; {} when
  /// rows may be equal, or nothing is known. Where given and the side is not insert_only, a row to
  /// take back that is not there as a whole is the one with its key and unique key (columns that
  /// are not deterministic).
  std::vector<int> unique_key = {};
  /// A row replaces the one with its key and unique key, which no -U need have taken back; the join
  /// then does so itself. Only for changes in order; the row's key must not change without a -U.
  bool upserts = false;
  /// A row is forgotten this long (in processing time) after it came or, on an outer side, after a
  /// match of it came or went; without a word, as in Flink. 0: never.
  std::int64_t ttl_ms = 0;
};

/// Joins the rows of two changelogs that have equal keys and for which the condition holds, for as
/// long as both are there. Null in a key matches nothing, but in null-safe columns.
///
/// Output rows have the columns of the left and then of the right (semi, anti: of the left), and
/// no event times. Their kinds, as Flink gives them:
///   inner         that of the row that came in
///   outer         +I for new results, -D for those of an outer side's row that go; -U, -D as they
///                 came in where the other side is the outer one
///   null-padded   +I when the last match has gone, -D when the first has come
///   semi, anti    that of the row that came in; anti: +I and -D for what a right row changes
/// Equal rows count as often as they came. Rows come out in the order of what caused them, the
/// matches of a row in their order of arrival. A row to take back that is not there is counted as
/// rows_not_found; its results are taken back all the same, as in Flink (it may be forgotten).
///
/// No key columns: every row is compared with all of the other side, in one task.
struct RegularJoinOptions {
  RegularJoinInput left = {};
  RegularJoinInput right = {};
  JoinKind kind = JoinKind::kInner;
  JoinCondition condition = {};  ///< null: none
  /// Per key column: true where null equals null (IS NOT DISTINCT FROM); {}: nowhere.
  std::vector<bool> null_safe_keys = {};
  /// Anti joins only: the columns that NOT IN compares. Rows are distributed by `keys` (what
  /// correlates the subquery, often nothing), which do not hold these columns. Each row is compared
  /// with all of the other side that have its key.
  std::vector<NullAwarePair> null_aware = {};
};

Result<std::unique_ptr<Operator>> make_regular_join(RegularJoinOptions options);

}  // namespace tidegate
