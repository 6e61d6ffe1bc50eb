// SPDX-License-Identifier: Apache-2.0
#include "api/columns.h"

#include <arrow/array/array_base.h>
#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/buffer_builder.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "types/arrow_status.h"

namespace tidegate {
namespace {

LogicalType logical_type_of(const ColumnSpec& column) {
  switch (column.type) {
    case ColumnType::kBoolean:
      return LogicalType(TypeKind::kBoolean, column.nullable);
    case ColumnType::kTinyInt:
      return LogicalType(TypeKind::kTinyInt, column.nullable);
    case ColumnType::kSmallInt:
      return LogicalType(TypeKind::kSmallInt, column.nullable);
    case ColumnType::kInt:
      return LogicalType(TypeKind::kInt, column.nullable);
    case ColumnType::kBigInt:
      return LogicalType(TypeKind::kBigInt, column.nullable);
    case ColumnType::kFloat:
      return LogicalType(TypeKind::kFloat, column.nullable);
    case ColumnType::kDouble:
      return LogicalType(TypeKind::kDouble, column.nullable);
    case ColumnType::kString:
      return LogicalType::string(column.nullable);
    case ColumnType::kTimestamp:
      return LogicalType::timestamp(3, column.nullable);
    case ColumnType::kBytes:
      return LogicalType(TypeKind::kVarbinary, column.nullable);
  }
  return LogicalType();
}

int fixed_width(ColumnType type) {
  switch (type) {
    case ColumnType::kBoolean:
    case ColumnType::kTinyInt:
      return 1;
    case ColumnType::kSmallInt:
      return 2;
    case ColumnType::kInt:
    case ColumnType::kFloat:
      return 4;
    case ColumnType::kString:
    case ColumnType::kBytes:
      return 0;
    default:
      return 8;
  }
}

ColumnView view_of_array(const arrow::Array& array) {
  const arrow::ArrayData& data = *array.data();
  ColumnView view;
  view.offset = data.offset;
  if (data.buffers[0] != nullptr && array.null_count() > 0) view.validity = data.buffers[0]->data();
  if (data.buffers.size() == 3) {
    view.offsets = reinterpret_cast<const std::int32_t*>(data.buffers[1]->data());
    view.values = data.buffers[2] != nullptr ? data.buffers[2]->data() : nullptr;
  } else if (data.buffers.size() > 1 && data.buffers[1] != nullptr) {
    view.values = data.buffers[1]->data();
  }
  return view;
}

}  // namespace

struct ColumnWriter::Buffers {
  std::unique_ptr<arrow::ResizableBuffer> data;
  std::vector<std::int32_t> ends;   // strings: end of each value
  std::vector<std::int64_t> nulls;  // rows that are null, rising
};

ColumnWriter::ColumnWriter(ColumnType type) : type_(type), buffers_(std::make_unique<Buffers>()) {}
ColumnWriter::ColumnWriter(ColumnWriter&&) noexcept = default;
ColumnWriter& ColumnWriter::operator=(ColumnWriter&&) noexcept = default;
ColumnWriter::~ColumnWriter() = default;

void ColumnWriter::grow(std::size_t more) {
  const std::size_t capacity = std::max<std::size_t>({1024, capacity_ * 2, size_ + more});
  if (buffers_->data == nullptr) {
    arrow::Result<std::unique_ptr<arrow::ResizableBuffer>> buffer =
        arrow::AllocateResizableBuffer(static_cast<std::int64_t>(capacity));
    TG_CHECK(buffer.ok(), "cannot allocate {} bytes", capacity);
    buffers_->data = std::move(*buffer);
  } else {
    const arrow::Status status =
        buffers_->data->Resize(static_cast<std::int64_t>(capacity), /*shrink_to_fit=*/false);
    TG_CHECK(status.ok(), "cannot allocate {} bytes", capacity);
  }
  data_ = reinterpret_cast<char*>(buffers_->data->mutable_data());
  capacity_ = capacity;
}

void ColumnWriter::append_boolean(bool value) { append_fixed<std::uint8_t>(value ? 1 : 0); }

void ColumnWriter::append_string(std::string_view value) {
  if (size_ + value.size() > capacity_) grow(value.size());
  if (!value.empty()) std::memcpy(data_ + size_, value.data(), value.size());
  size_ += value.size();
  ++rows_;
  buffers_->ends.push_back(static_cast<std::int32_t>(size_));
}

void ColumnWriter::append_null() {
  buffers_->nulls.push_back(rows_);
  const int width = fixed_width(type_);
  if (width == 0) {
    append_string({});
    return;
  }
  if (size_ + 8 > capacity_) grow(8);
  std::memset(data_ + size_, 0, static_cast<std::size_t>(width));
  size_ += static_cast<std::size_t>(width);
  ++rows_;
}

void ColumnWriter::cut(std::int64_t rows) {
  rows_ = rows;
  while (!buffers_->nulls.empty() && buffers_->nulls.back() >= rows) buffers_->nulls.pop_back();
  if (fixed_width(type_) != 0) {
    size_ = static_cast<std::size_t>(rows) * static_cast<std::size_t>(fixed_width(type_));
    return;
  }
  buffers_->ends.resize(static_cast<std::size_t>(rows));
  size_ = rows == 0 ? 0 : static_cast<std::size_t>(buffers_->ends.back());
}

void BatchWriter::take_back(std::int32_t origin) {
  while (!origins_.empty() && origins_.back() == origin) origins_.pop_back();
  for (ColumnWriter& column : columns_) column.cut(num_rows());
}

BatchWriter::BatchWriter(const std::vector<ColumnType>& types) {
  for (ColumnType type : types) columns_.emplace_back(type);
}

struct ColumnWriterAccess {
  static Result<std::shared_ptr<arrow::Array>> finish(ColumnWriter& writer) {
    const std::int64_t rows = writer.rows_;
    if (rows == 0 || writer.buffers_->data == nullptr) writer.grow(0);
    ColumnWriter::Buffers& buffers = *writer.buffers_;
    std::shared_ptr<arrow::Buffer> validity;
    if (!buffers.nulls.empty()) {
      TG_ASSIGN_OR_RETURN(validity, validity_of(buffers.nulls, rows));
    }
    TG_RETURN_IF_ARROW_ERROR(buffers.data->Resize(static_cast<std::int64_t>(writer.size_), false),
                             "finish a column");
    std::shared_ptr<arrow::Buffer> data = std::move(buffers.data);
    const ColumnSpec spec{"", writer.type_, true};
    const std::shared_ptr<arrow::DataType> type = logical_type_of(spec).arrow_type();
    const auto nulls = static_cast<std::int64_t>(buffers.nulls.size());
    std::shared_ptr<arrow::ArrayData> array;
    if (fixed_width(writer.type_) == 0) {
      TG_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> offsets, offsets_of(buffers.ends));
      array = arrow::ArrayData::Make(type, rows, {validity, offsets, data}, nulls);
    } else if (writer.type_ == ColumnType::kBoolean) {
      TG_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> bits, bits_of(data->data(), rows));
      array = arrow::ArrayData::Make(type, rows, {validity, bits}, nulls);
    } else {
      array = arrow::ArrayData::Make(type, rows, {validity, data}, nulls);
    }
    writer = ColumnWriter(writer.type_);
    return arrow::MakeArray(array);
  }

  static std::vector<ColumnWriter>& columns(BatchWriter& writer) { return writer.columns_; }
  static std::vector<std::int32_t>& origins(BatchWriter& writer) { return writer.origins_; }

 private:
  static Result<std::shared_ptr<arrow::Buffer>> validity_of(const std::vector<std::int64_t>& nulls,
                                                            std::int64_t rows) {
    arrow::TypedBufferBuilder<bool> bits;
    TG_RETURN_IF_ARROW_ERROR(bits.Append(rows, true), "finish a column");
    std::uint8_t* data = bits.mutable_data();
    for (std::int64_t row : nulls) data[row >> 3] &= static_cast<std::uint8_t>(~(1 << (row & 7)));
    TG_ASSIGN_ARROW_OR_RETURN(std::shared_ptr<arrow::Buffer> buffer, bits.Finish(),
                              "finish a column");
    return buffer;
  }
  static Result<std::shared_ptr<arrow::Buffer>> offsets_of(const std::vector<std::int32_t>& ends) {
    arrow::TypedBufferBuilder<std::int32_t> offsets;
    TG_RETURN_IF_ARROW_ERROR(offsets.Reserve(static_cast<std::int64_t>(ends.size()) + 1),
                             "finish a column");
    offsets.UnsafeAppend(0);
    for (std::int32_t end : ends) offsets.UnsafeAppend(end);
    TG_ASSIGN_ARROW_OR_RETURN(std::shared_ptr<arrow::Buffer> buffer, offsets.Finish(),
                              "finish a column");
    return buffer;
  }
  static Result<std::shared_ptr<arrow::Buffer>> bits_of(const std::uint8_t* bytes,
                                                        std::int64_t rows) {
    arrow::TypedBufferBuilder<bool> bits;
    TG_RETURN_IF_ARROW_ERROR(bits.Reserve(rows), "finish a column");
    for (std::int64_t row = 0; row < rows; ++row) bits.UnsafeAppend(bytes[row] != 0);
    TG_ASSIGN_ARROW_OR_RETURN(std::shared_ptr<arrow::Buffer> buffer, bits.Finish(),
                              "finish a column");
    return buffer;
  }
};

