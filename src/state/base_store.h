// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

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

/// State rows below memory: one RocksDB for all tables of a job, which holds published epochs only.
///
///   table (4) | namespace (8, sign flipped) | hash (8) | key bytes  ->  value, as in a delta
///
/// Numbers are big-endian, so that a namespace is one range, and within it the upper half of the
/// hash keeps each key group together. Thread-safe.
///
/// What cannot be read counts as not there and is kept as failure(), which whoever runs operators
/// has to look at before they let any result go.
class BaseStore {
 public:
  using TableId = std::uint32_t;

  /// The folder must not hold a store. One cache and one budget for write buffers serve all tables.
  static Result<std::unique_ptr<BaseStore>> open(const std::string& folder,
                                                 std::int64_t cache_bytes,
                                                 std::int64_t buffer_bytes);
  ~BaseStore();

  /// The table of one task of an operator.
  TableId table_id(const std::string& operator_uid, const std::string& table, KeyGroupRange range);

  /// The last epoch whose rows are here.
  EpochId applied() const { return applied_.load(std::memory_order_acquire); }
  void begin_after(EpochId epoch) { applied_.store(epoch, std::memory_order_release); }
  /// Takes what a published epoch changed, all at once. Deltas of tables without id are left out.
  Status apply(EpochId epoch, std::span<const OperatorDeltas> operators);
  /// Takes the rows of one delta that lie in these key groups.
  Status restore(TableId table, KeyGroupRange own, std::string_view delta);

  /// Calls found(i, value) for those of `keys`, which are in order of (hash, bytes), that are
  /// there.
  void get(TableId table, std::int64_t name_space, std::span<const StateKey> keys,
           const std::function<void(std::size_t, std::string_view)>& found);
  /// Visits up to `limit` rows of a namespace, in order of (hash, bytes), and moves `position`
  /// behind them; it begins empty. False at the end.
  bool scan(TableId table, std::int64_t name_space, std::string& position, std::size_t limit,
            const std::function<void(const BaseRow&)>& visit);
  std::optional<std::int64_t> namespace_at_or_above(TableId table, std::int64_t bound);
  bool has_rows(TableId table, std::int64_t name_space);

  /// The first one counts.
  void fail(Status status);
  Status failure() const;
  bool has_failed() const { return has_failed_.load(std::memory_order_acquire); }

 private:
  BaseStore() = default;
  Status apply_delta(TableId table, KeyGroupRange own, std::string_view delta,
                     rocksdb::WriteBatch& batch);
  Status drop(TableId table, std::int64_t name_space, KeyGroupRange groups, bool any_row,
              rocksdb::WriteBatch& batch);
  Status write(rocksdb::WriteBatch& batch);

  std::shared_ptr<rocksdb::Cache> cache_;
  std::unique_ptr<rocksdb::DB> db_;
  std::atomic<EpochId> applied_{0};

  mutable std::mutex mutex_;
  std::map<std::tuple<std::string, std::string, int, int>, TableId> tables_;
  Status failure_;
  std::atomic<bool> has_failed_{false};
};

}  // namespace tidegate
