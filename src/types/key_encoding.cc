// SPDX-License-Identifier: Apache-2.0
#include "types/key_encoding.h"

#include <arrow/array.h>
#include <arrow/type.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "base/check.h"
#include "types/key_value_codec.h"

namespace tidegate {

namespace {

using arrow::ArrayData;
using key_values::is_fixed_width;
using key_values::is_text;
using key_values::is_valid;
using key_values::with_fixed_width;

constexpr std::int64_t kReadableBehind = 16;

// In front of a column or field of a row; of an element of an array.
constexpr char kNull = 0x00;
constexpr char kValue = 0x01;
constexpr char kArrayEnd = 0x00;
constexpr char kNullElement = 0x01;
constexpr char kElement = 0x02;
constexpr char kTextEnd = 0x00;
constexpr char kEscapedZero = '\xff';

struct TextColumn {
  explicit TextColumn(const ArrayData& column)
      : offsets(column.GetValues<std::int32_t>(1)),
        bytes(column.buffers[2] == nullptr
                  ? ""
                  : reinterpret_cast<const char*>(column.buffers[2]->data())) {}
  std::string_view at(std::int64_t row) const {
    return {bytes + offsets[row], static_cast<std::size_t>(offsets[row + 1] - offsets[row])};
  }
  const std::int32_t* offsets;
  const char* bytes;
};

std::int32_t zero_bytes(std::string_view text) {
  return static_cast<std::int32_t>(std::count(text.begin(), text.end(), '\0'));
}

char* write_text(std::string_view text, char* to) {
  for (char c : text) {
    *to++ = c;
    if (c == '\0') *to++ = kEscapedZero;
  }
  *to++ = kTextEnd;
  return to;
}

void append_value(const LogicalType& type, const ArrayData& column, std::int64_t row,
                  std::string& out);

void append_nullable(const LogicalType& type, const ArrayData& column, std::int64_t row, char null,
                     char value, std::string& out) {
  if (type.kind() == TypeKind::kNull || !is_valid(column, row)) {
    out += null;
    return;
  }
  out += value;
  append_value(type, column, row, out);
}

/// The entries of a map in the order of their bytes, so that equal maps have equal keys.
void append_map(const LogicalType& type, const ArrayData& column, std::int64_t row,
                std::string& out) {
  const auto* offsets = column.GetValues<std::int32_t>(1);
  const ArrayData& entries = *column.child_data[0];
  const LogicalType& key_type = type.children()[0].type;
  const LogicalType count_type(TypeKind::kInt);
  const LogicalType& value_type =
      type.kind() == TypeKind::kMultiset ? count_type : type.children()[1].type;
  std::vector<std::string> encoded;
  for (std::int64_t i = offsets[row]; i < offsets[row + 1]; ++i) {
    std::string& entry = encoded.emplace_back(1, kElement);
    append_nullable(key_type, *entries.child_data[0], entries.offset + i, kNull, kValue, entry);
    append_nullable(value_type, *entries.child_data[1], entries.offset + i, kNull, kValue, entry);
  }
  std::sort(encoded.begin(), encoded.end());
  for (const std::string& entry : encoded) out += entry;
  out += kArrayEnd;
}

void append_array(const LogicalType& type, const ArrayData& column, std::int64_t row,
                  std::string& out) {
  const auto* offsets = column.GetValues<std::int32_t>(1);
  for (std::int64_t i = offsets[row]; i < offsets[row + 1]; ++i) {
    append_nullable(type.children()[0].type, *column.child_data[0], i, kNullElement, kElement, out);
  }
  out += kArrayEnd;
}

/// One value that is not null. A row's fields ignore the row's own offset in Arrow's layout, so it
/// is added here.
void append_value(const LogicalType& type, const ArrayData& column, std::int64_t row,
                  std::string& out) {
  if (is_fixed_width(type)) {
    with_fixed_width(type, [&]<typename Codec>() {
      char bytes[Codec::kWidth];
      Codec::write(Codec(column).at(row), bytes);
      out.append(bytes, Codec::kWidth);
    });
  } else if (is_text(type)) {
    const std::string_view text = TextColumn(column).at(row);
    const std::size_t start = out.size();
    out.resize(start + text.size() + static_cast<std::size_t>(zero_bytes(text)) + 1);
    write_text(text, out.data() + start);
  } else if (type.kind() == TypeKind::kRow) {
    for (std::size_t f = 0; f < type.children().size(); ++f) {
      append_nullable(type.children()[f].type, *column.child_data[f], column.offset + row, kNull,
                      kValue, out);
    }
  } else if (type.kind() == TypeKind::kArray) {
    append_array(type, column, row, out);
  } else {
    append_map(type, column, row, out);
  }
}

/// One column of keys of several columns: counts its bytes per row, then writes them.
class ColumnWriter {
 public:
  ColumnWriter(const LogicalType& type, const ArrayData& column, std::int64_t num_rows)
      : type_(type), column_(column), num_rows_(num_rows), has_nulls_(column.GetNullCount() > 0) {
    if (type.is_nested()) encode_nested();
  }

