// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "expr/aggregate.h"

namespace tidegate {

/// AGG(DISTINCT a, b, ...): passes only the first row of each set of argument values on to
/// `aggregator`, and takes it back with the last one. Keeps every distinct value with its count.
/// `arguments` are the types that the aggregator was bound to. Can retract and merge when
/// `aggregator` can; cannot subtract.
std::unique_ptr<Aggregator> make_distinct(std::unique_ptr<Aggregator> aggregator,
                                          std::span<const LogicalType> arguments);

/// AGG(DISTINCT ...) taken apart, for those who want a result after each row: the set of values,
/// then the aggregator behind it, whose accumulator stands inside the whole one.
class DistinctParts {
 public:
  /// Null for aggregators that make_distinct() has not made.
  static const DistinctParts* of(const Aggregator& aggregator);

  virtual const Aggregator& inner() const = 0;
  virtual std::int32_t inner_offset() const = 0;
  /// Counts row i in the set of accumulators[i], by by[i] (+1 or -1), one row after another.
  /// steps[i] is what the inner aggregator has to do with the row: +1 add it, -1 take it back, 0
  /// nothing.
  virtual Status count(std::span<std::byte* const> accumulators,
                       std::span<const std::shared_ptr<arrow::Array>> arguments,
                       std::span<const std::int8_t> by, std::span<std::int8_t> steps) const = 0;

 protected:
  ~DistinctParts() = default;
};

}  // namespace tidegate
