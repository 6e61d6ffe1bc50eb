// SPDX-License-Identifier: Apache-2.0
#include "operators/row_codec.h"

#include <arrow/array/array_base.h>
#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/type.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "types/arrow_status.h"

namespace tidegate {
namespace {

/// How values of a column are laid out.
enum class Shape : std::uint8_t { kNull, kBit, kFixed, kBytes, kList, kStruct };

Shape shape_of(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::NA:
      return Shape::kNull;
    case arrow::Type::BOOL:
      return Shape::kBit;
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return Shape::kBytes;
    case arrow::Type::LIST:
    case arrow::Type::MAP:
      return Shape::kList;
    case arrow::Type::STRUCT:
      return Shape::kStruct;
    default:
      TG_CHECK(type.byte_width() > 0, "type={}", type.ToString());
      return Shape::kFixed;
  }
}

bool bit_at(const std::uint8_t* bits, std::int64_t i) { return (bits[i >> 3] >> (i & 7) & 1) != 0; }

void append_length(std::int64_t length, std::string& out) {
  const auto n = static_cast<std::uint32_t>(length);
  out.append(reinterpret_cast<const char*>(&n), sizeof(n));
}

/// Consumes bytes from the front; null when there are too few.
const char* take_bytes(std::string_view& in, std::size_t size) {
  if (in.size() < size) return nullptr;
  const char* bytes = in.data();
  in.remove_prefix(size);
  return bytes;
}

bool take_length(std::string_view& in, std::uint32_t& length) {
  const char* bytes = take_bytes(in, sizeof(length));
  if (bytes != nullptr) std::memcpy(&length, bytes, sizeof(length));
  return bytes != nullptr;
}

constexpr std::size_t bytes_of_bits(std::size_t bits) { return (bits + 7) / 8; }

/// Bytes that grow at the end and become an Arrow buffer. Not arrow::BufferBuilder: that one is
/// called, and asks for its size, at every value. Always with a place to write to, also for no
/// bytes.
class GrowingBytes {
 public:
  arrow::Status append(const char* bytes, std::size_t size) {
    if (capacity_ - size_ <= size) [[unlikely]]
      ARROW_RETURN_NOT_OK(grow(size));
    std::memcpy(data_ + size_, bytes, size);
    size_ += size;
    return arrow::Status::OK();
  }
  arrow::Status append(std::size_t size, std::uint8_t byte) {
    if (capacity_ - size_ <= size) [[unlikely]]
      ARROW_RETURN_NOT_OK(grow(size));
    std::memset(data_ + size_, byte, size);
    size_ += size;
    return arrow::Status::OK();
  }
  std::uint8_t* data() { return data_; }
  bool has_room(std::size_t size) const { return capacity_ - size_ > size; }
  void append_in_room(const char* bytes, std::size_t size) {
    std::memcpy(data_ + size_, bytes, size);
    size_ += size;
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> finish() {
    if (buffer_ == nullptr) ARROW_RETURN_NOT_OK(grow(1));
    // The next batch is likely to be as large; what is far too large is given back.
    const bool shrink = capacity_ > 2 * size_ + kLeast;
    ARROW_RETURN_NOT_OK(buffer_->Resize(static_cast<std::int64_t>(size_), shrink));
    last_size_ = std::exchange(size_, 0);
    data_ = nullptr;
    capacity_ = 0;
    return std::move(buffer_);
  }

 private:
  static constexpr std::size_t kLeast = 64;

  arrow::Status grow(std::size_t more) {
    const std::size_t wanted = std::max({size_ + more, 2 * capacity_, last_size_, kLeast});
    if (buffer_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(buffer_,
                            arrow::AllocateResizableBuffer(static_cast<std::int64_t>(wanted)));
    } else {
      ARROW_RETURN_NOT_OK(buffer_->Resize(static_cast<std::int64_t>(wanted), false));
    }
    data_ = buffer_->mutable_data();
    capacity_ = wanted;
    return arrow::Status::OK();
  }

  std::shared_ptr<arrow::ResizableBuffer> buffer_;
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::size_t last_size_ = 0;
};

/// The same of bits.
class GrowingBits {
 public:
  arrow::Status append(bool bit) {
    if (count_ % 8 == 0) ARROW_RETURN_NOT_OK(bytes_.append(std::size_t{1}, 0));
    if (bit) bytes_.data()[count_ / 8] |= static_cast<std::uint8_t>(1 << (count_ % 8));
    ++count_;
    return arrow::Status::OK();
  }
  arrow::Status append_ones(std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) ARROW_RETURN_NOT_OK(append(true));
    return arrow::Status::OK();
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> finish() {
    count_ = 0;
    return bytes_.finish();
  }

