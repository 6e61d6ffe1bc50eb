// SPDX-License-Identifier: Apache-2.0
#include "operators/probed_rows.h"

#include <arrow/array/array_base.h>
#include <arrow/buffer.h>

#include <iterator>
#include <string>
#include <utility>

#include "base/check.h"

namespace tidegate {

Result<std::vector<ArrayPtr>> take_or_null(std::span<const ArrayPtr> columns,
                                           std::span<const std::int32_t> rows) {
  std::vector<std::int32_t> from(rows.begin(), rows.end());
  std::vector<ArrayPtr> taken;
  for (const ArrayPtr& column : columns) {
    TG_ASSIGN_OR_RETURN(ArrayPtr null, null_column(column->type(), 1));
    const ArrayPtr parts[] = {column, std::move(null)};
    TG_ASSIGN_OR_RETURN(const ArrayPtr extended, concatenate_columns(parts));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] < 0) from[i] = static_cast<std::int32_t>(column->length());
    }
    TG_ASSIGN_OR_RETURN(taken.emplace_back(), take_column(extended, from));
  }
  return taken;
}

ProbedRows::ProbedRows(Shape shape, const std::vector<LogicalType>& stored_types)
    : shape_(shape), stored_(shape.stored_columns ? stored_types : std::vector<LogicalType>()) {}

void ProbedRows::begin(Batch batch, bool attach_times) {
  TG_CHECK(rows_.empty(), "{} results have not been taken", rows_.size());
  batch_ = std::move(batch);
  attach_times_ = attach_times && !batch_.event_times().empty();
  row_bytes_.clear();
  if (!shape_.batch_columns || batch_.byte_size() <= kSmallBatchBytes) return;
  const RowEncoder encoder(batch_);
  std::string bytes;
  for (std::int64_t row = 0; row < batch_.num_rows(); ++row) {
    bytes.clear();
    encoder.append(row, bytes);
    row_bytes_.push_back(std::ssize(bytes));
  }
}

Status ProbedRows::add(std::int32_t row, std::optional<std::string_view> stored, RowKind kind) {
  if (shape_.stored_columns) {
    TG_RETURN_IF_ERROR(stored ? stored_.append(*stored) : stored_.append_nulls());
  }
  if (row < 0) {
    has_nulls_ = true;
  } else if (!row_bytes_.empty()) {
    batch_bytes_ += row_bytes_[static_cast<std::size_t>(row)];
  }
  consecutive_ = consecutive_ && row >= 0 && (rows_.empty() || row == rows_.back() + 1);
  rows_.push_back(row);
  kinds_.push_back(kind);
  insert_only_ = insert_only_ && kind == RowKind::kInsert;
  return Status::ok();
}

Result<std::vector<ArrayPtr>> ProbedRows::gather() {
  if (!shape_.batch_columns || rows_.empty()) return std::vector<ArrayPtr>();
  if (consecutive_) return batch_.slice(rows_[0], num_rows()).columns();
  if (has_nulls_) return take_or_null(batch_.columns(), rows_);
  std::vector<ArrayPtr> columns;
  for (const ArrayPtr& column : batch_.columns()) {
    TG_ASSIGN_OR_RETURN(columns.emplace_back(), take_column(column, rows_));
  }
  return columns;
}

Result<Batch> ProbedRows::take() {
  const std::int64_t count = num_rows();
  TG_ASSIGN_OR_RETURN(std::vector<ArrayPtr> columns, gather());
  TG_ASSIGN_OR_RETURN(std::vector<ArrayPtr> stored, stored_.take());
  if (!shape_.batch_is_left) columns.swap(stored);
  std::ranges::move(stored, std::back_inserter(columns));
  Batch result(count, std::move(columns));
  if (!insert_only_) {
    const std::string_view bytes(reinterpret_cast<const char*>(kinds_.data()), kinds_.size());
    result.set_row_kinds(arrow::Buffer::FromString(std::string(bytes)));
  }
  if (attach_times_) {
    std::vector<EventTime> times;
    for (const std::int32_t row : rows_) {
      times.push_back(batch_.event_times()[static_cast<std::size_t>(row)]);
    }
    result.set_event_times(arrow::Buffer::FromVector(std::move(times)));
  }
  rows_.clear();
  kinds_.clear();
  batch_bytes_ = 0;
  insert_only_ = consecutive_ = true;
  has_nulls_ = false;
  return result;
}

}  // namespace tidegate
