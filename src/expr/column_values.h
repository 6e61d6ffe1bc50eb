// SPDX-License-Identifier: Apache-2.0
//
// Typed reading and writing of columns, for functions and aggregates. The C++ type of a value is
// its physical form: bool, int8_t .. int64_t (dates, times and intervals too), float, double,
// Int128 (DECIMAL) and std::string_view (strings and bytes).
#pragma once

#include <arrow/array/array_base.h>
#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/util/bit_util.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "tidegate/status.h"
#include "types/arrow_status.h"
#include "types/column.h"
#include "types/decimal.h"
#include "types/logical_type.h"

namespace tidegate {

/// True for the types that with_physical_type() takes: all but NULL and nested ones.
inline bool is_flat(const LogicalType& type) {
  return type.kind() != TypeKind::kNull && !type.is_nested();
}

/// Calls f.template operator()<T>() with the physical type of a flat logical type.
template <typename F>
decltype(auto) with_physical_type(const LogicalType& type, F&& f) {
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return f.template operator()<bool>();
    case TypeKind::kTinyInt:
      return f.template operator()<std::int8_t>();
    case TypeKind::kSmallInt:
      return f.template operator()<std::int16_t>();
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kIntervalYearMonth:
      return f.template operator()<std::int32_t>();
    case TypeKind::kTime:
      if (type.precision() <= 3) return f.template operator()<std::int32_t>();
      return f.template operator()<std::int64_t>();
    case TypeKind::kFloat:
      return f.template operator()<float>();
    case TypeKind::kDouble:
      return f.template operator()<double>();
    case TypeKind::kDecimal:
      return f.template operator()<Int128>();
    case TypeKind::kChar:
    case TypeKind::kVarchar:
    case TypeKind::kBinary:
    case TypeKind::kVarbinary:
      return f.template operator()<std::string_view>();
    default:
      TG_CHECK(type.kind() == TypeKind::kBigInt || type.is_timestamp() ||
                   type.kind() == TypeKind::kIntervalDayTime,
               "{} is not a flat type", type.to_string());
      return f.template operator()<std::int64_t>();
  }
}

/// Reads the values of an array. Cheap to make; the array must outlive it. The value of a null is
/// anything.
template <typename T>
class ValueReader {
 public:
  explicit ValueReader(const arrow::Array& array)
      : offset_(array.offset()),
        validity_(array.null_count() > 0 ? array.null_bitmap_data() : nullptr) {
    const arrow::ArrayData& data = *array.data();
    if constexpr (std::is_same_v<T, bool>) {
      bits_ = data.buffers[1] == nullptr ? nullptr : data.buffers[1]->data();
    } else if constexpr (std::is_same_v<T, std::string_view>) {
      offsets_ = data.GetValues<std::int32_t>(1);
      bytes_ =
          data.buffers[2] == nullptr ? "" : reinterpret_cast<const char*>(data.buffers[2]->data());
    } else {
      values_ = data.GetValues<T>(1);
    }
  }

  bool has_nulls() const { return validity_ != nullptr; }
  bool is_null(std::int64_t row) const {
    return validity_ != nullptr && !arrow::bit_util::GetBit(validity_, offset_ + row);
  }

  T operator[](std::int64_t row) const {
    if constexpr (std::is_same_v<T, bool>) {
      return arrow::bit_util::GetBit(bits_, offset_ + row);
    } else if constexpr (std::is_same_v<T, std::string_view>) {
      return {bytes_ + offsets_[row], static_cast<std::size_t>(offsets_[row + 1] - offsets_[row])};
    } else {
      return values_[row];
    }
  }

  /// The values themselves; fixed-width types but BOOLEAN.
  const T* values() const { return values_; }

 private:
  std::int64_t offset_;
  const std::uint8_t* validity_;
  const T* values_ = nullptr;
  const std::uint8_t* bits_ = nullptr;
  const std::int32_t* offsets_ = nullptr;
  const char* bytes_ = nullptr;
};

/// Which rows of a new column are null; costs nothing until the first null.
class ValidityWriter {
 public:
  explicit ValidityWriter(std::int64_t num_rows) : num_rows_(num_rows) {}

  Status set_null(std::int64_t row) {
    if (bits_ == nullptr) {
      TG_ASSIGN_ARROW_OR_RETURN(bits_, arrow::AllocateEmptyBitmap(num_rows_), "make a column");
      std::memset(bits_->mutable_data(), 0xff, static_cast<std::size_t>(bits_->size()));
    }
    arrow::bit_util::ClearBit(bits_->mutable_data(), row);
    return Status::ok();
  }

  std::shared_ptr<arrow::Buffer> finish() { return std::move(bits_); }

 private:
  std::int64_t num_rows_;
  std::shared_ptr<arrow::Buffer> bits_;
};