  /// The bytes of every row when they are the same for all, else 0.
  int fixed_width() const {
    if (type_.kind() == TypeKind::kNull) return 1;
    if (has_nulls_ || !is_fixed_width(type_)) return 0;
    return with_fixed_width(type_, []<typename Codec>() { return 1 + Codec::kWidth; });
  }

  void add_sizes(std::int32_t* sizes) const {
    if (const int width = fixed_width(); width > 0) {
      for (std::int64_t i = 0; i < num_rows_; ++i) sizes[i] += width;
    } else if (is_fixed_width(type_)) {
      const int width_of_value =
          with_fixed_width(type_, []<typename Codec>() { return Codec::kWidth; });
      for (std::int64_t i = 0; i < num_rows_; ++i)
        sizes[i] += is_valid(column_, i) ? 1 + width_of_value : 1;
    } else if (is_text(type_)) {
      const TextColumn texts(column_);
      for (std::int64_t i = 0; i < num_rows_; ++i) {
        if (has_nulls_ && !is_valid(column_, i)) {
          sizes[i] += 1;
        } else {
          const std::string_view text = texts.at(i);
          sizes[i] += 2 + static_cast<std::int32_t>(text.size()) + zero_bytes(text);
        }
      }
    } else {
      for (std::size_t i = 0; i + 1 < nested_ends_.size(); ++i)
        sizes[i] += static_cast<std::int32_t>(nested_ends_[i + 1] - nested_ends_[i]);
    }
  }

  /// Bytes of all rows together, before add_sizes() counts in 32 bits; an upper bound for texts.
  std::int64_t size_bound() const {
    return 2 * column_byte_size(*arrow::MakeArray(column_.Copy())) + 2 * num_rows_ +
           static_cast<std::int64_t>(nested_.size());
  }

  /// Writes each row at data + cursors[row] and moves its cursor on.
  void write(char* data, std::int32_t* cursors) const {
    if (type_.kind() == TypeKind::kNull) {
      for (std::int64_t i = 0; i < num_rows_; ++i) data[cursors[i]++] = kNull;
    } else if (is_fixed_width(type_)) {
      with_fixed_width(type_, [&]<typename Codec>() { write_fixed<Codec>(data, cursors); });
    } else if (is_text(type_)) {
      write_texts(data, cursors);
    } else {
      for (std::int64_t i = 0; i < num_rows_; ++i) {
        const std::size_t begin = nested_ends_[static_cast<std::size_t>(i)];
        const std::size_t size = nested_ends_[static_cast<std::size_t>(i) + 1] - begin;
        std::memcpy(data + cursors[i], nested_.data() + begin, size);
        cursors[i] += static_cast<std::int32_t>(size);
      }
    }
  }

