// SPDX-License-Identifier: Apache-2.0
#include "operators/ranked_rows.h"

#include <arrow/array/array_primitive.h>
#include <arrow/buffer.h>

#include <utility>

#include "base/check.h"

namespace tidegate {

Status RankedRows::update(std::string_view before, std::string_view after, std::int64_t rank) {
  TG_RETURN_IF_ERROR(update_before(before, rank));
  return update_after(after, rank);
}

Status RankedRows::add(std::string_view row, std::int64_t rank, RowKind kind) {
  if (rank < rank_start_ || rank > rank_end_) return Status::ok();
  if (emit_rank_number_) ranks_.push_back(rank);
  return rows_.append(row, kind);
}

Status RankedRows::flush(Output& out) {
  if (rows_.num_rows() == 0) return Status::ok();
  TG_ASSIGN_OR_RETURN(Batch batch, rows_.take());
  if (emit_rank_number_) {
    std::vector<ArrayPtr> columns = batch.columns();
    columns.push_back(std::make_shared<arrow::Int64Array>(
        batch.num_rows(), arrow::Buffer::FromVector(std::exchange(ranks_, {}))));
    batch = batch.with_columns(std::move(columns));
  }
  out.emit(std::move(batch));
  return Status::ok();
}

}  // namespace tidegate
