// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"
#include "operators/bound_aggregate.h"
#include "operators/sort_order.h"

namespace tidegate {

/// One function of an OVER window.
struct OverFunction {
  enum class Kind : std::uint8_t {
    kAggregate,    ///< `aggregate` over the frame (also FIRST_VALUE, LAST_VALUE)
    kRowNumber,    ///< BIGINT, whatever the frame
    kRank,         ///< BIGINT, whatever the frame
    kDenseRank,    ///< BIGINT, whatever the frame
    kLag,          ///< `argument` of the row `offset` rows before, whatever the frame
    kLead,         ///< `argument` of the row `offset` rows behind; kAtEnd only
    kNtile,        ///< number of the bucket (BIGINT) of `offset` buckets; kAtEnd only
    kCumeDist,     ///< DOUBLE; kAtEnd only
    kPercentRank,  ///< DOUBLE; kAtEnd only
  };
  Kind kind = Kind::kAggregate;
  BoundAggregate aggregate = {};  ///< kAggregate
  int argument = -1;              ///< kLag, kLead: column
  std::int64_t offset = 1;        ///< kLag, kLead: rows; kNtile: buckets
  /// kLag, kLead: column with the default, of the argument's type, taken from the row itself; -1:
  /// null.
  int default_column = -1;
};

/// From where the frame of a row goes up to the row itself (ROWS) or to its last peer (RANGE).
struct OverFrame {
  enum class Unit : std::uint8_t { kRows, kRange };
  Unit unit = Unit::kRange;
  /// Rows, or milliseconds of time for kRange; nullopt: UNBOUNDED PRECEDING.
  std::optional<std::int64_t> preceding = {};
  /// kAtEnd only: up to rows, or milliseconds, behind the row instead of the row itself; nullopt:
  /// UNBOUNDED FOLLOWING. Either may be negative there: 2 FOLLOWING is -2 PRECEDING.
  std::optional<std::int64_t> following = 0;
};

enum class OverOrder : std::uint8_t {
  /// By event time (Flink's ORDER BY rowtime). Insert-only. Rows come out in the order of time once
  /// the watermark has passed them; those of one time by key, and of a key in the order of arrival,
  /// which also is their order for ROWS, ROW_NUMBER and LAG. As in Flink a row is late where it is
  /// behind the watermark, or with a bounded frame where a row of its key with the same or a later
  /// time has come out: counted as rows_late, sent to `late_output` if there is one, and left out.
  /// Without event time it is counted as rows_null_time and left out.
  kEventTime,
  /// In the order of arrival (Flink's ORDER BY proctime). Insert-only. Rows come out at once; where
  /// the frame is kRange with a bound, in the next millisecond, those of one millisecond together.
  kArrival,
  /// By any columns (`order`), unbounded frames only, as a changelog: rows behind a change are told
  /// anew with -U and +U where their results change. Input may take rows back (`retracts`).
  kColumns,
  /// By any columns, at the end of a bounded input, all frames and functions: rows of a key in
  /// order, keys in the order of their bytes. Insert-only output; the input may take rows back.
  /// kRange with a bound needs one sort column, a timestamp; a null is near other nulls only.
  kAtEnd,
};

/// OVER windows: every row of the input with results over its frame behind its columns. One frame
/// per operator; for more than one frame put operators one behind the other.
///
/// A retraction of a row that is not there is left out and counted as rows_not_found.
struct OverAggregateOptions {
  std::vector<LogicalType> types = {};  ///< of all columns
  std::vector<int> keys = {};           ///< PARTITION BY; none: one partition, the task runs alone
  OverOrder over = OverOrder::kEventTime;
  int time_column =
      -1;  ///< kEventTime: a timestamp or BIGINT (ms) column, or -1 for attached times
  std::vector<SortColumn> order = {};  ///< kColumns, kAtEnd
  OverFrame frame = {};
  std::vector<OverFunction> functions = {};
  bool retracts = false;                      ///< kColumns, kAtEnd: the input may hold -U and -D
  Changelog changelog = Changelog::kRetract;  ///< kColumns; kUpsert leaves out -U
  int late_output = -1;                       ///< kEventTime
  /// A key's state goes when no row of it has come out for this long in processing time (rows that
  /// wait for the watermark stay); 0: never.
  std::int64_t ttl_ms = 0;
};

/// The types of the columns behind those of the input.
std::vector<LogicalType> over_result_types(const OverAggregateOptions& options);

/// kInvalidArgument when options do not fit each other, kNotSupported for what a streaming order
/// cannot compute (with the function's name).
Result<std::unique_ptr<Operator>> make_over_aggregate(OverAggregateOptions options);

/// To the millisecond by event time, else not at all.
TimeGrain over_aggregate_time_grain(const OverAggregateOptions& options);

}  // namespace tidegate
