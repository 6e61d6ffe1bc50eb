// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dataflow/operator.h"
#include "state/state_table.h"
#include "state/ttl.h"
#include "tidegate/status.h"
#include "types/key_hash.h"

namespace tidegate {

/// The rows of each key in the order of their sort keys, ties in the order of arrival: one state
/// row for each, which is what an epoch's delta holds when it changes, and an index in memory that
/// is made of them at open(). Positions in a key's rows count from 0.
///
/// State key of a row: length of the key (varint) | key | sort key (sort_order.h) | number of
/// arrival (8, big-endian). The upper half of the hash stays the key's, so that the rows are in its
/// key group. Value: bytes of the operator.
class OrderedRows {
 public:
  /// The rows of one key. A reference holds until drop_if_empty() or forget_expired().
  class Key {
   public:
    std::size_t size() const { return size_; }

   private:
    friend class OrderedRows;
    std::string bytes_;
    std::uint64_t hash_ = 0;
    std::size_t prefix_ = 0;  // of state keys, up to the sort key
    std::size_t size_ = 0;
    std::int64_t changed_ms_ = INT64_MIN;
    std::vector<std::vector<std::byte*>> chunks_;  // none is empty
  };

  /// What of a row's bytes says that rows are equal (find()).
  using Columns = std::string_view (*)(std::string_view bytes);

  /// `form` of the bytes: row_layout.h.
  static Result<OrderedRows> open(OperatorContext& context, std::string table_name,
                                  std::string_view form, std::int64_t ttl_ms,
                                  Columns columns = nullptr);

  /// The rows of a key, perhaps none. Rows that have expired are gone.
  Key& key(const StateKey& key);
  /// Forgets keys that have expired; some work only now and then.
  void forget_expired();
  void drop_if_empty(Key& key);

  /// Adds a row behind its ties; its position. Values of rows may move.
  Result<std::size_t> insert(Key& key, std::string_view sort_key, std::string_view bytes);
  void erase(Key& key, std::size_t position);
  void clear(Key& key);
  /// Replaces the bytes of a row.
  void assign(std::byte* value, std::string_view bytes);

  std::byte* at(const Key& key, std::size_t position) const;
  std::string_view sort_key(const Key& key, const std::byte* value) const;
  /// The position of the first row with this sort key, or of where it would be.
  std::size_t lower_bound(const Key& key, std::string_view sort_key) const;
  /// The first row with this sort key and these columns.
  std::optional<std::size_t> find(const Key& key, std::string_view sort_key,
                                  std::string_view columns);
  /// Calls visit(value) for the rows from `position` on, until it answers false.
  template <typename Visit>
  void each(const Key& key, std::size_t position, const Visit& visit) const;

  /// All keys in the order of their bytes.
  std::vector<Key*> keys();
  StateTable& table() const { return *table_; }
  std::string_view bytes_of(const Key& key) const { return key.bytes_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view bytes) const { return hash_key(bytes); }
  };

  OrderedRows(StateTable* table, const Clock* clock, std::int64_t ttl_ms, Columns columns)
      : table_(table), clock_(clock), ttl_{.ttl_ms = ttl_ms}, columns_(columns) {}
  Key& find_or_make(std::string_view bytes, std::uint64_t hash);
  Status rebuild();
  void fill(Key& key, std::vector<std::byte*>& rows);
  void changed(Key& key, std::byte* value);
  std::string_view suffix(const Key& key, const std::byte* value) const {
    return table_->key(value).substr(key.prefix_);
  }
  /// A place in the chunks; that behind the last chunk for the end.
  struct Place {
    std::size_t chunk;
    std::size_t index;
  };
  Place place_of(const Key& key, std::size_t position) const;
  Place place_of(const Key& key, std::string_view suffix) const;
  static std::size_t position_of(const Key& key, Place place);
  void insert_at(Key& key, Place place, std::byte* value);
  /// The state key of a row; its suffix has the number of arrival.
  StateKey row_key(const Key& key, std::string_view sort_key, std::uint64_t arrival);
  std::optional<std::size_t> find_by_columns(const Key& key, std::string_view sort_key,
                                             std::string_view columns);
  std::uint64_t columns_hash(const Key& key, std::string_view sort_key,
                             std::string_view columns) const;
  std::uint64_t columns_hash(const Key& key, const std::byte* value) const;
  void index_columns();
  void forget_columns(const Key& key, const std::byte* value);

  StateTable* table_;
  const Clock* clock_;
  StateTtl ttl_;
  std::int64_t swept_ms_ = INT64_MIN;
  std::uint64_t next_arrival_ = 0;
  std::unordered_map<std::string, Key, Hash, std::equal_to<>> keys_;
  // Numbers of arrival by hash of key, sort key and columns: made when a row has to be found among
  // many ties for the first time.
  Columns columns_;
  std::unordered_multimap<std::uint64_t, std::uint64_t> arrivals_;
  bool has_arrivals_ = false;
  std::string row_key_;
};

template <typename Visit>
void OrderedRows::each(const Key& key, std::size_t position, const Visit& visit) const {
  auto [chunk, index] = place_of(key, position);
  for (; chunk < key.chunks_.size(); ++chunk, index = 0) {
    for (; index < key.chunks_[chunk].size(); ++index) {
      if (!visit(key.chunks_[chunk][index])) return;
    }
  }
}

/// A stored row (stored_rows.h) without what belongs to the change and not to the row: rows are
/// equal when these bytes are.
std::string_view stored_columns(std::string_view stored_row);

}  // namespace tidegate
