// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tidegate/status.h"
#include "types/batch.h"
#include "types/logical_type.h"

namespace tidegate {

/// Avro's variable-length numbers: the sign in the lowest bit, seven bits a byte, the lowest first.
void append_avro_long(std::int64_t value, std::string& out);

/// Writes the values of one column in Avro's binary form, by the schema of avro_schema_of(). A tree
/// beside the tree of the column's type, bound to arrays once per batch.
class AvroWriter {
 public:
  /// A type that avro_schema_of() takes.
  explicit AvroWriter(const LogicalType& type);

  /// The following write() calls are about these columns, the fields of a ROW.
  void bind_columns(const Batch& batch);
  /// kNullKey for a map with a null key, which Avro cannot say.
  Status write(std::int64_t row, std::string& out) const;

 private:
  void bind(const arrow::ArrayData& array);
  bool is_null(std::int64_t row) const {
    return all_null_ || (validity_ != nullptr &&
                         (validity_[(offset_ + row) / 8] >> ((offset_ + row) % 8) & 1) == 0);
  }
  template <typename T>
  T value(std::int64_t row) const {
    return reinterpret_cast<const T*>(values_)[offset_ + row];
  }
  std::string_view bytes(std::int64_t row) const;
  Status write_value(std::int64_t row, std::string& out) const;
  void write_decimal(std::int64_t row, std::string& out) const;
  Status write_list(std::int64_t row, std::string& out) const;

  LogicalType type_;
  std::vector<AvroWriter> children_;

  bool all_null_ = false;
  std::int64_t offset_ = 0;
  const std::uint8_t* validity_ = nullptr;
  const std::uint8_t* values_ = nullptr;  // for byte strings and lists: offsets
  const std::uint8_t* data_ = nullptr;    // of byte strings
};

}  // namespace tidegate