 private:
  GrowingBytes bytes_;
  std::size_t count_ = 0;
};

}  // namespace

struct RowEncoder::Column {
  Shape shape = Shape::kNull;
  std::int32_t width = 0;
  const std::uint8_t* validity = nullptr;
  const std::uint8_t* values = nullptr;
  const std::int32_t* offsets = nullptr;
  std::int64_t offset = 0;
  std::vector<Column> children;

  explicit Column(const arrow::ArrayData& data) : shape(shape_of(*data.type)), offset(data.offset) {
    if (data.MayHaveNulls() && data.buffers[0] != nullptr) validity = data.buffers[0]->data();
    const auto buffer = [&](std::size_t i) {
      return data.buffers[i] == nullptr ? nullptr : data.buffers[i]->data();
    };
    if (shape == Shape::kFixed) width = data.type->byte_width();
    if (shape == Shape::kBit || shape == Shape::kFixed) values = buffer(1);
    if (shape == Shape::kBytes || shape == Shape::kList) {
      offsets = reinterpret_cast<const std::int32_t*>(buffer(1));
    }
    if (shape == Shape::kBytes) values = buffer(2);
    for (const auto& child : data.child_data) children.emplace_back(*child);
  }

  bool present(std::int64_t row) const {
    return shape != Shape::kNull && (validity == nullptr || bit_at(validity, offset + row));
  }

  void append(std::int64_t row, std::string& out) const {
    const std::int64_t i = offset + row;
    switch (shape) {
      case Shape::kNull:
        return;
      case Shape::kBit:
        out.push_back(bit_at(values, i) ? 1 : 0);
        return;
      case Shape::kFixed:
        out.append(reinterpret_cast<const char*>(values) + i * width,
                   static_cast<std::size_t>(width));
        return;
      case Shape::kBytes: {
        const std::int32_t length = offsets[i + 1] - offsets[i];
        append_length(length, out);
        if (length > 0) {
          out.append(reinterpret_cast<const char*>(values) + offsets[i],
                     static_cast<std::size_t>(length));
        }
        return;
      }
      case Shape::kList: {
        const std::int32_t count = offsets[i + 1] - offsets[i];
        append_length(count, out);
        append_all(
            static_cast<std::size_t>(count),
            [&](std::size_t) -> const Column& { return children[0]; },
            [&](std::size_t e) { return offsets[i] + static_cast<std::int64_t>(e); }, out);
        return;
      }
      case Shape::kStruct:
        append_row(children, i, out);
        return;
    }
  }

  /// `count` values: their presence bits, then those that are present.
  template <typename ColumnOf, typename RowOf>
  static void append_all(std::size_t count, ColumnOf column_of, RowOf row_of, std::string& out) {
    const std::size_t bits = out.size();
    out.append(bytes_of_bits(count), '\0');
    for (std::size_t e = 0; e < count; ++e) {
      const Column& column = column_of(e);
      if (!column.present(row_of(e))) continue;
      out[bits + e / 8] = static_cast<char>(out[bits + e / 8] | 1 << (e % 8));
      column.append(row_of(e), out);
    }
  }

  static void append_row(const std::vector<Column>& columns, std::int64_t row, std::string& out) {
    append_all(
        columns.size(), [&](std::size_t c) -> const Column& { return columns[c]; },
        [row](std::size_t) { return row; }, out);
  }
};

RowEncoder::RowEncoder(std::span<const ArrayPtr> columns)
    : arrays_(columns.begin(), columns.end()) {
  columns_.reserve(arrays_.size());
  for (const ArrayPtr& array : arrays_) columns_.emplace_back(*array->data());
}
RowEncoder::RowEncoder(RowEncoder&&) noexcept = default;
RowEncoder& RowEncoder::operator=(RowEncoder&&) noexcept = default;
RowEncoder::~RowEncoder() = default;

void RowEncoder::append(std::int64_t row, std::string& out) const {
  Column::append_row(columns_, row, out);
}

struct RowDecoder::Column {
  std::shared_ptr<arrow::DataType> type;
  Shape shape;
  std::int32_t width = 0;
  std::int64_t length = 0;
  std::int64_t nulls = 0;
  GrowingBits validity;  // from the first null on
  GrowingBits bits;
  GrowingBytes values;
  std::vector<std::int32_t> offsets;
  std::vector<Column> children;

