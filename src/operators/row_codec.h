// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tidegate/status.h"
#include "types/batch.h"
#include "types/column.h"
#include "types/logical_type.h"
#include "types/schema.h"

namespace tidegate {

// Rows as bytes in state, and back to columns. Unlike the key encoding this keeps every value as it
// is (-0.0, NaN payloads) and does not order. Part of the state format:
//
//   row     presence of each column (one bit, 1 = not null, first column in the lowest bit of the
//           first byte), then the values that are present, in order
//   value   BOOLEAN: one byte; fixed-width types: Arrow's bytes (little-endian);
//           strings and bytes: length (4 bytes) and the bytes;
//           ARRAY, MULTISET, MAP: number of elements (4 bytes), presence of each, present elements
//           (entries of maps are rows of key and value); ROW: as a row; NULL: nothing

/// Reads rows of one batch as bytes. Holds on to the columns.
class RowEncoder {
 public:
  explicit RowEncoder(std::span<const ArrayPtr> columns);
  explicit RowEncoder(const Batch& batch) : RowEncoder(batch.columns()) {}
  RowEncoder(RowEncoder&&) noexcept;
  RowEncoder& operator=(RowEncoder&&) noexcept;
  ~RowEncoder();

  /// Appends the bytes of row `row`.
  void append(std::int64_t row, std::string& out) const;

 private:
  struct Column;
  std::vector<ArrayPtr> arrays_;
  std::vector<Column> columns_;
};

/// Collects rows in bytes into columns of these types.
class RowDecoder {
 public:
  explicit RowDecoder(const std::vector<LogicalType>& types);
  RowDecoder(RowDecoder&&) noexcept;
  RowDecoder& operator=(RowDecoder&&) noexcept;
  ~RowDecoder();

  std::int64_t num_rows() const { return num_rows_; }
  /// Bytes of strings and lists that are collected; a column holds at most 2 GiB of them, so take()
  /// long before.
  std::int64_t byte_size() const { return byte_size_; }

  /// Adds a row. kStateCorrupt when these are not exactly the bytes of one row; the decoder is of
  /// no use then.
  Status append(std::string_view bytes);
  /// Adds a row of nulls (outer joins).
  Status append_nulls();

  /// The columns of the rows since the last take, and starts anew.
  Result<std::vector<ArrayPtr>> take();

 private:
  struct Column;
  std::vector<Column> columns_;
  std::int64_t num_rows_ = 0;
  std::int64_t byte_size_ = 0;
};

/// The types of all columns of a schema.
std::vector<LogicalType> column_types(const Schema& schema);

}  // namespace tidegate
