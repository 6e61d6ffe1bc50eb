// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "operators/keyed_input.h"
#include "state/state_table.h"
#include "tidegate/status.h"
#include "types/batch.h"
#include "types/key_encoding.h"
#include "types/logical_type.h"

namespace tidegate {

/// The keys of a batch's rows in a join, or another operator that has to know of nulls in keys.
/// Holds until the next read(), as long as the batch does. No key columns: all rows have the same,
/// empty key.
class RowKeys {
 public:
  /// Key columns of the input and their types, in order; `null_safe` per column: a null in it is a
  /// value like others ({}: nowhere).
  RowKeys(std::vector<int> columns, std::vector<LogicalType> types,
          std::vector<bool> null_safe = {});
  RowKeys(const RowKeys&) = delete;
  RowKeys& operator=(const RowKeys&) = delete;

  Status read(const Batch& batch);

  StateKey operator[](std::int64_t row) const { return input_.key(row); }
  KeyBatch all() const { return input_.all(); }
  KeyBatch rows(std::span<const std::int32_t> rows) const { return input_.rows(rows); }
  /// True when some column of the row's key that is not null-safe is null: such keys match nothing
  /// in joins.
  bool has_null(std::int64_t row) const {
    return !null_rows_.empty() && null_rows_[static_cast<std::size_t>(row)];
  }

 private:
  std::vector<int> columns_;
  std::vector<bool> null_safe_;
  KeyCodec codec_;
  KeyedInput input_;
  std::vector<bool> null_rows_;  // empty: there are none
};

}  // namespace tidegate