  explicit Column(std::shared_ptr<arrow::DataType> arrow_type)
      : type(std::move(arrow_type)), shape(shape_of(*type)) {
    if (shape == Shape::kFixed) width = type->byte_width();
    if (has_offsets()) offsets.push_back(0);
    // The layout of a map is that of a list of entries, and so are its children.
    for (const auto& field : type->fields()) children.emplace_back(field->type());
  }

  bool has_offsets() const { return shape == Shape::kBytes || shape == Shape::kList; }

  arrow::Status append_null() {
    const std::int64_t before = length++;
    const bool first = nulls++ == 0;
    if (shape == Shape::kNull) return arrow::Status::OK();
    if (first) ARROW_RETURN_NOT_OK(validity.append_ones(before));
    ARROW_RETURN_NOT_OK(validity.append(false));
    if (shape == Shape::kBit) ARROW_RETURN_NOT_OK(bits.append(false));
    if (shape == Shape::kFixed)
      ARROW_RETURN_NOT_OK(values.append(static_cast<std::size_t>(width), 0));
    if (has_offsets()) offsets.push_back(offsets.back());
    if (shape == Shape::kStruct) {
      for (Column& child : children) ARROW_RETURN_NOT_OK(child.append_null());
    }
    return arrow::Status::OK();
  }

  static arrow::Status corrupt() { return arrow::Status::Invalid("the stored row is cut short"); }

  /// The common case of append(), inlined and without a status: false when it is another one, and
  /// nothing was done then.
  bool append_quickly(std::string_view& in) {
    constexpr std::size_t kWord = 8;
    if (nulls > 0) return false;
    if (shape == Shape::kFixed && width == kWord) {
      if (in.size() < kWord || !values.has_room(kWord)) return false;
      values.append_in_room(in.data(), kWord);
      in.remove_prefix(kWord);
    } else if (shape == Shape::kBytes) {
      std::string_view rest = in;
      std::uint32_t size = 0;
      if (!take_length(rest, size) || rest.size() < size || !values.has_room(size)) return false;
      if (size > static_cast<std::uint32_t>(INT32_MAX - offsets.back())) return false;
      offsets.push_back(offsets.back() + static_cast<std::int32_t>(size));
      values.append_in_room(rest.data(), size);
      in = rest.substr(size);
    } else {
      return false;
    }
    ++length;
    return true;
  }

  arrow::Status append(std::string_view& in) {
    ++length;
    if (nulls > 0) [[unlikely]]
      ARROW_RETURN_NOT_OK(validity.append(true));
    switch (shape) {
      case Shape::kNull:
        return arrow::Status::Invalid("the stored row has a value where only NULL can be");
      case Shape::kBit: {
        const char* value = take_bytes(in, 1);
        return value == nullptr ? corrupt() : bits.append(*value != 0);
      }
      case Shape::kFixed: {
        const char* value = take_bytes(in, static_cast<std::size_t>(width));
        if (value == nullptr) return corrupt();
        // Most are of 8 bytes: then a copy is one move.
        if (width == 8) return values.append(value, 8);
        return values.append(value, static_cast<std::size_t>(width));
      }
      case Shape::kBytes: {
        std::uint32_t size = 0;
        if (!take_length(in, size)) return corrupt();
        const char* value = take_bytes(in, size);
        if (value == nullptr) return corrupt();
        ARROW_RETURN_NOT_OK(push_offset(size));
        return values.append(value, size);
      }
      case Shape::kList: {
        std::uint32_t count = 0;
        if (!take_length(in, count)) return corrupt();
        ARROW_RETURN_NOT_OK(push_offset(count));
        ARROW_RETURN_NOT_OK(
            append_all(in, count, [this](std::size_t) -> Column& { return children[0]; }));
        return check_entries();
      }
      case Shape::kStruct:
        return append_row(children, in);
    }
    return arrow::Status::OK();
  }

  /// Neither entries nor keys of a map can be null.
  arrow::Status check_entries() const {
    if (type->id() != arrow::Type::MAP) return arrow::Status::OK();
    const bool good = children[0].nulls == 0 && children[0].children[0].nulls == 0;
    return good ? arrow::Status::OK() : arrow::Status::Invalid("the stored row has a null map key");
  }

