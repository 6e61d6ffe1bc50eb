// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "expr/function_registry.h"
#include "tidegate/status.h"
#include "types/column.h"

namespace tidegate {

/// A BOOLEAN column as two sets of rows, those where it is true and those where it is false (in
/// neither: NULL). SQL's three-valued AND, OR and NOT are plain set operations on these.
class BooleanBits {
 public:
  /// All rows false, or all true.
  BooleanBits(std::int64_t num_rows, bool value);
  static BooleanBits of(const Argument& argument, std::int64_t num_rows);

  std::int64_t num_rows() const { return num_rows_; }
  void and_with(const BooleanBits& other);
  void or_with(const BooleanBits& other);
  void negate() { true_.swap(false_); }
  /// Row i of `other` is combined into row rows[i] of this one.
  void and_with(const BooleanBits& other, const std::vector<std::int32_t>& rows);
  void or_with(const BooleanBits& other, const std::vector<std::int32_t>& rows);

  Result<ArrayPtr> to_array() const;
  /// The rows that are true, or false, as a column without nulls.
  Result<ArrayPtr> is_true() const;
  Result<ArrayPtr> is_false() const;
  /// The rows that are true, in order; replaces what is in `rows`.
  void rows_true(std::vector<std::int32_t>& rows) const;
  void rows_not_true(std::vector<std::int32_t>& rows) const;
  void rows_not_false(std::vector<std::int32_t>& rows) const;

 private:
  /// Rows whose bit is `wanted`.
  void append_rows(const std::vector<std::uint64_t>& bits, bool wanted,
                   std::vector<std::int32_t>& rows) const;

  std::int64_t num_rows_;
  std::vector<std::uint64_t> true_;  // bits behind num_rows_ are 0 in both
  std::vector<std::uint64_t> false_;
};

}  // namespace tidegate
