// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "operators/accumulator_layout.h"
#include "types/batch.h"

namespace tidegate {

/// Adds the rows of batches to accumulators, all rows of an aggregate in one call. -U and -D take
/// back. Keeps scratch memory from batch to batch.
class AccumulatorUpdate {
 public:
  explicit AccumulatorUpdate(const AccumulatorLayout* layout) : layout_(layout) {}

  /// Row i goes to values[i], which are not null; row counts change with them.
  Status update(const Batch& batch, std::span<std::byte* const> values);

 private:
  void count_rows(const Batch& batch, std::span<std::byte* const> values) const;
  Status update_one(std::size_t i, const Batch& batch, std::span<std::byte* const> values);
  Status change(std::size_t i, const Batch& batch, std::vector<ArrayPtr> arguments);
  Status change_in_any_order(std::size_t i, const Batch& batch,
                             const std::vector<ArrayPtr>& arguments);
  Status change_in_runs(std::size_t i, const Batch& batch, const std::vector<ArrayPtr>& arguments);
  bool adds(const Batch& batch, std::size_t i) const;

  const AccumulatorLayout* layout_;
  std::vector<std::byte*> accumulators_;  // of one aggregate, for the rows that its filter passes
  std::vector<std::int32_t> rows_;        // which these are; empty: all
};

/// The rows of a batch at `rows`, with those columns that the aggregates read; others are null.
Result<Batch> take_for_aggregates(const Batch& batch, std::span<const std::int32_t> rows,
                                  std::span<const BoundAggregate> aggregates);

/// True where the filter column of an aggregate lets a row through.
bool passes_filter(const Batch& batch, const BoundAggregate& aggregate, std::int64_t row);

/// A number of accumulators outside of tables, freed together.
class AccumulatorCopies {
 public:
  explicit AccumulatorCopies(const AccumulatorLayout* layout) : layout_(layout) {}
  AccumulatorCopies(const AccumulatorCopies&) = delete;
  AccumulatorCopies& operator=(const AccumulatorCopies&) = delete;
  ~AccumulatorCopies() { clear(); }

  std::size_t size() const { return size_; }
  std::byte* operator[](std::size_t i) const;
  /// A new empty one at the end.
  std::byte* add_empty();
  /// A copy of `value` at the end.
  Status add_copy(const std::byte* value);
  void clear();

 private:
  static constexpr std::size_t kPerBlock = 1024;
  std::byte* raw(std::size_t i);

  const AccumulatorLayout* layout_;
  std::size_t size_ = 0;
  std::vector<std::unique_ptr<std::byte[]>> blocks_;
};

/// Adds rows one at a time, for results that are wanted after each row: first every row of a batch
/// goes into an accumulator of its own, all at once, then these are merged where the caller says.
class RowByRowUpdate {
 public:
  explicit RowByRowUpdate(const AccumulatorLayout* layout);

  Status begin(const Batch& batch);
  /// Adds (or takes back) row `row` of the batch; rows may be used any number of times.
  Status apply(std::int64_t row, std::byte* value);

 private:
  Status apply_alone(std::size_t i, std::int64_t row, std::byte* value);

  const AccumulatorLayout* layout_;
  AccumulatorUpdate update_;
  AccumulatorCopies rows_;  // one per row of the batch
  Batch batch_;
  bool merges_ = false;  // rows_ are there and can be merged, or subtracted for -U and -D
};

}  // namespace tidegate
