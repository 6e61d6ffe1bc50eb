// SPDX-License-Identifier: Apache-2.0
#include "types/column.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "base/check.h"
#include "types/arrow_status.h"

namespace tidegate {

namespace {

constexpr const char* kTakeRows = "take rows";
using Rows = std::span<const std::int32_t>;

/// The validity of the taken rows; null when the column has no nulls.
Result<std::shared_ptr<arrow::Buffer>> take_validity(const arrow::ArrayData& column, Rows rows) {
  if (column.GetNullCount() == 0) return std::shared_ptr<arrow::Buffer>();
  const auto count = static_cast<std::int64_t>(rows.size());
  TG_ASSIGN_ARROW_OR_RETURN(std::shared_ptr<arrow::Buffer> out, arrow::AllocateEmptyBitmap(count),
                            kTakeRows);
  const std::uint8_t* from = column.buffers[0]->data();
  std::uint8_t* bits = out->mutable_data();
  for (std::int64_t i = 0; i < count; ++i) {
    if (arrow::bit_util::GetBit(from, column.offset + rows[static_cast<std::size_t>(i)]))
      arrow::bit_util::SetBit(bits, i);
  }
  return out;
}

template <typename Word>
void take_words(const std::uint8_t* from, Rows rows, std::uint8_t* to) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    // Through memcpy, since values from files may be unaligned; compiles to one move each way.
    std::memcpy(to + i * sizeof(Word), from + static_cast<std::size_t>(rows[i]) * sizeof(Word),
                sizeof(Word));
  }
}

struct Bytes16 {
  std::uint64_t words[2];
};

ArrayPtr make_taken(const ArrayPtr& column, Rows rows, std::shared_ptr<arrow::Buffer> validity,
                    std::vector<std::shared_ptr<arrow::Buffer>> values) {
  const std::int64_t null_count = validity == nullptr ? 0 : arrow::kUnknownNullCount;
  values.insert(values.begin(), std::move(validity));
  return arrow::MakeArray(arrow::ArrayData::Make(
      column->type(), static_cast<std::int64_t>(rows.size()), std::move(values), null_count));
}

Result<ArrayPtr> take_fixed_width(const ArrayPtr& column, int byte_width, Rows rows) {
  const arrow::ArrayData& data = *column->data();
  TG_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> validity, take_validity(data, rows));
  const auto width = static_cast<std::size_t>(byte_width);
  TG_ASSIGN_ARROW_OR_RETURN(std::shared_ptr<arrow::Buffer> values,
                            arrow::AllocateBuffer(static_cast<std::int64_t>(rows.size() * width)),
                            kTakeRows);
  std::uint8_t* to = values->mutable_data();
  if (!rows.empty()) {
    const std::uint8_t* from =
        data.buffers[1]->data() + static_cast<std::size_t>(data.offset) * width;
    switch (width) {
      case 1:
        take_words<std::uint8_t>(from, rows, to);
        break;
      case 2:
        take_words<std::uint16_t>(from, rows, to);
        break;
      case 4:
        take_words<std::uint32_t>(from, rows, to);
        break;
      case 8:
        take_words<std::uint64_t>(from, rows, to);
        break;
      default:
        take_words<Bytes16>(from, rows, to);
    }
  }
  return make_taken(column, rows, std::move(validity), {std::move(values)});
}

Result<ArrayPtr> take_bits(const ArrayPtr& column, Rows rows) {
  const arrow::ArrayData& data = *column->data();
  TG_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> validity, take_validity(data, rows));
  const auto count = static_cast<std::int64_t>(rows.size());
  TG_ASSIGN_ARROW_OR_RETURN(std::shared_ptr<arrow::Buffer> values,
                            arrow::AllocateEmptyBitmap(count), kTakeRows);
  std::uint8_t* bits = values->mutable_data();
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t row = data.offset + rows[static_cast<std::size_t>(i)];
    if (arrow::bit_util::GetBit(data.buffers[1]->data(), row)) arrow::bit_util::SetBit(bits, i);
  }
  return make_taken(column, rows, std::move(validity), {std::move(values)});
}

