// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "expr/compiled_expr.h"
#include "operators/row_codec.h"
#include "tidegate/row_kind.h"
#include "tidegate/status.h"
#include "tidegate/time.h"
#include "types/batch.h"
#include "types/logical_type.h"

namespace tidegate {

// What joins of two streams share. Output rows have the columns of the left row and then those of
// the right row; a side that has no row is all nulls. Keys with a null in them match nothing. But
// for regular and temporal joins, inputs are insert-only.

enum class JoinKind : std::uint8_t {
  kInner,
  kLeft,   ///< and left rows that match nothing
  kRight,  ///< and right rows that match nothing
  kFull,   ///< both
  kSemi,   ///< left rows that match something, once; columns of the left only
  kAnti,   ///< left rows that match nothing; columns of the left only
};

/// What must hold beyond keys and times: appends the rows of `joined` for which it does, rising.
/// Null is not true. Columns are those of the left and then of the right, whatever the kind of the
/// join.
using JoinCondition = std::function<Status(const Batch& joined, std::vector<std::int32_t>& rows)>;

/// A compiled condition as such; `context` is what its functions may ask for.
JoinCondition join_condition(std::shared_ptr<const CompiledFilter> filter, EvalContext context);

/// One input of a join.
struct JoinInput {
  std::vector<LogicalType> types = {};  ///< of all its columns
  std::vector<int> keys = {};  ///< key columns; equally many, of the same types, on both sides
  int time_column = -1;        ///< a timestamp or BIGINT (ms) column, or -1 for attached times
  int late_output = -1;        ///< side output for late rows; -1: they are only counted
};

/// The types of its key columns.
std::vector<LogicalType> join_key_types(const JoinInput& input);

/// Collects joined rows, each side in the bytes of row_codec.h, into batches.
class JoinedRows {
 public:
  JoinedRows(const std::vector<LogicalType>& left, const std::vector<LogicalType>& right);

  /// nullopt: that side is all nulls.
  Status add(std::optional<std::string_view> left, std::optional<std::string_view> right,
             EventTime time, RowKind kind = RowKind::kInsert);
  std::int64_t num_rows() const { return static_cast<std::int64_t>(times_.size()); }
  /// Enough for a batch.
  bool full() const;
  /// The rows since the last take, with their event times attached.
  Result<Batch> take();

 private:
  RowDecoder left_;
  RowDecoder right_;
  std::vector<EventTime> times_;
  std::vector<RowKind> kinds_;
  bool insert_only_ = true;
};

/// kInvalidPlan when a join's input takes rows back.
Status check_insert_only(const Batch& batch);
/// kInvalidArgument when keys do not fit.
Status check_join_inputs(const JoinInput& left, const JoinInput& right);

/// a + b, or the limit that it passes.
constexpr EventTime add_saturating(EventTime a, std::int64_t b) {
  EventTime sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b > 0 ? kMaxWatermark : kMinWatermark;
}

}  // namespace tidegate
