// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "operators/bound_aggregate.h"
#include "state/value_layout.h"
#include "types/column.h"

namespace tidegate {

/// The accumulators of all aggregates of an operator as one value of a state row:
///
///   [head][row count 8, if asked for][accumulator, padded to 8]*
///
/// The head belongs to the operator (zeroed when made, stored as its bytes). The row count is kept
/// by whoever adds rows: retractions and sliding windows need to know when nothing is left.
class AccumulatorLayout final : public ValueLayout {
 public:
  AccumulatorLayout(std::vector<BoundAggregate> aggregates, bool counts_rows,
                    std::int32_t head_bytes = 0);

  const std::vector<BoundAggregate>& aggregates() const { return aggregates_; }
  const Aggregator& aggregator(std::size_t i) const { return *aggregates_[i].aggregator; }
  std::int32_t offset(std::size_t i) const { return offsets_[i]; }
  bool counts_rows() const { return counts_rows_; }
  std::int64_t& row_count(std::byte* value) const {
    return *reinterpret_cast<std::int64_t*>(value + head_bytes_);
  }
  std::int64_t row_count(const std::byte* value) const {
    return *reinterpret_cast<const std::int64_t*>(value + head_bytes_);
  }
  /// True when there is something to tell of: always, unless rows are counted.
  bool has_rows(const std::byte* value) const { return !counts_rows_ || row_count(value) > 0; }

  bool can_merge() const;
  bool can_subtract() const;
  bool can_retract() const;
  bool is_order_dependent() const;

  /// Adds accumulators and row counts; heads stay.
  Status merge(std::byte* into, const std::byte* from) const;
  void subtract(std::byte* from, const std::byte* what) const;
  /// Makes `to`, which is raw memory, equal to `from`.
  Status copy(const std::byte* from, std::byte* to) const;
  /// Makes and unmakes a value outside of a table.
  void create_in(std::byte* memory) const;

  /// Appends the columns of results, one entry per value.
  Status results(std::span<const std::byte* const> values, std::vector<ArrayPtr>& columns) const;

  /// Of the parts that are not aggregates; those are the columns.
  std::string fingerprint() const override;
  std::vector<StateColumn> columns(const StateContext& context) const override;
  /// Aggregates are found by their texts: new ones begin empty, types may be wider.
  Result<ValueMigration> migration(const StateSchema& old, const StateSchema& now,
                                   bool may_drop) const override;
  std::int32_t size_bytes() const override { return size_bytes_; }
  void create(std::byte* value) const override;
  bool needs_create() const override { return needs_create_; }
  void destroy(std::byte* value) const override;
  bool needs_destroy() const override { return needs_destroy_; }
  void serialize(const std::byte* value, std::string& out) const override;
  Status deserialize(std::string_view& in, std::byte* value) const override;

 private:
  class AccumulatorMemory;
  // An accumulator in state of an older program.
  struct OldAccumulator {
    std::optional<std::size_t> index;              // of the one that it becomes; none: it goes
    std::shared_ptr<const Aggregator> aggregator;  // that made it; null: the same as now
    BoundAggregate::Widening widening = BoundAggregate::Widening::kNone;
  };
  Status plan_accumulator(const StateColumn& was, const std::vector<StateColumn>& now,
                          OldAccumulator& plan) const;
  Status migrate(const std::vector<OldAccumulator>& accumulators, std::string_view value,
                 std::string& out) const;

  template <typename Predicate>
  bool all(const Predicate& predicate) const;
  std::size_t accumulators_begin() const {
    return static_cast<std::size_t>(head_bytes_) + (counts_rows_ ? 8 : 0);
  }

  std::vector<BoundAggregate> aggregates_;
  std::vector<std::int32_t> offsets_;
  bool counts_rows_;
  std::int32_t head_bytes_;
  std::int32_t size_bytes_;
  bool needs_create_ = false;
  bool needs_destroy_ = false;
};

/// Of a binding: "SUM(INT)" is over INT.
Result<std::vector<LogicalType>> argument_types(std::string_view binding);

}  // namespace tidegate
