// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tidegate/row_kind.h"
#include "tidegate/status.h"
#include "tidegate/time.h"

namespace tidegate {

/// A columnar piece of a stream: equal-length Arrow columns, and beside them what the engine knows
/// per row. The schema is known to whoever holds the batch and is not repeated in it. Columns and
/// side arrays are shared and immutable; copying a batch copies pointers.
class Batch {
 public:
  Batch() = default;
  Batch(std::int64_t num_rows, std::vector<std::shared_ptr<arrow::Array>> columns)
      : num_rows_(num_rows), columns_(std::move(columns)) {}

  std::int64_t num_rows() const { return num_rows_; }
  bool empty() const { return num_rows_ == 0; }
  int num_columns() const { return static_cast<int>(columns_.size()); }
  const std::shared_ptr<arrow::Array>& column(int i) const {
    return columns_[static_cast<std::size_t>(i)];
  }
  const std::vector<std::shared_ptr<arrow::Array>>& columns() const { return columns_; }

  /// One kind per row; empty span: every row is +I.
  std::span<const RowKind> row_kinds() const;
  bool insert_only() const { return row_kinds_ == nullptr; }
  RowKind row_kind(std::int64_t row) const;

  /// Event time per row, attached to the record and not a column (the C++ API); empty: none.
  std::span<const EventTime> event_times() const;

  /// Hash of the key per row, made once where the stream was keyed; empty: not keyed.
  std::span<const std::uint64_t> key_hashes() const;

  /// Side arrays; each must hold num_rows() entries, or be null.
  void set_row_kinds(std::shared_ptr<arrow::Buffer> kinds) { row_kinds_ = std::move(kinds); }
  void set_event_times(std::shared_ptr<arrow::Buffer> times) { event_times_ = std::move(times); }
  void set_key_hashes(std::shared_ptr<arrow::Buffer> hashes) { key_hashes_ = std::move(hashes); }
  const std::shared_ptr<arrow::Buffer>& row_kinds_buffer() const { return row_kinds_; }
  const std::shared_ptr<arrow::Buffer>& event_times_buffer() const { return event_times_; }
  const std::shared_ptr<arrow::Buffer>& key_hashes_buffer() const { return key_hashes_; }

  /// The same rows with other columns; side arrays stay.
  Batch with_columns(std::vector<std::shared_ptr<arrow::Array>> columns) const;
  /// Rows [offset, offset + length) without copying.
  Batch slice(std::int64_t offset, std::int64_t length) const;
  /// The rows at `rows` (each in range), in that order, copied; side arrays follow.
  Result<Batch> take(std::span<const std::int32_t> rows) const;
  /// Bytes held by columns and side arrays, for credits and budgets; an estimate for slices.
  std::int64_t byte_size() const;

  /// The rows of all batches in order; they must have the same columns. Side arrays must be there
  /// in all or in none, but for row kinds, where a missing one means +I.
  static Result<Batch> concatenate(std::span<const Batch> batches);

 private:
  std::int64_t num_rows_ = 0;
  std::vector<std::shared_ptr<arrow::Array>> columns_;
  std::shared_ptr<arrow::Buffer> row_kinds_;    // uint8 per row
  std::shared_ptr<arrow::Buffer> event_times_;  // int64 per row
  std::shared_ptr<arrow::Buffer> key_hashes_;   // uint64 per row
};

}  // namespace tidegate
