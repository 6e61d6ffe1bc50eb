// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "operators/accumulator_update.h"
#include "types/batch.h"

namespace tidegate {

class DistinctParts;  // expr/distinct_aggregate.h

/// Adds (or takes back) the rows of a batch one after another, where the result after each row is
/// wanted. What can be done for all rows at once is done at begin(): sets of DISTINCT, and an
/// accumulator for each row that only has to be merged. Row counts are the caller's affair.
class StepwiseUpdate {
 public:
  explicit StepwiseUpdate(const AccumulatorLayout* layout);
  StepwiseUpdate(const StepwiseUpdate&) = delete;
  StepwiseUpdate& operator=(const StepwiseUpdate&) = delete;
  ~StepwiseUpdate() { forget_rows(); }

  /// values[i] is the accumulator value that row i goes to; rows are applied in order, each once.
  Status begin(const Batch& batch, std::span<std::byte* const> values);
  Status apply(std::int64_t row, std::byte* value);
  /// Makes a value empty that has no rows left: nothing of rounding stays. Sets stay, which may
  /// hold what later rows of the batch add.
  void reset(std::byte* value) const;

 private:
  enum class Way : std::uint8_t { kMerge, kDistinct, kAlone };
  struct Step {
    Way way = Way::kAlone;
    const Aggregator* aggregator = nullptr;  // that is merged
    std::int32_t offset = 0;                 // of its accumulator in a value
    std::size_t row_offset = 0;              // of its accumulator in that of a row
    std::vector<std::int8_t> steps;          // per row: +1 merge, -1 subtract, 0 nothing
  };

  Step plan(std::size_t i, const Batch& batch) const;
  Status prepare(std::size_t i, const Batch& batch, std::span<std::byte* const> values);
  Status apply_alone(std::size_t i, std::int64_t row, std::byte* value);
  void forget_rows();

  const AccumulatorLayout* layout_;
  std::vector<const DistinctParts*> distinct_;  // per aggregate, or null
  Batch batch_;
  std::vector<Step> steps_;
  std::size_t row_bytes_ = 0;
  std::vector<std::uint64_t> rows_;  // accumulators of single rows, row_bytes_ each
  std::vector<std::pair<const Aggregator*, std::byte*>> owners_;  // of rows_, to be destroyed
};

/// Results of values as they were at certain times.
class KeptResults {
 public:
  explicit KeptResults(const AccumulatorLayout* layout);
  KeptResults(const KeptResults&) = delete;
  KeptResults& operator=(const KeptResults&) = delete;
  ~KeptResults() { clear(); }

  void clear();
  std::int32_t size() const { return static_cast<std::int32_t>(size_); }
  /// Remembers the result of a value as it is now.
  Status keep(const std::byte* value);
  /// The columns of all results that were kept, in order.
  Status columns(std::vector<ArrayPtr>& columns) const;

 private:
  enum class Way : std::uint8_t { kBytes, kCopy, kResult };
  /// How the results of an aggregate are kept.
  struct Kept {
    Way way = Way::kResult;
    std::size_t words = 0;              // of an accumulator
    std::vector<std::uint64_t> copies;  // kCopy: accumulators that own what they hold
    std::vector<ArrayPtr> results;      // kResult: one array each
  };

  Status keep_copy(std::size_t i, const std::byte* accumulator);

  const AccumulatorLayout* layout_;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;                 // of one snapshot
  std::vector<std::uint64_t> snapshots_;  // values as plain bytes, enough for kBytes
  std::vector<Kept> kept_;                // per aggregate
};

}  // namespace tidegate