 private:
  void encode_nested() {
    nested_ends_.push_back(0);
    for (std::int64_t i = 0; i < num_rows_; ++i) {
      append_nullable(type_, column_, i, kNull, kValue, nested_);
      nested_ends_.push_back(nested_.size());
    }
  }

  template <typename Codec>
  void write_fixed(char* data, std::int32_t* cursors) const {
    const Codec values(column_);
    for (std::int64_t i = 0; i < num_rows_; ++i) {
      char* to = data + cursors[i];
      if (has_nulls_ && !is_valid(column_, i)) {
        *to = kNull;
        cursors[i] += 1;
      } else {
        *to = kValue;
        Codec::write(values.at(i), to + 1);
        cursors[i] += 1 + Codec::kWidth;
      }
    }
  }

  void write_texts(char* data, std::int32_t* cursors) const {
    const TextColumn texts(column_);
    for (std::int64_t i = 0; i < num_rows_; ++i) {
      char* to = data + cursors[i];
      if (has_nulls_ && !is_valid(column_, i)) {
        *to++ = kNull;
      } else {
        *to++ = kValue;
        const std::string_view text = texts.at(i);
        if (std::memchr(text.data(), '\0', text.size()) != nullptr) {
          to = write_text(text, to);
        } else {
          std::memcpy(to, text.data(), text.size());
          to += text.size();
          *to++ = kTextEnd;
        }
      }
      cursors[i] = static_cast<std::int32_t>(to - data);
    }
  }

