// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"
#include "operators/bound_aggregate.h"
#include "operators/sort_order.h"

namespace tidegate {

/// Top-N of a stream: the rows whose ROW_NUMBER() OVER (PARTITION BY keys ORDER BY order) is from
/// `rank_start` to `rank_end`, both included, as a changelog. Ties are in the order of arrival.
/// Columns are those of the input, and behind them the number as BIGINT if asked for.
///
/// What is emitted is what Flink's functions emit:
///   with the number, or from a rank > 1: +I where a number is taken for the first time, -U and +U
///     of every number whose row changes, -D of the last number when a row goes
///   without, insert-only input, rank_end = 1: +I, then -U and +U
///   without, else: -D of the row that leaves, then +I of the one that enters; also with the number
///     for input that retracts and rank_end = 1, where the number is a constant
/// kUpsert leaves out -U. kAppend is possible only for insert-only input in the order of arrival
/// (no `order`), where rows never change.
///
/// Insert-only input keeps rank_end rows per key in state, input with retractions all of them. A
/// retraction of a row that is not there is left out and counted as rows_not_found.
struct RankOptions {
  std::vector<LogicalType> types = {};  ///< of all columns
  std::vector<int> keys = {};           ///< PARTITION BY; none: one partition, the task runs alone
  std::vector<SortColumn> order = {};   ///< none: in the order of arrival
  std::int64_t rank_start = 1;
  std::int64_t rank_end = 1;
  bool emit_rank_number = false;
  bool retracts = false;  ///< the input may hold -U and -D
  /// Set where rows that have been told are only updated, each by the next row with equal columns
  /// here, and never so that they fall behind in `order` (COUNT(*) DESC over rows that stay): then
  /// only the top rows are kept, -U is not looked at, and an update is told as -U and +U. A -D is
  /// kInvalidPlan. The columns include `keys`, unless all rows of the task are one partition.
  std::vector<int> upsert_keys = {};
  Changelog changelog = Changelog::kRetract;
  /// A key is forgotten when nothing has been stored for it for this long in processing time; 0:
  /// never.
  std::int64_t ttl_ms = 0;
};

/// kInvalidArgument for ranks that make no sense and for kAppend where rows change.
Result<std::unique_ptr<Operator>> make_rank(RankOptions options);

/// Time does not matter to it.
inline constexpr TimeGrain kRankTimeGrain{0, 0};

}  // namespace tidegate
