// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
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

/// The changes that a batch makes to one side of a join. Where the side has a unique key, what is
/// taken back is a row that is there, also if another part of it is not as it was; and if rows of
/// the side replace each other, a -U of the old one precedes the new one.
class JoinChanges {
 public:
  /// `unique_key` {}: changes are the rows of the batch as they are.
  JoinChanges(const std::vector<LogicalType>& types, const std::vector<int>& keys,
              const std::vector<int>& unique_key, bool upserts);

  /// Whether unique keys are stored beside rows: they are more than the join key.
  bool stores_unique_key() const { return !unique_columns_.empty(); }

  /// `lists`: per row the list of its key before the batch, null for rows that have none.
  Status read(const Batch& batch, const RowLists& state, std::span<std::byte* const> lists);

  std::span<const JoinChange> changes() const { return changes_; }
  /// The rows of the batch, and behind them rows from state that are taken back. No side arrays.
  const Batch& rows() const { return rows_; }
  /// A row as it is or will be stored.
  std::string_view bytes(std::int32_t row) const {
    const auto i = static_cast<std::size_t>(row);
    if (i + 1 >= offsets_.size()) return replaced_bytes_[i + 1 - offsets_.size()];
    return std::string_view(bytes_).substr(offsets_[i], offsets_[i + 1] - offsets_[i]);
  }
  /// The part of a row's unique key that is not in its join key. Of a row of the batch.
  std::string_view unique_key(std::int32_t row) const {
    return stores_unique_key() ? unique_keys_[row].bytes : std::string_view();
  }

 private:
  using Place = std::pair<std::byte*, std::string_view>;  // list, unique key
  /// A row that is there now, at a place that the batch has touched.
  struct Known {
    std::int32_t row;  // kInState: of rows() only once it is taken back
    std::string_view bytes;
  };
  using Rows = boost::container::small_vector<Known, 2>;
  static constexpr std::int32_t kInState = -1;

  void encode(const Batch& batch);
  Status change(std::int32_t row, RowKind kind, Rows& there);
  Status find_stored(const RowLists& state, const Place& place, Rows& there) const;
  /// Removes a row from those that are there; its number in rows().
  Result<std::int32_t> take_back(Rows& there, Rows::iterator known);
  Status append_replaced();

  const bool has_unique_key_;
  const bool upserts_;
  std::vector<int> unique_columns_;
  RowKeys unique_keys_;
  std::vector<JoinChange> changes_;
  Batch rows_;
  // Of the batch's rows.
  std::string bytes_;
  std::vector<std::size_t> offsets_;
  boost::unordered_flat_map<Place, Rows> there_;
  RowDecoder replaced_;
  std::deque<std::string> replaced_bytes_;
};

}  // namespace tidegate
