// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/options.h"
#include "base/random.h"
#include "formats/column_builder.h"
#include "tidegate/status.h"
#include "types/logical_type.h"

namespace tidegate {

/// Makes up the values of one column from the options "fields.<path>.*"; a tree beside the tree of
/// the column's type. The same seed makes the same values, in blocks that do not depend on each
/// other.
class ValueGenerator {
 public:
  /// Rows of a block: the unit in which values are made, so that any row can be made again.
  static constexpr std::int64_t kBlockRows = 1024;

  /// `path` names the column: "a"; "a.b" a field of a ROW; "a.element", "a.key" and "a.value" parts
  /// of collections.
  static Result<ValueGenerator> make(const LogicalType& type, const std::string& path,
                                     const Options& options);

  /// Appends rows [0, count) of block `block`. `now_ms` is what times of the type are made from.
  void append_block(ColumnBuilder& column, std::int64_t block, std::int64_t count,
                    std::int64_t now_ms) const;
  /// Number of rows after which a sequence in it has ended.
  std::int64_t num_rows() const;

 private:
  Status configure(const std::string& path, const Options& options);
  Status configure_sequence(const std::string& path, const Options& options);
  void append(ColumnBuilder& column, Random& random, std::int64_t row, std::int64_t now_ms) const;
  void append_random(ColumnBuilder& column, Random& random, std::int64_t row,
                     std::int64_t now_ms) const;
  void append_integer(ColumnBuilder& column, std::int64_t value) const;
  void append_text(ColumnBuilder& column, Random& random) const;
  void append_collection(ColumnBuilder& column, Random& random, std::int64_t row,
                         std::int64_t now_ms) const;

  LogicalType type_;
  std::vector<ValueGenerator> children_;
  std::uint64_t seed_ = 0;
  bool sequence_ = false;
  std::int64_t start_ = 0;  // of a sequence, and its last value
  std::int64_t end_ = 0;
  std::int64_t min_ = 0;  // of integers
  std::int64_t max_ = 0;
  double real_min_ = 0;  // of floating-point numbers and decimals
  double real_max_ = 0;
  std::int64_t length_ = 0;
  bool varying_length_ = false;
  double null_rate_ = 0;
  std::int64_t max_past_ms_ = 0;
};

}  // namespace tidegate