Result<ArrayPtr> take_bytes(const ArrayPtr& column, Rows rows) {
  const arrow::ArrayData& data = *column->data();
  TG_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> validity, take_validity(data, rows));
  TG_ASSIGN_ARROW_OR_RETURN(
      std::shared_ptr<arrow::Buffer> offsets,
      arrow::AllocateBuffer(static_cast<std::int64_t>((rows.size() + 1) * sizeof(std::int32_t))),
      kTakeRows);
  const std::int32_t* from_offsets = data.GetValues<std::int32_t>(1);
  auto* to_offsets = offsets->mutable_data_as<std::int32_t>();
  std::int64_t total = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    to_offsets[i] = static_cast<std::int32_t>(total);
    total += from_offsets[rows[i] + 1] - from_offsets[rows[i]];
    if (total > std::numeric_limits<std::int32_t>::max())
      return error(ErrorCode::kLimitExceeded, "a batch's string column passes 2 GiB");
  }
  to_offsets[rows.size()] = static_cast<std::int32_t>(total);

  TG_ASSIGN_ARROW_OR_RETURN(std::shared_ptr<arrow::Buffer> values, arrow::AllocateBuffer(total),
                            kTakeRows);
  const std::uint8_t* from = data.buffers[2] == nullptr ? nullptr : data.buffers[2]->data();
  std::uint8_t* to = values->mutable_data();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto size = static_cast<std::size_t>(to_offsets[i + 1] - to_offsets[i]);
    if (size > 0) std::memcpy(to + to_offsets[i], from + from_offsets[rows[i]], size);
  }
  return make_taken(column, rows, std::move(validity), {std::move(offsets), std::move(values)});
}

Result<ArrayPtr> take_any(const ArrayPtr& column, Rows rows) {
  const auto indices = std::make_shared<arrow::Int32Array>(
      static_cast<std::int64_t>(rows.size()), arrow::Buffer::Wrap(rows.data(), rows.size()));
  TG_ASSIGN_ARROW_OR_RETURN(
      arrow::Datum taken,
      arrow::compute::Take(column, indices, arrow::compute::TakeOptions::NoBoundsCheck()),
      kTakeRows);
  return taken.make_array();
}

/// Bytes of one value where all values of the type take the same whole number of bytes, else 0.
int whole_byte_width(const arrow::DataType& type) {
  if (!arrow::is_fixed_width(type) || type.id() == arrow::Type::DICTIONARY) return 0;
  return type.bit_width() % 8 == 0 ? type.bit_width() / 8 : 0;
}

std::int64_t data_byte_size(const arrow::ArrayData& data, std::int64_t offset,
                            std::int64_t length) {
  std::int64_t size = 0;
  if (!data.buffers.empty() && data.buffers[0] != nullptr) size += (length + 7) / 8;
  switch (data.type->id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
    case arrow::Type::LIST:
    case arrow::Type::MAP: {
      size += length * static_cast<std::int64_t>(sizeof(std::int32_t));
      if (length == 0 || data.buffers[1] == nullptr) return size;
      const auto* offsets = reinterpret_cast<const std::int32_t*>(data.buffers[1]->data());
      const std::int32_t begin = offsets[offset];
      const std::int32_t end = offsets[offset + length];
      if (data.child_data.empty()) return size + (end - begin);
      const arrow::ArrayData& child = *data.child_data[0];
      return size + data_byte_size(child, child.offset + begin, end - begin);
    }
    case arrow::Type::STRUCT:
      for (const std::shared_ptr<arrow::ArrayData>& child : data.child_data)
        size += data_byte_size(*child, child->offset + offset, length);
      return size;
    default:
      if (arrow::is_fixed_width(*data.type))
        return size + (length * data.type->bit_width() + 7) / 8;
      for (std::size_t i = 1; i < data.buffers.size(); ++i)
        if (data.buffers[i] != nullptr) size += data.buffers[i]->size();
      return size;
  }
}

}  // namespace

Result<ArrayPtr> take_column(const ArrayPtr& column, Rows rows) {
  switch (column->type_id()) {
    case arrow::Type::BOOL:
      return take_bits(column, rows);
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return take_bytes(column, rows);
    default:
      switch (const int width = whole_byte_width(*column->type())) {
        case 1:
        case 2:
        case 4:
        case 8:
        case 16:
          return take_fixed_width(column, width, rows);
        default:
          return take_any(column, rows);
      }
  }
}

Result<ArrayPtr> concatenate_columns(std::span<const ArrayPtr> columns) {
  TG_CHECK(!columns.empty(), "nothing to concatenate");
  if (columns.size() == 1) return columns[0];
  std::int64_t bytes = 0;
  for (const ArrayPtr& column : columns) bytes += column_byte_size(*column);
  if (bytes > std::numeric_limits<std::int32_t>::max() &&
      !arrow::is_fixed_width(columns[0]->type_id()))
    return error(ErrorCode::kLimitExceeded, "a batch's column of type {} passes 2 GiB",
                 columns[0]->type()->ToString());
  TG_ASSIGN_ARROW_OR_RETURN(ArrayPtr out,
                            arrow::Concatenate(arrow::ArrayVector(columns.begin(), columns.end())),
                            "concatenate batches");
  return out;
}

std::int64_t column_byte_size(const arrow::Array& column) {
  return data_byte_size(*column.data(), column.offset(), column.length());
}

Result<ArrayPtr> null_column(const std::shared_ptr<arrow::DataType>& type, std::int64_t num_rows) {
  TG_ASSIGN_ARROW_OR_RETURN(ArrayPtr out, arrow::MakeArrayOfNull(type, num_rows),
                            "make a column of nulls");
  return out;
}

}  // namespace tidegate
