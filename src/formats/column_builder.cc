// SPDX-License-Identifier: Apache-2.0
#include "formats/column_builder.h"

#include <arrow/array/array_base.h>
#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace tidegate {

namespace {

constexpr std::size_t kSmallest = 256;

}  // namespace

GrowingBuffer::GrowingBuffer() = default;
GrowingBuffer::~GrowingBuffer() = default;
GrowingBuffer::GrowingBuffer(GrowingBuffer&& other) noexcept
    : buffer_(std::move(other.buffer_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)),
      last_size_(other.last_size_) {}
GrowingBuffer& GrowingBuffer::operator=(GrowingBuffer&& other) noexcept {
  std::swap(buffer_, other.buffer_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
  std::swap(last_size_, other.last_size_);
  return *this;
}

void GrowingBuffer::reserve(std::size_t bytes) {
  const std::size_t wanted =
      buffer_ == nullptr ? std::max(kSmallest, last_size_ + last_size_ / 8) : capacity_ * 2;
  const std::size_t capacity = std::max(wanted, size_ + bytes);
  if (buffer_ == nullptr) {
    auto buffer = arrow::AllocateResizableBuffer(static_cast<std::int64_t>(capacity + kSlack));
    TG_CHECK(buffer.ok(), "{}", buffer.status().message());
    buffer_ = std::move(buffer).ValueUnsafe();
  } else {
    const arrow::Status resized =
        buffer_->Resize(static_cast<std::int64_t>(capacity + kSlack), /*shrink_to_fit=*/false);
    TG_CHECK(resized.ok(), "{}", resized.message());
  }
  data_ = buffer_->mutable_data();
  capacity_ = capacity;
}

std::shared_ptr<arrow::Buffer> GrowingBuffer::take() {
  if (buffer_ == nullptr) reserve(0);
  const arrow::Status resized =
      buffer_->Resize(static_cast<std::int64_t>(size_), /*shrink_to_fit=*/false);
  TG_CHECK(resized.ok(), "{}", resized.message());
  last_size_ = size_;
  data_ = nullptr;
  size_ = capacity_ = 0;
  return std::exchange(buffer_, nullptr);
}

ColumnBuilder::ColumnBuilder(LogicalType type)
    : type_(std::move(type)), arrow_type_(type_.arrow_type()) {
  switch (arrow_type_->id()) {
    case arrow::Type::NA:
      storage_ = Storage::kNull;
      break;
    case arrow::Type::BOOL:
      storage_ = Storage::kBits;
      break;
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      storage_ = Storage::kBytes;
      break;
    case arrow::Type::LIST:
      storage_ = Storage::kList;
      break;
    case arrow::Type::MAP:
      storage_ = Storage::kMap;
      break;
    case arrow::Type::STRUCT:
      storage_ = Storage::kRow;
      break;
    default:
      storage_ = Storage::kFixed;
      width_ = static_cast<std::uint8_t>(arrow_type_->byte_width());
  }
  for (const LogicalType::Child& child : type_.children()) children_.emplace_back(child.type);
  if (type_.kind() == TypeKind::kMultiset)
    children_.emplace_back(LogicalType(TypeKind::kInt, /*nullable=*/false));
  if (has_offsets()) offsets_.push(std::int32_t{0});
}

ColumnBuilder::~ColumnBuilder() = default;
ColumnBuilder::ColumnBuilder(ColumnBuilder&&) noexcept = default;

void ColumnBuilder::append_bool(bool value) {
  if (size_ % 8 == 0) values_.push(std::uint8_t{0});
  arrow::bit_util::SetBitTo(values_.data(), size_, value);
  append_valid();
}

void ColumnBuilder::append_null() {
  switch (storage_) {
    case Storage::kNull:
      break;
    case Storage::kBits:
      if (size_ % 8 == 0) values_.push(std::uint8_t{0});
      break;
    case Storage::kFixed:
      std::memset(values_.room(width_), 0, width_);
      values_.grow_by(width_);
      break;
    case Storage::kBytes:
      offsets_.push(static_cast<std::int32_t>(values_.size()));
      break;
    case Storage::kList:
    case Storage::kMap:
      offsets_.push(static_cast<std::int32_t>(children_[0].size()));
      break;
    case Storage::kRow:
      for (ColumnBuilder& child : children_) child.append_null();
      break;
  }
  if (storage_ != Storage::kNull) append_validity(false);
  ++size_;
}

void ColumnBuilder::start_validity() {
  const auto bytes = static_cast<std::size_t>((size_ + 7) / 8);
  std::memset(validity_.room(bytes), 0xff, bytes);
  validity_.grow_by(bytes);
  has_nulls_ = true;
}

void ColumnBuilder::append_validity(bool valid) {
  if (!has_nulls_) start_validity();
  if (size_ % 8 == 0) validity_.push(std::uint8_t{0});
  arrow::bit_util::SetBitTo(validity_.data(), size_, valid);
}

void ColumnBuilder::truncate(std::int64_t size) {
  const auto rows = static_cast<std::size_t>(size);
  switch (storage_) {
    case Storage::kNull:
      break;
    case Storage::kBits:
      values_.shrink_to((rows + 7) / 8);
      break;
    case Storage::kFixed:
      values_.shrink_to(rows * width_);
      break;
    case Storage::kBytes:
      values_.shrink_to(static_cast<std::size_t>(offset_at(size)));
      offsets_.shrink_to((rows + 1) * sizeof(std::int32_t));
      break;
    case Storage::kList:
    case Storage::kMap:
      for (ColumnBuilder& child : children_) child.truncate(offset_at(size));
      offsets_.shrink_to((rows + 1) * sizeof(std::int32_t));
      break;
    case Storage::kRow:
      for (ColumnBuilder& child : children_) child.truncate(size);
      break;
  }
  if (has_nulls_) validity_.shrink_to((rows + 7) / 8);
  size_ = size;
}

std::shared_ptr<arrow::ArrayData> ColumnBuilder::take_data() {
  std::vector<std::shared_ptr<arrow::Buffer>> buffers(1);
  std::int64_t null_count = storage_ == Storage::kNull ? size_ : 0;
  if (has_nulls_) {
    buffers[0] = validity_.take();
    null_count = arrow::kUnknownNullCount;
  }
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  for (ColumnBuilder& child : children_) children.push_back(child.take_data());
  switch (storage_) {
    case Storage::kNull:
    case Storage::kRow:
      break;
    case Storage::kBits:
    case Storage::kFixed:
      buffers.push_back(values_.take());
      break;
    case Storage::kBytes:
      buffers.push_back(offsets_.take());
      buffers.push_back(values_.take());
      break;
    case Storage::kMap: {
      // Arrow keeps the entries of a map in a struct of key and value.
      const std::int64_t entries = children[0]->length;
      children = {arrow::ArrayData::Make(arrow_type_->field(0)->type(), entries, {nullptr},
                                         std::move(children), 0)};
      buffers.push_back(offsets_.take());
      break;
    }
    case Storage::kList:
      buffers.push_back(offsets_.take());
      break;
  }
  auto data = arrow::ArrayData::Make(arrow_type_, size_, std::move(buffers), std::move(children),
                                     null_count);
  has_nulls_ = false;
  size_ = 0;
  if (has_offsets()) offsets_.push(std::int32_t{0});
  return data;
}

std::shared_ptr<arrow::Array> ColumnBuilder::take() { return arrow::MakeArray(take_data()); }

std::int64_t ColumnBuilder::byte_size() const {
  std::size_t bytes = values_.size() + offsets_.size() + (has_nulls_ ? validity_.size() : 0);
  for (const ColumnBuilder& child : children_) bytes += static_cast<std::size_t>(child.byte_size());
  return static_cast<std::int64_t>(bytes);
}

}  // namespace tidegate
