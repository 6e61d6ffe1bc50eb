// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/type_fwd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "tidegate/status.h"
#include "types/logical_type.h"

namespace tidegate {

/// Bytes that grow at the end and become an Arrow buffer without a copy.
class GrowingBuffer {
 public:
  /// Bytes that may be written behind the end of what room() was asked for; lets SIMD loops store
  /// whole registers.
  static constexpr std::size_t kSlack = 64;

  GrowingBuffer();
  ~GrowingBuffer();
  GrowingBuffer(GrowingBuffer&&) noexcept;
  GrowingBuffer& operator=(GrowingBuffer&&) noexcept;

  std::size_t size() const { return size_; }
  std::uint8_t* data() { return data_; }
  const std::uint8_t* data() const { return data_; }
  /// Where to write `bytes` more; grow_by() then counts those that were written.
  std::uint8_t* room(std::size_t bytes) {
    // Also for no bytes when there is no buffer yet: a null pointer is no place, not even for none.
    if (capacity_ - size_ <= bytes) [[unlikely]]
      reserve(bytes);
    return data_ + size_;
  }
  void grow_by(std::size_t bytes) { size_ += bytes; }
  void shrink_to(std::size_t size) { size_ = size; }
  template <typename T>
  void push(T value) {
    std::memcpy(room(sizeof(T)), &value, sizeof(T));
    size_ += sizeof(T);
  }
  /// The bytes; starts anew, with room for as many.
  std::shared_ptr<arrow::Buffer> take();

 private:
  void reserve(std::size_t bytes);

  std::shared_ptr<arrow::ResizableBuffer> buffer_;
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;   // without the slack
  std::size_t last_size_ = 0;  // of the last one taken: most likely the next one's too
};

/// A column that grows value by value and can take back the last ones, so that a record which turns
/// out to be bad half-way leaves no trace. Made for decoders' inner loops: no virtual calls, no
/// allocation per value, no validity bits until the first null. Nested types are trees of builders.
///
/// The caller appends values of the column's own physical form (LogicalType says which) and keeps
/// string data, and elements of a list, under 2^31.
class ColumnBuilder {
 public:
  explicit ColumnBuilder(LogicalType type);
  ~ColumnBuilder();
  ColumnBuilder(ColumnBuilder&&) noexcept;

  const LogicalType& type() const { return type_; }
  std::int64_t size() const { return size_; }

  bool is_null(std::int64_t i) const {
    return has_nulls_ && (validity_.data()[i / 8] >> (i % 8) & 1) == 0;
  }
  /// Value i of a column of strings or bytes; valid until the next call that changes the column.
  std::string_view bytes_at(std::int64_t i) const {
    const auto begin = static_cast<std::size_t>(offset_at(i));
    return {reinterpret_cast<const char*>(values_.data()) + begin,
            static_cast<std::size_t>(offset_at(i + 1)) - begin};
  }

  void append_null();
  /// Fixed-width types but BOOLEAN; T has the width of the column.
  template <typename T>
  void append(T value) {
    values_.push(value);
    append_valid();
  }
  void append_bool(bool value);
  /// CHAR, VARCHAR, BINARY, VARBINARY.
  void append_bytes(std::string_view bytes) {
    std::memcpy(begin_bytes(bytes.size()), bytes.data(), bytes.size());
    end_bytes(bytes.size());
  }
  /// The same in place: room for `bound` bytes, and the number of those that were written.
  std::uint8_t* begin_bytes(std::size_t bound) { return values_.room(bound); }
  void end_bytes(std::size_t written) {
    values_.grow_by(written);
    end_list();
  }

  /// ARRAY: one child; MAP and MULTISET: keys, values; ROW: its fields. Append to the children,
  /// then close the value here.
  ColumnBuilder& child(std::size_t i) { return children_[i]; }
  const ColumnBuilder& child(std::size_t i) const { return children_[i]; }
  std::size_t num_children() const { return children_.size(); }
  /// The elements appended to the child(ren) since the last value are one value.
  void end_list() {
    offsets_.push(
        static_cast<std::int32_t>(children_.empty() ? values_.size() : children_[0].size()));
    append_valid();
  }
  /// One value was appended to each child.
  void end_row() { append_valid(); }

  /// Takes back all values from `size` on, and what was appended to children for a value that was
  /// not closed.
  void truncate(std::int64_t size);
  /// All values as an array; starts anew.
  std::shared_ptr<arrow::Array> take();
  /// Bytes held.
  std::int64_t byte_size() const;

 private:
  enum class Storage : std::uint8_t { kNull, kBits, kFixed, kBytes, kList, kMap, kRow };

  void append_valid() {
    if (has_nulls_) [[unlikely]]
      append_validity(true);
    ++size_;
  }
  void append_validity(bool valid);
  void start_validity();
  std::int32_t offset_at(std::int64_t i) const {
    return reinterpret_cast<const std::int32_t*>(offsets_.data())[i];
  }
  bool has_offsets() const { return storage_ >= Storage::kBytes && storage_ <= Storage::kMap; }
  std::shared_ptr<arrow::ArrayData> take_data();

  LogicalType type_;
  std::shared_ptr<arrow::DataType> arrow_type_;
  Storage storage_;
  bool has_nulls_ = false;  // validity_ has a bit per value
  std::uint8_t width_ = 0;  // bytes of a value of Storage::kFixed
  std::int64_t size_ = 0;
  GrowingBuffer values_;
  GrowingBuffer offsets_;  // one more than values, from 0
  GrowingBuffer validity_;
  std::vector<ColumnBuilder> children_;
};

}  // namespace tidegate
