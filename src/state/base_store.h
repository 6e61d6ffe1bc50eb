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
  /// Takes the rows of one delta that lie in these key groups.
  Status restore(TableId table, KeyGroupRange own, std::string_view delta);
  /// All rows of these key groups are there.
  Status restored(TableId table, KeyGroupRange own, const std::string& layout);
  /// Takes what a published epoch changed, all at once. Deltas of tables without id are left out.
  Status apply(const CommittedEpoch& epoch, std::span<const OperatorDeltas> operators);

  /// Calls found(i, value) for those of `keys`, which are in order of (hash, bytes), that are
  /// there.
  void get(TableId table, std::int64_t name_space, std::span<const StateKey> keys,
           const std::function<void(std::size_t, std::string_view)>& found);
  /// Visits up to `limit` rows of a namespace, in order of (hash, bytes), and moves `position`
  /// behind them; it begins empty. False at the end.
  bool scan(TableId table, KeyGroupRange own, std::int64_t name_space, std::string& position,
            std::size_t limit, const std::function<void(const BaseRow&)>& visit);
  /// The first namespace from `bound` on with rows of these key groups.
  std::optional<std::int64_t> namespace_at_or_above(TableId table, KeyGroupRange own,
                                                    std::int64_t bound);
  bool has_rows(TableId table, KeyGroupRange own, std::int64_t name_space);

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
  Status end_building();

  const BaseStoreOptions options_;
  std::shared_ptr<rocksdb::Cache> cache_;
  std::unique_ptr<rocksdb::DB> db_;
  std::atomic<EpochId> applied_{0};

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
