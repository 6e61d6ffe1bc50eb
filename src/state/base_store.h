// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "state/base_catalog.h"
#include "state/held_state.h"
#include "state/state_backend.h"
#include "tidegate/status.h"
#include "types/key_group.h"

namespace rocksdb {
class Cache;
class DB;
class WriteBatch;
}  // namespace rocksdb

namespace tidegate {

class DeltaSorter;      // state/delta_sorter.h
class ExpiredRows;      // state/expired_rows.h
class SortedRows;       // state/sorted_rows.h
struct OperatorDeltas;  // state/state_store.h
struct StateKey;        // state/state_table.h

struct BaseRow {
  std::uint64_t hash = 0;
  std::string_view key;
  std::string_view value;  ///< as in a delta
};

struct BaseStoreOptions {
  std::string folder;
  // One cache and one budget for write buffers serve all tables.
  std::int64_t cache_bytes = std::int64_t{64} << 20;
  std::int64_t buffer_bytes = std::int64_t{32} << 20;
  /// What is there is taken over, and what is written outlives the process, killed or not. Else the
  /// folder must be empty.
  bool is_kept = false;
};

/// State rows below memory: one RocksDB for all tables of a job, which holds published epochs only.
///
///   table (4) | namespace (8, sign flipped) | hash (8) | key bytes  ->  value, as in a delta
///
/// Numbers are big-endian, so that a namespace is one range, and within it the upper half of the
/// hash keeps each key group together: the tasks of an operator share a table. Table 0 holds what
/// is about the store itself (base_catalog.h); it is written with the rows that it is about.
/// Thread-safe. Whoever keeps a store locks its folder.
///
/// What cannot be read counts as not there and is kept as failure(), which whoever runs operators
/// has to look at before they let any result go.
class BaseStore {
 public:
  using TableId = std::uint32_t;

  /// A store that is damaged is removed: it can be made anew from a checkpoint or a changelog.
  static Result<std::unique_ptr<BaseStore>> open(BaseStoreOptions options);
  ~BaseStore();

  /// What a store that is kept has of the run before; nothing for a new one, and for one that was
  /// cut off while it was made.
  std::optional<HeldState> held() const;
  /// The job goes on after this epoch. Of what is held only the tables in `kept` stay, to which
  /// restore() then adds what came after; all others are empty now. Before anything else.
  Status begin_after(const CommittedEpoch& epoch, const std::set<TableName>& kept);
  /// The last epoch whose rows are here.
  EpochId applied() const { return applied_.load(std::memory_order_acquire); }

  TableId table_id(const TableName& name);
  /// True for a table with rows as of an earlier run: restore() adds to them.
  bool is_kept(const TableName& name) const;
  /// The fingerprint of its values; empty while nobody knows.
  std::string layout_of(TableId table) const;
  /// Where to put the deltas that make the rows of these key groups from nothing.
  std::unique_ptr<DeltaSorter> sorter(KeyGroupRange own) const;
  /// Takes these rows, of key groups that are empty in the table. Many become sorted files, which
  /// nothing has to rewrite.
  Status load(TableId table, DeltaSorter& rows);
  /// Takes the rows of one delta that lie in these key groups.
  Status restore(TableId table, KeyGroupRange own, std::string_view delta);
  /// All rows of these key groups are there.
  Status restored(TableId table, KeyGroupRange own, const std::string& layout);
  /// Takes what a published epoch changed, all at once. Deltas of tables without id are left out.
  Status apply(const CommittedEpoch& epoch, std::span<const OperatorDeltas> operators);

  /// Rows of these key groups whose values begin with this time stamp or an earlier one may go.
  void expire(TableId table, KeyGroupRange own, std::int64_t last_stamp);
  /// Removes what has expired at once, where otherwise it goes with the next rewriting.
  Status compact();

  // Layers: rows of epochs that are not published yet and that memory has no room for. They hide
  // what is below them, and go with the process.
  TableId add_layer();
  void remove_layer(TableId layer);
  void drop_in_layer(TableId layer, KeyGroupRange own, std::int64_t name_space);
  /// Adds rows to layers.
  class LayerWriter {
   public:
    explicit LayerWriter(BaseStore& store);
    ~LayerWriter();
    /// No value: hides the row.
    void put(TableId layer, std::int64_t name_space, std::uint64_t hash, std::string_view key,
             std::optional<std::string_view> value);
    Status finish();

   private:
    void write();
    BaseStore& store_;
    std::unique_ptr<SortedRows> rows_;
    std::string bytes_;
    Status status_;
  };
  /// What is read: the rows of a table with those of layers in front.
  struct Stack {
    std::span<const TableId> layers;  ///< the upper one first
    std::optional<TableId> table;     ///< none: hidden as a whole
  };

  /// Calls found(i, value) for those of `keys`, which are in order of (hash, bytes), that are
  /// there.
  void get(const Stack& stack, std::int64_t name_space, std::span<const StateKey> keys,
           const std::function<void(std::size_t, std::string_view)>& found);
  /// Visits up to `limit` rows of a namespace, in order of (hash, bytes), and moves `position`
  /// behind them; it begins empty. False at the end.
  bool scan(const Stack& stack, KeyGroupRange own, std::int64_t name_space, std::string& position,
            std::size_t limit, const std::function<void(const BaseRow&)>& visit);
  /// The first namespace of a table or layer from `bound` on with rows of these key groups.
  std::optional<std::int64_t> namespace_at_or_above(TableId table, KeyGroupRange own,
                                                    std::int64_t bound);
  bool has_rows(const Stack& stack, KeyGroupRange own, std::int64_t name_space);

  /// The first one counts.
  void fail(Status status);
  Status failure() const;
  bool has_failed() const { return has_failed_.load(std::memory_order_acquire); }

 private:
  explicit BaseStore(BaseStoreOptions options);
  Status open_rows();
  Status open_or_replace();
  Status read_catalog();
  Status remove_rows();
  Status apply_delta(TableId table, KeyGroupRange own, std::string_view delta,
                     rocksdb::WriteBatch& batch);
  Status drop(TableId table, std::int64_t name_space, KeyGroupRange groups, bool any_row,
              rocksdb::WriteBatch& batch);
  Status write(rocksdb::WriteBatch& batch, bool sync = false);
  Status write_ahead(const CommittedEpoch& epoch, rocksdb::WriteBatch& batch);
  Status end_building();
  Status remove_old_layers();
  std::string loading_folder() const;
  Status load_few(TableId table, DeltaSorter& rows);
  Status load_files(TableId table, DeltaSorter& rows);
  bool get_from(TableId table, bool is_layer, std::int64_t name_space,
                std::span<const StateKey> keys, std::vector<std::size_t>& open,
                const std::function<void(std::size_t, std::string_view)>& found);

  const BaseStoreOptions options_;
  std::shared_ptr<ExpiredRows> expired_;
  std::shared_ptr<rocksdb::Cache> cache_;
  std::unique_ptr<rocksdb::DB> db_;
  std::atomic<EpochId> applied_{0};
  std::atomic<TableId> layers_{0};

  // A store that is made anew has no log; it is flushed before it is first marked with an epoch.
  // Held alone while that changes.
  std::shared_mutex building_mutex_;
  bool is_building_ = false;

  mutable std::mutex mutex_;
  std::map<TableName, BaseTableInfo> tables_;
  std::set<TableName> kept_;
  std::optional<HeldState> mark_;
  Status failure_;
  std::atomic<bool> has_failed_{false};
};

}  // namespace tidegate