inline ArrayPtr make_column(const LogicalType& type, std::int64_t num_rows,
                            std::shared_ptr<arrow::Buffer> validity,
                            std::vector<std::shared_ptr<arrow::Buffer>> values) {
  const std::int64_t null_count = validity == nullptr ? 0 : arrow::kUnknownNullCount;
  values.insert(values.begin(), std::move(validity));
  return arrow::MakeArray(
      arrow::ArrayData::Make(type.arrow_type(), num_rows, std::move(values), null_count));
}

/// Writes a new column of a known number of rows, in order (texts) or at will (the rest). Every row
/// needs set() or, with texts and BOOLEAN, at least set_null().
template <typename T>
class ValueWriter {
 public:
  static Result<ValueWriter> make(std::int64_t num_rows) {
    ValueWriter writer(num_rows);
    if constexpr (std::is_same_v<T, bool>) {
      TG_ASSIGN_ARROW_OR_RETURN(writer.values_, arrow::AllocateEmptyBitmap(num_rows),
                                "make a column");
    } else {
      TG_ASSIGN_ARROW_OR_RETURN(
          writer.values_, arrow::AllocateBuffer(num_rows * static_cast<std::int64_t>(sizeof(T))),
          "make a column");
    }
    return writer;
  }

  void set(std::int64_t row, T value) {
    if constexpr (std::is_same_v<T, bool>) {
      if (value) arrow::bit_util::SetBit(values_->mutable_data(), row);
    } else {
      values_->mutable_data_as<T>()[row] = value;
    }
  }
  Status set_null(std::int64_t row) {
    if constexpr (!std::is_same_v<T, bool>) set(row, T{});
    return validity_.set_null(row);
  }

  /// The values themselves; not for BOOLEAN.
  T* values() { return values_->mutable_data_as<T>(); }

  Result<ArrayPtr> finish(const LogicalType& type) {
    return make_column(type, num_rows_, validity_.finish(), {std::move(values_)});
  }
  /// The same with the validity of others (null: all valid) instead of set_null().
  Result<ArrayPtr> finish(const LogicalType& type, std::shared_ptr<arrow::Buffer> validity) {
    return make_column(type, num_rows_, std::move(validity), {std::move(values_)});
  }

 private:
  explicit ValueWriter(std::int64_t num_rows) : num_rows_(num_rows), validity_(num_rows) {}

  std::int64_t num_rows_;
  ValidityWriter validity_;
  std::shared_ptr<arrow::Buffer> values_;
};

template <>
class ValueWriter<std::string_view> {
 public:
  static Result<ValueWriter> make(std::int64_t num_rows) {
    ValueWriter writer(num_rows);
    TG_ASSIGN_ARROW_OR_RETURN(
        writer.offsets_,
        arrow::AllocateBuffer((num_rows + 1) * static_cast<std::int64_t>(sizeof(std::int32_t))),
        "make a column");
    writer.offsets_->mutable_data_as<std::int32_t>()[0] = 0;
    return writer;
  }

  /// Where the text of the next row is appended; end_row() closes it.
  std::string& text() { return bytes_; }
  void end_row() {
    offsets_->mutable_data_as<std::int32_t>()[++rows_] = static_cast<std::int32_t>(
        std::min<std::size_t>(bytes_.size(), std::numeric_limits<std::int32_t>::max()));
  }
  void set(std::int64_t row, std::string_view value) {
    TG_DCHECK(row == rows_, "row={} rows={}", row, rows_);
    (void)row;
    bytes_ += value;
    end_row();
  }
  Status set_null(std::int64_t row) {
    end_row();
    return validity_.set_null(row);
  }
  void reserve(std::int64_t bytes) { bytes_.reserve(static_cast<std::size_t>(bytes)); }

  Result<ArrayPtr> finish(const LogicalType& type) { return finish(type, validity_.finish()); }
  Result<ArrayPtr> finish(const LogicalType& type, std::shared_ptr<arrow::Buffer> validity) {
    if (bytes_.size() > std::numeric_limits<std::int32_t>::max())
      return error(ErrorCode::kLimitExceeded, "a batch's string column passes 2 GiB");
    TG_CHECK(rows_ == num_rows_, "rows={} expected {}", rows_, num_rows_);
    return make_column(type, num_rows_, std::move(validity),
                       {std::move(offsets_), arrow::Buffer::FromString(std::move(bytes_))});
  }

 private:
  explicit ValueWriter(std::int64_t num_rows) : num_rows_(num_rows), validity_(num_rows) {}

  std::int64_t num_rows_;
  std::int64_t rows_ = 0;
  ValidityWriter validity_;
  std::shared_ptr<arrow::Buffer> offsets_;
  std::string bytes_;
};

}  // namespace tidegate
