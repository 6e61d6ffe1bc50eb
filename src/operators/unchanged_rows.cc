// SPDX-License-Identifier: Apache-2.0
#include "operators/unchanged_rows.h"

#include <arrow/array/array_base.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include <cstring>
#include <vector>

#include "base/check.h"

namespace tidegate {
EntryComparison::EntryComparison(const arrow::Array& column) : column_(column) {
  const arrow::Type::type id = column.type_id();
  if (arrow::is_fixed_width(id) && id != arrow::Type::BOOL && !arrow::is_floating(id)) {
    width_ = static_cast<std::size_t>(column.type()->byte_width());
    bytes_ = column.data()->buffers[1]->data() + static_cast<std::size_t>(column.offset()) * width_;
  }
}

bool EntryComparison::equal(std::int64_t a, std::int64_t b) const {
  const bool valid = column_.IsValid(a);
  if (valid != column_.IsValid(b)) return false;
  if (!valid) return true;
  if (width_ == 0) return column_.RangeEquals(column_, a, a + 1, b);
  return std::memcmp(bytes_ + static_cast<std::size_t>(a) * width_,
                     bytes_ + static_cast<std::size_t>(b) * width_, width_) == 0;
}

Result<Batch> drop_unchanged(const Batch& batch, int first_column, bool drop_equal,
                             bool drop_before) {
  if (batch.insert_only()) return batch;
  std::vector<EntryComparison> columns;
  for (int c = first_column; c < batch.num_columns(); ++c) columns.emplace_back(*batch.column(c));
  const auto equal = [&](std::int64_t a, std::int64_t b) {
    for (const EntryComparison& column : columns) {
      if (!column.equal(a, b)) return false;
    }
    return true;
  };
  std::vector<std::int32_t> kept;
  for (std::int32_t row = 0; row < batch.num_rows(); ++row) {
    if (batch.row_kind(row) == RowKind::kUpdateBefore) {
      if (drop_equal && equal(row, row + 1)) {
        ++row;
        continue;
      }
      if (drop_before) continue;
    }
    kept.push_back(row);
  }
  if (std::ssize(kept) == batch.num_rows()) return batch;
  return batch.take(kept);
}

}  // namespace tidegate
