// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "tidegate/status.h"
#include "types/column.h"
#include "types/logical_type.h"

namespace tidegate {

/// The keys of a batch, one byte string per row, back to back in one flat buffer: the column's own
/// bytes where that is possible (they are kept alive), else a buffer that is reused when the same
/// object is filled again. Move-only.
class EncodedKeys {
 public:
  std::int64_t num_rows() const { return num_rows_; }
  /// Key i is data()[offsets()[i], offsets()[i + 1]); num_rows() + 1 entries.
  std::span<const std::int32_t> offsets() const {
    return {offsets_, static_cast<std::size_t>(num_rows_) + 1};
  }
  const char* data() const { return data_; }
  std::string_view key(std::int64_t row) const {
    return {data_ + offsets_[row], static_cast<std::size_t>(offsets_[row + 1] - offsets_[row])};
  }
  /// The length of every key when all are known to be equally long and not empty, else 0.
  int fixed_width() const { return fixed_width_; }
  /// Bytes from data() up to here may be read (not what they hold), for loads of whole words.
  const char* readable_end() const { return readable_end_; }

 private:
  friend class KeyCodec;
  /// Offsets and data of this object's own, not initialised, behind the data 16 readable bytes.
  std::int32_t* own_offsets(std::int64_t num_rows);
  char* own_data(std::int64_t size);
  /// The values of a utf8 or binary array without nulls.
  void borrow(const ArrayPtr& strings);

  std::int64_t num_rows_ = 0;
  const std::int32_t* offsets_ = kNoKeys;
  const char* data_ = nullptr;
  const char* readable_end_ = nullptr;
  int fixed_width_ = 0;

  static constexpr std::int32_t kNoKeys[1] = {0};
  std::unique_ptr<std::int32_t[]> offset_buffer_;
  std::int64_t offset_capacity_ = 0;
  std::unique_ptr<char[]> data_buffer_;
  std::int64_t data_capacity_ = 0;
  ArrayPtr borrowed_;
};

/// Typed key columns to bytes and back. Comparing two keys with memcmp (the shorter first on a tie)
/// orders them as SQL orders the rows, nulls first; equal rows have equal bytes. The encoding
/// depends on the kinds of the types only (not on nullability or on a batch's content) and is part
/// of the state format: it never changes.
///
/// One column of a type that is not nested and not NULL:
///   null is the empty key; a number is its bytes below; a string is its own bytes, with one 0x00
///   in front where it is empty or starts with 0x00.
/// Anything else: for each column 0x00 for null, or 0x01 and the value:
///   BOOLEAN             0x00, 0x01
///   integers, dates, times, timestamps, intervals
///                       the physical integer (1, 2, 4 or 8 bytes), big-endian, sign bit flipped
///   FLOAT, DOUBLE       IEEE bits, big-endian, all bits flipped if negative, else the sign bit;
///                       -0.0 is 0.0, NaN is one NaN and the largest
///   DECIMAL             the unscaled value, 16 bytes as integers
///   strings, bytes      0x00 becomes 0x00 0xff, then a closing 0x00
///   ROW                 its fields as columns
///   ARRAY               per element 0x01 for null, or 0x02 and the value; a closing 0x00
///   MAP, MULTISET       as ARRAY of ROW<key, value>, in the order of the entries' bytes
class KeyCodec {
 public:
  explicit KeyCodec(std::vector<LogicalType> types);

  const std::vector<LogicalType>& types() const { return types_; }

  /// The keys of `num_rows` rows; one array per type, of its arrow_type(). kLimitExceeded when they
  /// pass 2 GiB.
  Status encode(std::span<const ArrayPtr> columns, std::int64_t num_rows, EncodedKeys& out) const;

  /// The key columns of these keys, in order; kStateCorrupt when encode() did not write them.
  Result<std::vector<ArrayPtr>> decode(std::span<const std::string_view> keys) const;

 private:
  Status encode_column(const ArrayPtr& column, EncodedKeys& out) const;
  Status encode_rows(std::span<const ArrayPtr> columns, std::int64_t num_rows,
                     EncodedKeys& out) const;

  std::vector<LogicalType> types_;
  bool single_ = false;
};

}  // namespace tidegate