  arrow::Status push_offset(std::uint32_t more) {
    const std::int64_t end = std::int64_t{offsets.back()} + more;
    if (end > INT32_MAX) return arrow::Status::CapacityError("a column of more than 2 GiB");
    offsets.push_back(static_cast<std::int32_t>(end));
    return arrow::Status::OK();
  }

  template <typename ColumnOf>
  static arrow::Status append_all(std::string_view& in, std::size_t count, ColumnOf column_of) {
    const char* present = take_bytes(in, bytes_of_bits(count));
    if (present == nullptr) return corrupt();
    for (std::size_t e = 0; e < count; ++e) {
      Column& column = column_of(e);
      const bool here = (present[e / 8] >> (e % 8) & 1) != 0;
      if (here && column.append_quickly(in)) continue;
      ARROW_RETURN_NOT_OK(here ? column.append(in) : column.append_null());
    }
    return arrow::Status::OK();
  }

  static arrow::Status append_row(std::vector<Column>& columns, std::string_view& in) {
    return append_all(in, columns.size(), [&](std::size_t c) -> Column& { return columns[c]; });
  }

  arrow::Result<std::shared_ptr<arrow::ArrayData>> take() {
    std::vector<std::shared_ptr<arrow::Buffer>> buffers(1);
    const std::int64_t rows = std::exchange(length, 0);
    const std::int64_t null_count = std::exchange(nulls, 0);
    if (shape == Shape::kNull) return arrow::ArrayData::Make(type, rows, buffers, null_count);
    if (null_count > 0) {
      ARROW_ASSIGN_OR_RAISE(buffers[0], validity.finish());
    }
    if (has_offsets()) {
      auto moved = std::exchange(offsets, std::vector<std::int32_t>{0});
      offsets.reserve(moved.size());
      buffers.push_back(arrow::Buffer::FromVector(std::move(moved)));
    }
    if (shape == Shape::kBit) {
      ARROW_ASSIGN_OR_RAISE(buffers.emplace_back(), bits.finish());
    }
    if (shape == Shape::kFixed || shape == Shape::kBytes) {
      ARROW_ASSIGN_OR_RAISE(buffers.emplace_back(), values.finish());
    }
    std::vector<std::shared_ptr<arrow::ArrayData>> child_data;
    for (Column& child : children) {
      ARROW_ASSIGN_OR_RAISE(child_data.emplace_back(), child.take());
    }
    return arrow::ArrayData::Make(type, rows, std::move(buffers), std::move(child_data),
                                  null_count);
  }
};

RowDecoder::RowDecoder(const std::vector<LogicalType>& types) {
  columns_.reserve(types.size());
  for (const LogicalType& type : types) columns_.emplace_back(type.arrow_type());
}
RowDecoder::RowDecoder(RowDecoder&&) noexcept = default;
RowDecoder& RowDecoder::operator=(RowDecoder&&) noexcept = default;
RowDecoder::~RowDecoder() = default;

Status RowDecoder::append(std::string_view bytes) {
  const std::size_t size = bytes.size();
  if (arrow::Status status = Column::append_row(columns_, bytes); !status.ok()) {
    return from_arrow_status(status, "read a stored row", ErrorCode::kStateCorrupt);
  }
  if (!bytes.empty()) {
    return error(ErrorCode::kStateCorrupt, "a stored row of {} bytes has {} bytes too many", size,
                 bytes.size());
  }
  ++num_rows_;
  byte_size_ += static_cast<std::int64_t>(size);
  return Status::ok();
}

Status RowDecoder::append_nulls() {
  for (Column& column : columns_) {
    TG_RETURN_IF_ARROW_ERROR(column.append_null(), "add a row of nulls");
  }
  ++num_rows_;
  return Status::ok();
}

Result<std::vector<ArrayPtr>> RowDecoder::take() {
  num_rows_ = 0;
  byte_size_ = 0;
  std::vector<ArrayPtr> arrays;
  for (Column& column : columns_) {
    TG_ASSIGN_ARROW_OR_RETURN(auto data, column.take(), "collect stored rows");
    arrays.push_back(arrow::MakeArray(std::move(data)));
  }
  return arrays;
}

std::vector<LogicalType> column_types(const Schema& schema) {
  std::vector<LogicalType> types;
  for (const Field& field : schema.fields()) types.push_back(field.type);
  return types;
}

}  // namespace tidegate
