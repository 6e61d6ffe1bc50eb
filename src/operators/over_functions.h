// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "operators/accumulator_layout.h"
#include "operators/over_aggregate.h"
#include "types/batch.h"
#include "types/column.h"

namespace tidegate {

/// The numbers of a row in its partition.
struct OverNumbers {
  std::int64_t row_number = 0;
  std::int64_t rank = 0;
  std::int64_t dense_rank = 0;

  /// Those of the next row; `is_peer`: it is equal in the order.
  void next(bool is_peer) {
    ++row_number;
    if (is_peer) return;
    rank = row_number;
    ++dense_rank;
  }
};
static_assert(sizeof(OverNumbers) == 24);

/// The functions of an OVER window: the accumulators of those that aggregate, and the columns of
/// all.
class OverFunctions {
 public:
  /// `head_bytes` of each value are the operator's own.
  OverFunctions(std::vector<OverFunction> functions, std::int32_t head_bytes);

  const std::shared_ptr<const AccumulatorLayout>& layout() const { return layout_; }
  /// kLag functions, in order.
  const std::vector<OverFunction>& lags() const { return lags_; }
  bool has_numbers() const { return has_numbers_; }

  /// The columns behind those of the input, in the order of the functions: one entry per row in
  /// values[] and numbers[] (needed only if has_numbers()); `others` are the columns of functions
  /// that neither aggregate nor number, in order.
  Result<std::vector<ArrayPtr>> columns(std::span<const std::byte* const> values,
                                        std::span<const OverNumbers> numbers,
                                        std::span<const ArrayPtr> others) const;

 private:
  std::vector<OverFunction> functions_;
  std::vector<OverFunction> lags_;
  std::shared_ptr<const AccumulatorLayout> layout_;
  bool has_numbers_ = false;
};

/// The columns that one function takes.
std::vector<LogicalType> over_result_types(const OverFunction& function,
                                           const std::vector<LogicalType>& types);

/// Entry i is `argument` at rows[i], or where that is negative the default column's at own[i] (null
/// where there is no such column).
Result<ArrayPtr> lag_column(const OverFunction& function, const Batch& batch,
                            std::span<const std::int32_t> rows, std::span<const std::int32_t> own);

// The operators behind make_over_aggregate(), which has checked the options.

/// By event time and in the order of arrival.
Result<std::unique_ptr<Operator>> make_time_over(OverAggregateOptions options);
/// By any columns.
Result<std::unique_ptr<Operator>> make_column_over(OverAggregateOptions options,
                                                   SortKeys sort_keys);
/// By any columns, when all rows are there.
Result<std::unique_ptr<Operator>> make_over_at_end(OverAggregateOptions options,
                                                   SortKeys sort_keys);

}  // namespace tidegate
