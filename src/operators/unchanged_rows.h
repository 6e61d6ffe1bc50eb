// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "types/batch.h"

namespace tidegate {

/// Compares entries of one column with each other; the column must stay.
class EntryComparison {
 public:
  explicit EntryComparison(const arrow::Array& column);
  bool equal(std::int64_t a, std::int64_t b) const;

 private:
  const arrow::Array& column_;
  std::size_t width_ = 0;  // of plain values, else 0
  const std::uint8_t* bytes_ = nullptr;
};

/// Of rows with -U directly in front of its +U: the same without pairs whose columns from
/// `first_column` on are equal (if `drop_equal`), and without other -U (if `drop_before`).
Result<Batch> drop_unchanged(const Batch& batch, int first_column, bool drop_equal,
                             bool drop_before);

}  // namespace tidegate