  const LogicalType& type_;
  const ArrayData& column_;
  std::int64_t num_rows_;
  bool has_nulls_;
  std::string nested_;
  std::vector<std::size_t> nested_ends_;
};

Status keys_too_long() {
  return error(ErrorCode::kLimitExceeded, "the keys of one batch pass 2 GiB");
}

/// True when some text must be changed to be a key of its own: null, empty, or 0x00 in front.
bool needs_own_bytes(const ArrayData& column, const TextColumn& texts) {
  if (column.GetNullCount() > 0) return true;
  bool found = false;
  for (std::int64_t i = 0; i < column.length && !found; ++i)
    found = texts.offsets[i] == texts.offsets[i + 1] || texts.bytes[texts.offsets[i]] == '\0';
  return found;
}

}  // namespace

std::int32_t* EncodedKeys::own_offsets(std::int64_t num_rows) {
  if (offset_capacity_ < num_rows + 1) {
    offset_capacity_ = num_rows + 1;
    offset_buffer_ =
        std::make_unique_for_overwrite<std::int32_t[]>(static_cast<std::size_t>(offset_capacity_));
  }
  borrowed_.reset();
  num_rows_ = num_rows;
  offsets_ = offset_buffer_.get();
  return offset_buffer_.get();
}

char* EncodedKeys::own_data(std::int64_t size) {
  if (data_capacity_ < size + kReadableBehind) {
    data_capacity_ = size + kReadableBehind;
    data_buffer_ = std::make_unique_for_overwrite<char[]>(static_cast<std::size_t>(data_capacity_));
  }
  data_ = data_buffer_.get();
  readable_end_ = data_ + data_capacity_;
  return data_buffer_.get();
}

void EncodedKeys::borrow(const ArrayPtr& strings) {
  const ArrayData& column = *strings->data();
  const TextColumn texts(column);
  borrowed_ = strings;
  num_rows_ = column.length;
  offsets_ = texts.offsets;
  data_ = texts.bytes;
  readable_end_ = data_ + (column.buffers[2] == nullptr ? 0 : column.buffers[2]->capacity());
  fixed_width_ = 0;
}

KeyCodec::KeyCodec(std::vector<LogicalType> types) : types_(std::move(types)) {
  single_ = types_.size() == 1 && (is_fixed_width(types_[0]) || is_text(types_[0]));
}

Status KeyCodec::encode(std::span<const ArrayPtr> columns, std::int64_t num_rows,
                        EncodedKeys& out) const {
  TG_CHECK(columns.size() == types_.size(), "columns={} types={}", columns.size(), types_.size());
  for (std::size_t i = 0; i < types_.size(); ++i) {
    TG_CHECK(columns[i]->length() == num_rows, "rows={} expected {}", columns[i]->length(),
             num_rows);
    TG_CHECK(columns[i]->type_id() == types_[i].arrow_type()->id(), "column is {}, key type is {}",
             columns[i]->type()->ToString(), types_[i].to_string());
  }
  if (single_) return encode_column(columns[0], out);
  return encode_rows(columns, num_rows, out);
}

Status KeyCodec::encode_column(const ArrayPtr& array, EncodedKeys& out) const {
  const ArrayData& column = *array->data();
  const std::int64_t num_rows = column.length;
  const bool has_nulls = column.GetNullCount() > 0;
  if (is_text(types_[0])) {
    const TextColumn texts(column);
    if (!needs_own_bytes(column, texts)) {
      out.borrow(array);
      return Status::ok();
    }
    const std::int64_t bytes = texts.offsets[num_rows] - texts.offsets[0];
    if (bytes + num_rows > std::numeric_limits<std::int32_t>::max()) return keys_too_long();
    std::int32_t* offsets = out.own_offsets(num_rows);
    char* data = out.own_data(bytes + num_rows);
    char* to = data;
    for (std::int64_t i = 0; i < num_rows; ++i) {
      offsets[i] = static_cast<std::int32_t>(to - data);
      if (has_nulls && !is_valid(column, i)) continue;
      const std::string_view text = texts.at(i);
      if (text.empty() || text[0] == '\0') *to++ = '\0';
      std::memcpy(to, text.data(), text.size());
      to += text.size();
    }
    offsets[num_rows] = static_cast<std::int32_t>(to - data);
    out.fixed_width_ = 0;
    return Status::ok();
  }
  return with_fixed_width(types_[0], [&]<typename Codec>() {
    if (num_rows * Codec::kWidth > std::numeric_limits<std::int32_t>::max()) return keys_too_long();
    const Codec values(column);
    std::int32_t* offsets = out.own_offsets(num_rows);
    char* data = out.own_data(num_rows * Codec::kWidth);
    std::int32_t end = 0;
    for (std::int64_t i = 0; i < num_rows; ++i) {
      offsets[i] = end;
      if (has_nulls && !is_valid(column, i)) continue;
      Codec::write(values.at(i), data + end);
      end += Codec::kWidth;
    }
    offsets[num_rows] = end;
    out.fixed_width_ = has_nulls ? 0 : Codec::kWidth;
    return Status::ok();
  });
}

Status KeyCodec::encode_rows(std::span<const ArrayPtr> columns, std::int64_t num_rows,
                             EncodedKeys& out) const {
  std::vector<ColumnWriter> writers;
  writers.reserve(columns.size());
  std::int64_t bound = 0;
  int fixed_width = 0;
  bool all_fixed = true;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const ColumnWriter& writer = writers.emplace_back(types_[i], *columns[i]->data(), num_rows);
    bound += writer.size_bound();
    fixed_width += writer.fixed_width();
    all_fixed = all_fixed && writer.fixed_width() > 0;
  }
  if (bound > std::numeric_limits<std::int32_t>::max()) return keys_too_long();

  std::int32_t* offsets = out.own_offsets(num_rows);
  std::int32_t* cursors = offsets + 1;  // end up where each row ends, which is what offsets hold
  std::fill_n(cursors, num_rows, 0);
  for (const ColumnWriter& writer : writers) writer.add_sizes(cursors);
  std::int32_t total = 0;
  for (std::int64_t i = 0; i < num_rows; ++i) total += std::exchange(cursors[i], total);
  char* data = out.own_data(total);
  for (const ColumnWriter& writer : writers) writer.write(data, cursors);
  offsets[0] = 0;
  out.fixed_width_ = all_fixed ? fixed_width : 0;
  return Status::ok();
}

}  // namespace tidegate
