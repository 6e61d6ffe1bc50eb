// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tidegate/status.h"
#include "types/batch.h"
#include "types/logical_type.h"

namespace tidegate {

/// One column of an ORDER BY, with the place of nulls resolved (Flink's default: first when
/// ascending, last when descending).
struct SortColumn {
  int column = -1;
  bool descending = false;
  bool nulls_first = true;
  friend bool operator==(const SortColumn&, const SortColumn&) = default;
};

/// The sort keys of a batch's rows as bytes: memcmp, the shorter first on a tie, orders them as the
/// rows are ordered. No key is the beginning of another one but of an equal one, so that more bytes
/// may follow (order of arrival among ties). No columns: all keys are empty and equal.
///
/// Part of the state format. Per column: 0x01 and the value; null is 0x00 where nulls come first,
/// else 0x02. Values as in key_encoding.h, all bits flipped if descending:
///   BOOLEAN one byte; integers, dates, times, timestamps, intervals, DECIMAL big-endian, sign bit
///   flipped; FLOAT, DOUBLE IEEE bits big-endian, all flipped if negative, else the sign bit (-0.0
///   is 0.0, NaN is the largest); strings and bytes with 0x00 as 0x00 0xff, then 0x00 0x00.
class SortKeys {
 public:
  /// `types` are those of all columns of the input. kNotSupported for columns of nested types.
  static Result<SortKeys> make(std::vector<SortColumn> order,
                               const std::vector<LogicalType>& types);

  /// The keys of this batch; those of the last one are gone.
  Status read(const Batch& batch);
  std::string_view operator[](std::int64_t row) const {
    const auto i = static_cast<std::size_t>(row);
    return std::string_view(bytes_).substr(offsets_[i], offsets_[i + 1] - offsets_[i]);
  }

 private:
  SortKeys(std::vector<SortColumn> order, std::vector<LogicalType> types)
      : order_(std::move(order)), types_(std::move(types)) {}

  std::vector<SortColumn> order_;
  std::vector<LogicalType> types_;  // of these columns
  std::string bytes_;
  std::vector<std::size_t> offsets_;
  std::vector<std::size_t> cursors_;  // kept to save allocations
};

/// Row numbers of a batch in the order of its sort keys, ties in the order of the batch.
std::vector<std::int32_t> sorted_rows(const SortKeys& keys, std::int64_t num_rows);

}  // namespace tidegate
