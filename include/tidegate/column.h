// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tidegate/row_kind.h"
#include "tidegate/time.h"

namespace tidegate {

/// The physical column types that typed records are made of.
enum class ColumnType : std::uint8_t {
  kBoolean,    ///< BOOLEAN, a bitmap
  kTinyInt,    ///< TINYINT
  kSmallInt,   ///< SMALLINT
  kInt,        ///< INT
  kBigInt,     ///< BIGINT
  kFloat,      ///< FLOAT
  kDouble,     ///< DOUBLE
  kString,     ///< STRING
  kTimestamp,  ///< TIMESTAMP(3), milliseconds
  kBytes,      ///< BYTES, laid out as STRING is
};

/// A column of a batch to read: raw buffers in Arrow's layout. Row r of the batch stands at index
/// offset + r of values, offsets and validity.
struct ColumnView {
  const void* values = nullptr;            ///< fixed-width values, string bytes, or a bitmap
  const std::int32_t* offsets = nullptr;   ///< strings only
  const std::uint8_t* validity = nullptr;  ///< bitmap, 1 = present; null: no nulls
  std::int64_t offset = 0;

  bool is_null(std::int64_t row) const {
    if (validity == nullptr) return false;
    const std::int64_t i = offset + row;
    return (validity[i >> 3] >> (i & 7) & 1) == 0;
  }
  template <typename T>
  T fixed(std::int64_t row) const {
    return static_cast<const T*>(values)[offset + row];
  }
  bool boolean(std::int64_t row) const {
    const std::int64_t i = offset + row;
    return (static_cast<const std::uint8_t*>(values)[i >> 3] >> (i & 7) & 1) != 0;
  }
  std::string_view string(std::int64_t row) const {
    const std::int64_t i = offset + row;
    return {static_cast<const char*>(values) + offsets[i],
            static_cast<std::size_t>(offsets[i + 1] - offsets[i])};
  }
};

/// Hears of rows that functions of the program have thrown at.
class ThrownAtRows {
 public:
  virtual ~ThrownAtRows() = default;
  /// Within a catch block. True: the row is left out, and the rows behind it go on.
  virtual bool leave_out(std::int64_t row) = 0;
};

/// A batch to read. Valid during the call it is passed to.
struct BatchView {
  std::int64_t num_rows = 0;
  std::vector<ColumnView> columns;
  const EventTime* event_times = nullptr;  ///< per row; null: no event time
  const RowKind* row_kinds = nullptr;      ///< per row; null: all +I
  ThrownAtRows* thrown = nullptr;          ///< null: none is left out
};

/// What a function of the program threw, and at which row of its batch.
struct FailedRow {
  std::int64_t row = 0;
  std::exception_ptr cause;
};

/// f(row) for every row; what it throws becomes a FailedRow, unless the row is to be left out.
/// Costs nothing per row.
template <typename F>
void for_each_row(const BatchView& batch, F&& f) {
  for (std::int64_t row = 0; row < batch.num_rows; ++row) {
    try {
      for (; row < batch.num_rows; ++row) f(row);
    } catch (...) {
      if (batch.thrown == nullptr || !batch.thrown->leave_out(row)) {
        throw FailedRow{row, std::current_exception()};
      }
    }
  }
}

/// A column under construction. Inline appends into a buffer that grows out of line; the finished
/// buffer becomes the column without a copy.
class ColumnWriter {
 public:
  explicit ColumnWriter(ColumnType type);
  ColumnWriter(ColumnWriter&&) noexcept;
  ColumnWriter& operator=(ColumnWriter&&) noexcept;
  ~ColumnWriter();

  ColumnType type() const { return type_; }
  std::int64_t num_rows() const { return rows_; }

  template <typename T>
  void append_fixed(T value) {
    if (size_ + sizeof(T) > capacity_) grow(sizeof(T));
    *reinterpret_cast<T*>(data_ + size_) = value;
    size_ += sizeof(T);
    ++rows_;
  }
  void append_boolean(bool value);
  void append_string(std::string_view value);
  void append_null();

 private:
  friend class BatchWriter;
  friend struct ColumnWriterAccess;  // src/api: takes the finished buffers
  struct Buffers;

  void grow(std::size_t more);
  void cut(std::int64_t rows);

  ColumnType type_;
  std::int64_t rows_ = 0;
  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::unique_ptr<Buffers> buffers_;
};

/// Rows under construction. Every row says which input row it came from, so that event time and row
/// kind follow it.
class BatchWriter {
 public:
  explicit BatchWriter(const std::vector<ColumnType>& types);
  ColumnWriter& column(std::size_t i) { return columns_[i]; }
  std::size_t num_columns() const { return columns_.size(); }
  std::int64_t num_rows() const { return static_cast<std::int64_t>(origins_.size()); }
  /// Ends a row whose columns have all been appended.
  void end_row(std::int32_t origin) { origins_.push_back(origin); }
  const std::vector<std::int32_t>& origins() const { return origins_; }
  /// Takes back what has been written of the last input row, which is `origin`.
  void take_back(std::int32_t origin);

 private:
  friend struct ColumnWriterAccess;
  std::vector<ColumnWriter> columns_;
  std::vector<std::int32_t> origins_;
};

}  // namespace tidegate
