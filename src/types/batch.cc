// SPDX-License-Identifier: Apache-2.0
#include "types/batch.h"

#include <arrow/array/array_base.h>
#include <arrow/buffer.h>

#include <cstring>
#include <utility>

#include "base/check.h"
#include "types/arrow_status.h"
#include "types/column.h"

namespace tidegate {

namespace {

using BufferPtr = std::shared_ptr<arrow::Buffer>;

template <typename T>
std::span<const T> entries(const BufferPtr& buffer, std::int64_t num_rows) {
  if (buffer == nullptr) return {};
  TG_DCHECK(buffer->size() >= num_rows * static_cast<std::int64_t>(sizeof(T)), "size={} rows={}",
            buffer->size(), num_rows);
  return {reinterpret_cast<const T*>(buffer->data()), static_cast<std::size_t>(num_rows)};
}

template <typename T>
BufferPtr slice_entries(const BufferPtr& buffer, std::int64_t offset, std::int64_t length) {
  if (buffer == nullptr) return nullptr;
  constexpr auto kWidth = static_cast<std::int64_t>(sizeof(T));
  return arrow::SliceBuffer(buffer, offset * kWidth, length * kWidth);
}

template <typename T>
Result<BufferPtr> allocate_entries(std::int64_t num_rows) {
  TG_ASSIGN_ARROW_OR_RETURN(BufferPtr out,
                            arrow::AllocateBuffer(num_rows * static_cast<std::int64_t>(sizeof(T))),
                            "allocate a batch");
  return out;
}

template <typename T>
Result<BufferPtr> take_entries(const BufferPtr& buffer, std::span<const std::int32_t> rows) {
  if (buffer == nullptr) return BufferPtr();
  TG_ASSIGN_OR_RETURN(BufferPtr out, allocate_entries<T>(static_cast<std::int64_t>(rows.size())));
  const T* from = reinterpret_cast<const T*>(buffer->data());
  T* to = out->mutable_data_as<T>();
  for (std::size_t i = 0; i < rows.size(); ++i) to[i] = from[rows[i]];
  return out;
}

using SideArray = const BufferPtr& (Batch::*)() const;

/// Joins one side array of all batches; a batch without it counts as `fallback` per row.
template <typename T>
Result<BufferPtr> concatenate_entries(std::span<const Batch> batches, std::int64_t num_rows,
                                      SideArray side, T fallback) {
  bool any = false;
  for (const Batch& batch : batches) any = any || (batch.*side)() != nullptr;
  if (!any) return BufferPtr();
  TG_ASSIGN_OR_RETURN(BufferPtr out, allocate_entries<T>(num_rows));
  T* to = out->mutable_data_as<T>();
  for (const Batch& batch : batches) {
    const auto count = static_cast<std::size_t>(batch.num_rows());
    const BufferPtr& from = (batch.*side)();
    if (from == nullptr) {
      std::fill_n(to, count, fallback);
    } else if (count > 0) {
      std::memcpy(to, from->data(), count * sizeof(T));
    }
    to += count;
  }
  return out;
}

bool in_all_or_none(std::span<const Batch> batches, SideArray side) {
  for (const Batch& batch : batches)
    if (((batch.*side)() == nullptr) != ((batches[0].*side)() == nullptr)) return false;
  return true;
}

}  // namespace

std::span<const RowKind> Batch::row_kinds() const {
  return entries<RowKind>(row_kinds_, num_rows_);
}

RowKind Batch::row_kind(std::int64_t row) const {
  return row_kinds_ == nullptr ? RowKind::kInsert : row_kinds()[static_cast<std::size_t>(row)];
}

std::span<const EventTime> Batch::event_times() const {
  return entries<EventTime>(event_times_, num_rows_);
}

std::span<const std::uint64_t> Batch::key_hashes() const {
  return entries<std::uint64_t>(key_hashes_, num_rows_);
}

Batch Batch::with_columns(std::vector<std::shared_ptr<arrow::Array>> columns) const {
  Batch out = *this;
  out.columns_ = std::move(columns);
  return out;
}

Batch Batch::slice(std::int64_t offset, std::int64_t length) const {
  TG_CHECK(offset >= 0 && length >= 0 && offset + length <= num_rows_,
           "offset={} length={} rows={}", offset, length, num_rows_);
  if (length == num_rows_) return *this;
  Batch out;
  out.num_rows_ = length;
  out.columns_.reserve(columns_.size());
  for (const ArrayPtr& column : columns_) out.columns_.push_back(column->Slice(offset, length));
  out.row_kinds_ = slice_entries<RowKind>(row_kinds_, offset, length);
  out.event_times_ = slice_entries<EventTime>(event_times_, offset, length);
  out.key_hashes_ = slice_entries<std::uint64_t>(key_hashes_, offset, length);
  return out;
}

Result<Batch> Batch::take(std::span<const std::int32_t> rows) const {
  Batch out;
  out.num_rows_ = static_cast<std::int64_t>(rows.size());
  out.columns_.reserve(columns_.size());
  for (const ArrayPtr& column : columns_) {
    TG_ASSIGN_OR_RETURN(ArrayPtr taken, take_column(column, rows));
    out.columns_.push_back(std::move(taken));
  }
  TG_ASSIGN_OR_RETURN(out.row_kinds_, take_entries<RowKind>(row_kinds_, rows));
  TG_ASSIGN_OR_RETURN(out.event_times_, take_entries<EventTime>(event_times_, rows));
  TG_ASSIGN_OR_RETURN(out.key_hashes_, take_entries<std::uint64_t>(key_hashes_, rows));
  return out;
}

std::int64_t Batch::byte_size() const {
  std::int64_t size = 0;
  for (const ArrayPtr& column : columns_) size += column_byte_size(*column);
  if (row_kinds_ != nullptr) size += num_rows_;
  if (event_times_ != nullptr) size += num_rows_ * 8;
  if (key_hashes_ != nullptr) size += num_rows_ * 8;
  return size;
}

Result<Batch> Batch::concatenate(std::span<const Batch> batches) {
  if (batches.empty()) return Batch();
  if (batches.size() == 1) return batches[0];
  Batch out;
  for (const Batch& batch : batches) {
    TG_CHECK(batch.num_columns() == batches[0].num_columns(), "columns {} and {}",
             batch.num_columns(), batches[0].num_columns());
    out.num_rows_ += batch.num_rows();
  }
  TG_CHECK(in_all_or_none(batches, &Batch::event_times_buffer), "event times in some batches only");
  TG_CHECK(in_all_or_none(batches, &Batch::key_hashes_buffer), "key hashes in some batches only");

  std::vector<ArrayPtr> parts(batches.size());
  for (int i = 0; i < batches[0].num_columns(); ++i) {
    for (std::size_t b = 0; b < batches.size(); ++b) parts[b] = batches[b].column(i);
    TG_ASSIGN_OR_RETURN(ArrayPtr column, concatenate_columns(parts));
    out.columns_.push_back(std::move(column));
  }
  TG_ASSIGN_OR_RETURN(out.row_kinds_,
                      concatenate_entries<RowKind>(batches, out.num_rows_, &Batch::row_kinds_buffer,
                                                   RowKind::kInsert));
  TG_ASSIGN_OR_RETURN(out.event_times_, concatenate_entries<EventTime>(
                                            batches, out.num_rows_, &Batch::event_times_buffer, 0));
  TG_ASSIGN_OR_RETURN(out.key_hashes_, concatenate_entries<std::uint64_t>(
                                           batches, out.num_rows_, &Batch::key_hashes_buffer, 0));
  return out;
}

}  // namespace tidegate