namespace {

/// values[origins[i]] for every i.
template <typename T>
Result<std::shared_ptr<arrow::Buffer>> gather(std::span<const T> values,
                                              const std::vector<std::int32_t>& origins) {
  TG_ASSIGN_ARROW_OR_RETURN(
      std::unique_ptr<arrow::Buffer> buffer,
      arrow::AllocateBuffer(static_cast<std::int64_t>(origins.size() * sizeof(T))),
      "gather event times");
  T* out = reinterpret_cast<T*>(buffer->mutable_data());
  for (std::size_t i = 0; i < origins.size(); ++i) {
    out[i] = values[static_cast<std::size_t>(origins[i])];
  }
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

bool is_identity(const std::vector<std::int32_t>& origins, std::int64_t num_rows) {
  if (static_cast<std::int64_t>(origins.size()) != num_rows) return false;
  for (std::size_t i = 0; i < origins.size(); ++i) {
    if (origins[i] != static_cast<std::int32_t>(i)) return false;
  }
  return true;
}

}  // namespace

SchemaPtr schema_of(const std::vector<ColumnSpec>& columns) {
  std::vector<Field> fields;
  for (const ColumnSpec& column : columns) fields.push_back({column.name, logical_type_of(column)});
  return std::make_shared<Schema>(std::move(fields));
}

Result<std::vector<ColumnType>> physical_types(const Schema& schema) {
  std::vector<ColumnType> types;
  for (const Field& field : schema.fields()) {
    switch (field.type.kind()) {
      case TypeKind::kBoolean:
        types.push_back(ColumnType::kBoolean);
        break;
      case TypeKind::kTinyInt:
        types.push_back(ColumnType::kTinyInt);
        break;
      case TypeKind::kSmallInt:
        types.push_back(ColumnType::kSmallInt);
        break;
      case TypeKind::kInt:
        types.push_back(ColumnType::kInt);
        break;
      case TypeKind::kBigInt:
        types.push_back(ColumnType::kBigInt);
        break;
      case TypeKind::kFloat:
        types.push_back(ColumnType::kFloat);
        break;
      case TypeKind::kDouble:
        types.push_back(ColumnType::kDouble);
        break;
      case TypeKind::kVarchar:
        types.push_back(ColumnType::kString);
        break;
      case TypeKind::kTimestamp:
        types.push_back(ColumnType::kTimestamp);
        break;
      case TypeKind::kVarbinary:
        types.push_back(ColumnType::kBytes);
        break;
      default:
        return error(ErrorCode::kTypeMismatch, "a typed record cannot hold column '{}' of type {}",
                     field.name, field.type.to_string());
    }
  }
  return types;
}

std::vector<ColumnType> types_of(const std::vector<ColumnSpec>& columns) {
  std::vector<ColumnType> types;
  for (const ColumnSpec& column : columns) types.push_back(column.type);
  return types;
}

BatchView view_of(const Batch& batch) {
  BatchView view;
  view.num_rows = batch.num_rows();
  view.columns.reserve(batch.columns().size());
  for (const std::shared_ptr<arrow::Array>& column : batch.columns()) {
    view.columns.push_back(view_of_array(*column));
  }
  if (!batch.event_times().empty()) view.event_times = batch.event_times().data();
  if (!batch.row_kinds().empty()) view.row_kinds = batch.row_kinds().data();
  return view;
}

Result<std::shared_ptr<arrow::Array>> finish_column(ColumnWriter& writer) {
  return ColumnWriterAccess::finish(writer);
}

Result<Batch> finish_batch(BatchWriter& writer, const Batch& in) {
  std::vector<std::int32_t> origins = std::move(ColumnWriterAccess::origins(writer));
  ColumnWriterAccess::origins(writer).clear();
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (ColumnWriter& column : ColumnWriterAccess::columns(writer)) {
    TG_CHECK(column.num_rows() == static_cast<std::int64_t>(origins.size()),
             "a column has {} rows of {}", column.num_rows(), origins.size());
    TG_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> array, ColumnWriterAccess::finish(column));
    columns.push_back(std::move(array));
  }
  Batch out(static_cast<std::int64_t>(origins.size()), std::move(columns));
  if (is_identity(origins, in.num_rows())) {
    out.set_event_times(in.event_times_buffer());
    out.set_row_kinds(in.row_kinds_buffer());
    return out;
  }
  if (!in.event_times().empty()) {
    TG_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> times, gather(in.event_times(), origins));
    out.set_event_times(std::move(times));
  }
  if (!in.insert_only()) {
    TG_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> kinds, gather(in.row_kinds(), origins));
    out.set_row_kinds(std::move(kinds));
  }
  return out;
}

}  // namespace tidegate
