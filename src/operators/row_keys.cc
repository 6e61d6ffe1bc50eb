// SPDX-License-Identifier: Apache-2.0
#include "operators/row_keys.h"

#include <arrow/array/array_base.h>

#include <utility>

#include "base/check.h"

namespace tidegate {

RowKeys::RowKeys(std::vector<int> columns, std::vector<LogicalType> types,
                 std::vector<bool> null_safe)
    : columns_(std::move(columns)),
      null_safe_(std::move(null_safe)),
      codec_(std::move(types)),
      input_(columns_, &codec_) {
  TG_CHECK(columns_.size() == codec_.types().size(), "columns={} types={}", columns_.size(),
           codec_.types().size());
}

Status RowKeys::read(const Batch& batch) {
  null_rows_.clear();
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (i < null_safe_.size() && null_safe_[i]) continue;
    const arrow::Array& array = *batch.column(columns_[i]);
    if (array.null_count() == 0) continue;
    null_rows_.resize(static_cast<std::size_t>(batch.num_rows()));
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      if (array.IsNull(row)) null_rows_[static_cast<std::size_t>(row)] = true;
    }
  }
  return input_.read(batch);
}

}  // namespace tidegate
