// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "operators/row_codec.h"
#include "operators/row_keys.h"
#include "operators/row_list.h"
#include "tidegate/row_kind.h"
#include "tidegate/status.h"
#include "types/batch.h"
#include "types/logical_type.h"

namespace tidegate {

/// One change of a side of a join.
struct JoinChange {
  std::int32_t row = 0;      ///< of JoinChanges::rows()
  std::int32_t key_row = 0;  ///< row of the batch that has its key
  RowKind kind = RowKind::kInsert;
};

/// The changes that a batch makes to one side of a join. Where the side has a unique key, a row
/// that replaces another one is preceded by a -U of that, and what is taken back is what was there.
class JoinChanges {
 public:
  /// `unique_key` {}: changes are the rows of the batch as they are.
  JoinChanges(const std::vector<LogicalType>& types, const std::vector<int>& keys,
              const std::vector<int>& unique_key);

  /// Whether unique keys are stored beside rows: they are more than the join key.
  bool stores_unique_key() const { return !unique_columns_.empty(); }

  /// `lists`: per row the list of its key before the batch, null for rows that have none.
  Status read(const Batch& batch, const RowLists& state, std::span<std::byte* const> lists);

  std::span<const JoinChange> changes() const { return changes_; }
  /// The rows of the batch, and behind them rows from state that are taken back. No side arrays.
  const Batch& rows() const { return rows_; }
  bool has_unique_key() const { return has_unique_key_; }
  /// The part of a row's unique key that is not in its join key. Of a row of the batch.
  std::string_view unique_key(std::int32_t row) const {
    return stores_unique_key() ? unique_keys_[row].bytes : std::string_view();
  }

 private:
  using Place = std::pair<std::byte*, std::string_view>;  // list, unique key

  Result<std::int32_t> find_stored(const Batch& batch, const RowEncoder& encoder,
                                   const RowLists& state, std::byte* list, std::int32_t row);
  Status append_replaced(const Batch& batch);

  bool has_unique_key_;
  std::vector<int> unique_columns_;
  RowKeys unique_keys_;
  std::vector<JoinChange> changes_;
  Batch rows_;
  // Per place that the batch has touched: the row that is there now, or -1.
  boost::unordered_flat_map<Place, std::int32_t> current_;
  RowDecoder replaced_;
  std::string bytes_;
};

}  // namespace tidegate
