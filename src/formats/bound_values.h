// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/array/array_base.h>
#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/type.h>

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "types/batch.h"
#include "types/logical_type.h"

namespace tidegate {

/// What writers of single values share: a tree beside the tree of a column's type, bound to arrays
/// once per batch, so that a value is read without a virtual call. `Writer` is the class itself.
template <typename Writer>
class BoundValues {
 public:
  /// What is written from now on is about this array, which must stay alive; `offset`: of the rows
  /// that it is a part of, down to the parts of its parts.
  void bind(const arrow::ArrayData& array, std::int64_t offset = 0) {
    offset_ = array.offset + offset;
    all_null_ = array.type->id() == arrow::Type::NA;
    const auto buffer = [&](std::size_t i) {
      return array.buffers.size() > i && array.buffers[i] != nullptr ? array.buffers[i]->data()
                                                                     : nullptr;
    };
    validity_ = buffer(0);
    values_ = buffer(1);
    data_ = buffer(2);
    if (type_.kind() == TypeKind::kMap || type_.kind() == TypeKind::kMultiset) {
      // Arrow keeps entries in a struct, which may be a slice of its own.
      const arrow::ArrayData& entries = *array.child_data[0];
      for (std::size_t i = 0; i < 2; ++i) children_[i].bind(*entries.child_data[i], entries.offset);
      return;
    }
    const std::int64_t parts_offset = type_.kind() == TypeKind::kRow ? offset_ : 0;
    for (std::size_t i = 0; i < array.child_data.size(); ++i)
      children_[i].bind(*array.child_data[i], parts_offset);
  }
  /// For a ROW: its fields are the columns of a batch.
  void bind_columns(const Batch& batch) {
    for (std::size_t i = 0; i < children_.size(); ++i)
      children_[i].bind(*batch.column(static_cast<int>(i))->data());
  }

 protected:
  explicit BoundValues(LogicalType type) : type_(std::move(type)) {}

  bool is_null(std::int64_t row) const {
    return all_null_ || (validity_ != nullptr &&
                         (validity_[(offset_ + row) / 8] >> ((offset_ + row) % 8) & 1) == 0);
  }
  template <typename T>
  T value(std::int64_t row) const {
    return reinterpret_cast<const T*>(values_)[offset_ + row];
  }
  bool boolean(std::int64_t row) const {
    return (values_[(offset_ + row) / 8] >> ((offset_ + row) % 8) & 1) != 0;
  }
  std::string_view bytes(std::int64_t row) const {
    const auto begin = value<std::int32_t>(row);
    const auto end = value<std::int32_t>(row + 1);
    return {reinterpret_cast<const char*>(data_) + begin, static_cast<std::size_t>(end - begin)};
  }

  LogicalType type_;
  std::vector<Writer> children_;

 private:
  bool all_null_ = false;
  std::int64_t offset_ = 0;
  const std::uint8_t* validity_ = nullptr;
  const std::uint8_t* values_ = nullptr;  // for byte strings and lists: offsets
  const std::uint8_t* data_ = nullptr;    // of byte strings
};

}  // namespace tidegate
