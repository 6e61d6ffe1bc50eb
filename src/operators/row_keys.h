// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "state/state_table.h"
#include "tidegate/status.h"
#include "types/batch.h"
#include "types/key_encoding.h"
#include "types/logical_type.h"

namespace tidegate {

/// The keys of the rows of a batch, encoded and hashed once. Holds until the next read(), as long
/// as the batch does. No key columns: all rows have the same, empty key.
class RowKeys {
 public:
  /// Key columns of the input and their types, in order.
  RowKeys(std::vector<int> columns, std::vector<LogicalType> types);

  /// Takes the batch's own hashes where it carries some.
  Status read(const Batch& batch);

  StateKey operator[](std::int64_t row) const {
    return {keys_.key(row), hashes_[static_cast<std::size_t>(row)]};
  }
  /// True when some column of the row's key is null: such keys match nothing in joins.
  bool has_null(std::int64_t row) const {
    return !null_rows_.empty() && null_rows_[static_cast<std::size_t>(row)];
  }
  const EncodedKeys& encoded() const { return keys_; }
  std::span<const std::uint64_t> hashes() const { return hashes_; }

 private:
  std::vector<int> columns_;
  KeyCodec codec_;
  EncodedKeys keys_;
  std::vector<ArrayPtr> arrays_;
  std::span<const std::uint64_t> hashes_;
  std::vector<std::uint64_t> own_hashes_;
  std::vector<bool> null_rows_;  // empty: there are none
};

}  // namespace tidegate
