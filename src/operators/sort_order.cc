// SPDX-License-Identifier: Apache-2.0
#include "operators/sort_order.h"

#include <arrow/array/array_base.h>
#include <arrow/array/data.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/check.h"
#include "types/key_value_codec.h"

namespace tidegate {
namespace {

using key_values::is_fixed_width;
using key_values::is_text;
using key_values::is_valid;
using key_values::with_fixed_width;

constexpr char kNullFirst = 0x00;
constexpr char kValue = 0x01;
constexpr char kNullLast = 0x02;
constexpr char kZero = 0x00;
constexpr char kEscapedZero = '\xff';  // behind a zero byte of the text
constexpr char kTextEnd = 0x00;        // behind one that is none

/// Writes one column of the keys: first counts its bytes per row, then writes them.
class ColumnWriter {
 public:
  ColumnWriter(const SortColumn& order, const LogicalType& type, const arrow::Array& column)
      : type_(type),
        column_(*column.data()),
        num_rows_(column.length()),
        has_nulls_(column.null_count() > 0),
        null_(order.nulls_first ? kNullFirst : kNullLast),
        flip_(order.descending ? '\xff' : '\0') {}

  void add_sizes(std::size_t* sizes) const {
    if (type_.kind() == TypeKind::kNull) {
      for (std::int64_t i = 0; i < num_rows_; ++i) sizes[i] += 1;
    } else if (is_fixed_width(type_)) {
      const std::size_t width = with_fixed_width(
          type_, []<typename Codec>() { return static_cast<std::size_t>(1 + Codec::kWidth); });
      for (std::int64_t i = 0; i < num_rows_; ++i) sizes[i] += is_null(i) ? 1 : width;
    } else {
      for (std::int64_t i = 0; i < num_rows_; ++i) {
        if (is_null(i)) {
          sizes[i] += 1;
          continue;
        }
        const std::string_view value = text(i);
        sizes[i] += 3 + value.size() + static_cast<std::size_t>(std::ranges::count(value, kZero));
      }
    }
  }

  /// Writes each row at data + cursors[row] and moves its cursor on.
  void write(char* data, std::size_t* cursors) const {
    if (type_.kind() == TypeKind::kNull) {
      for (std::int64_t i = 0; i < num_rows_; ++i) data[cursors[i]++] = null_;
    } else if (is_fixed_width(type_)) {
      with_fixed_width(type_, [&]<typename Codec>() { write_fixed<Codec>(data, cursors); });
    } else {
      for (std::int64_t i = 0; i < num_rows_; ++i) {
        data[cursors[i]++] = is_null(i) ? null_ : kValue;
        if (!is_null(i)) cursors[i] += write_text(text(i), data + cursors[i]);
      }
    }
  }

 private:
  bool is_null(std::int64_t row) const { return has_nulls_ && !is_valid(column_, row); }

  std::string_view text(std::int64_t row) const {
    const auto* offsets = column_.GetValues<std::int32_t>(1);
    if (offsets[row] == offsets[row + 1]) return {};
    return {reinterpret_cast<const char*>(column_.buffers[2]->data()) + offsets[row],
            static_cast<std::size_t>(offsets[row + 1] - offsets[row])};
  }

  template <typename Codec>
  void write_fixed(char* data, std::size_t* cursors) const {
    const Codec values(column_);
    for (std::int64_t i = 0; i < num_rows_; ++i) {
      char* to = data + cursors[i];
      if (is_null(i)) {
        *to = null_;
        cursors[i] += 1;
        continue;
      }
      *to++ = kValue;
      Codec::write(values.at(i), to);
      if (flip_ != 0) flip(to, Codec::kWidth);
      cursors[i] += 1 + Codec::kWidth;
    }
  }

  std::size_t write_text(std::string_view value, char* to) const {
    char* const begin = to;
    for (const char c : value) {
      *to++ = c;
      if (c == kZero) *to++ = kEscapedZero;
    }
    *to++ = kZero;
    *to++ = kTextEnd;
    const auto size = static_cast<std::size_t>(to - begin);
    if (flip_ != 0) flip(begin, size);
    return size;
  }

  void flip(char* bytes, std::size_t size) const {
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(bytes[i] ^ flip_);
  }

  const LogicalType& type_;
  const arrow::ArrayData& column_;
  std::int64_t num_rows_;
  bool has_nulls_;
  char null_;
  char flip_;
};

}  // namespace

Result<SortKeys> SortKeys::make(std::vector<SortColumn> order,
                                const std::vector<LogicalType>& types) {
  std::vector<LogicalType> column_types;
  for (const SortColumn& column : order) {
    if (column.column < 0 || column.column >= std::ssize(types)) {
      return error(ErrorCode::kInvalidArgument, "ORDER BY column {} of {} columns", column.column,
                   types.size());
    }
    const LogicalType& type = types[static_cast<std::size_t>(column.column)];
    if (type.is_nested()) {
      return error(ErrorCode::kNotSupported, "ORDER BY a column of type {}", type.to_string());
    }
    column_types.push_back(type);
  }
  return SortKeys(std::move(order), std::move(column_types));
}

Status SortKeys::read(const Batch& batch) {
  const auto rows = static_cast<std::size_t>(batch.num_rows());
  offsets_.assign(rows + 1, 0);
  bytes_.clear();
  if (order_.empty()) return Status::ok();
  std::vector<ColumnWriter> writers;
  for (std::size_t i = 0; i < order_.size(); ++i) {
    writers.emplace_back(order_[i], types_[i], *batch.column(order_[i].column));
    writers.back().add_sizes(offsets_.data());
  }
  std::exclusive_scan(offsets_.begin(), offsets_.end(), offsets_.begin(), std::size_t{0});
  bytes_.resize(offsets_.back());
  cursors_.assign(offsets_.begin(), offsets_.end());
  for (const ColumnWriter& writer : writers) writer.write(bytes_.data(), cursors_.data());
  return Status::ok();
}

std::vector<std::int32_t> sorted_rows(const SortKeys& keys, std::int64_t num_rows) {
  std::vector<std::int32_t> rows(static_cast<std::size_t>(num_rows));
  std::iota(rows.begin(), rows.end(), 0);
  std::ranges::stable_sort(rows, {}, [&](std::int32_t row) { return keys[row]; });
  return rows;
}

}  // namespace tidegate
