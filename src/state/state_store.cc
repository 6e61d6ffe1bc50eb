// SPDX-License-Identifier: Apache-2.0
#include "state/state_store.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "base/folder_lock.h"
#include "base/log.h"
#include "base/random.h"
#include "state/base_store.h"
#include "state/delta.h"
#include "state/scratch_file.h"
#include "state/table_backend.h"

namespace tidegate {
namespace {

constexpr std::string_view kFolder = "tidegate-state-";
/// Whoever has made a folder has locked it by then.
constexpr std::int64_t kStaleMs = 60'000;

/// The lock of a folder whose process is gone is free.
void remove_stale_folders(FileSystem& files, const std::string& parent) {
  const auto listed = files.list(parent);
  if (!listed.is_ok()) return;
  for (const FileInfo& file : *listed) {
    const std::string_view name = std::string_view(file.path).substr(file.path.rfind('/') + 1);
    const bool is_old = system_clock().wall_ms() - file.modified_ms > kStaleMs;
    if (!file.is_directory || file.is_link || !name.starts_with(kFolder) || !is_old) continue;
    if (FolderLock::acquire(file.path).is_ok()) {
      const Status removed = files.remove_all(file.path);
      if (!removed.is_ok()) log_warning("state.folder-not-removed", {{"error", removed}});
    }
  }
}

class MemoryStore final : public StateStore {
 public:
  explicit MemoryStore(std::int64_t budget_bytes) : budget_bytes_(budget_bytes) {}
  std::unique_ptr<StateBackend> open(const std::string&, KeyGroupRange range) override {
    return make_memory_state_backend(range, budget_bytes_);
  }

 private:
  std::int64_t budget_bytes_;
};

/// What all backends of a store hold in memory.
struct MemoryShare {
  std::int64_t budget_bytes = 0;
  std::atomic<std::int64_t> used_bytes = 0;
  std::atomic<bool> is_short = false;

  std::atomic<std::int64_t> dirty_bytes = 0;

  /// Time for an epoch, which makes rows clean.
  bool is_dirty() const { return dirty_bytes.load(std::memory_order_relaxed) > budget_bytes / 3; }
  bool is_passed() const { return used_bytes.load(std::memory_order_relaxed) > budget_bytes; }
};

/// State whose rows leave memory when the base has them.
class CachedBackend final : public TableBackend {
 public:
  CachedBackend(std::string operator_uid, KeyGroupRange range, KeyGroupRange of_store,
                BaseStore* base, MemoryShare* share, const std::string& folder)
      : TableBackend(range, 0),
        operator_uid_(std::move(operator_uid)),
        of_store_(of_store),
        base_(base),
        share_(share),
        folder_(folder) {
    memory().set_always_spare(std::min(share_->budget_bytes / 16, std::int64_t{16} << 20));
    memory().set_applied(base_->applied());
    memory().set_sealing(base_->applied());
  }
  /// Counting them would read all that is below.
  std::int64_t num_rows() const override { return 0; }
  ~CachedBackend() override {
    share_->used_bytes -= counted_bytes_;
    share_->dirty_bytes -= counted_dirty_;
  }

  /// What is held takes it at once, so that all of it is as of one epoch.
  Status restore(const StateDelta& delta) override {
    const TableName name(operator_uid_, delta.table);
    if (!base_->is_kept(name)) return TableBackend::restore(delta);
    if (!delta.may_concern(key_groups())) return Status::ok();
    std::string buffer;
    TG_ASSIGN_OR_RETURN(const std::string_view bytes, delta.view(buffer));
    return base_->restore(base_->table_id(name), key_groups(), bytes)
        .with_context(fmt::format("state '{}'", delta.table));
  }

  std::int64_t memory_bytes() const override {
    return memory().used_bytes() + resident().used_bytes();
  }

  void make_room() override {
    count();
    if (const EpochId applied = base_->applied(); applied != memory().applied()) {
      memory().set_applied(applied);
      for (const auto& [name, table] : tables()) {
        if (table->has_base()) table->base_has_moved();
      }
      next_try_bytes_ = 0;
    }
    if (share_->is_dirty()) share_->is_short.store(true, std::memory_order_release);
    if (!share_->is_passed() || memory().used_bytes() < next_try_bytes_) return;
    evict();
    count();
    if (share_->is_passed()) {
      share_->is_short.store(true, std::memory_order_release);
      Status spilled = spill();
      if (!spilled.is_ok()) return base_->fail(std::move(spilled));
      evict();
      count();
    }
    next_try_bytes_ = memory().used_bytes() + memory().used_bytes() / 8;
  }

  Result<std::vector<StateDelta>> seal(EpochId epoch) override {
    std::vector<StateDelta> deltas = std::exchange(early_, {});
    for (StateDelta& delta : deltas) delta.epoch = epoch;
    TG_ASSIGN_OR_RETURN(std::vector<StateDelta> rest, TableBackend::seal(epoch));
    std::ranges::move(rest, std::back_inserter(deltas));
    TG_RETURN_IF_ERROR(std::exchange(store_status_, Status::ok()));
    return deltas;
  }

  Status status() const override { return base_->has_failed() ? base_->failure() : Status::ok(); }

 protected:
  Result<std::unique_ptr<StateTable>> make_table(const StateTableSpec& spec) override {
    const TableName name(operator_uid_, spec.name);
    const bool is_kept = base_->is_kept(name);
    if (!spec.may_have_base()) {
      auto table = std::make_unique<StateTable>(spec, key_groups(), &resident());
      // Who made a copy did not know which tables are in memory.
      if (is_kept) TG_RETURN_IF_ERROR(bring_up(name, *table));
      return table;
    }
    const BaseTable below{base_, base_->table_id(name), is_kept};
    auto table = std::make_unique<StateTable>(spec, key_groups(), &memory(), below);
    const std::string layout = base_->layout_of(below.id);
    if (!layout.empty() && layout != table->fingerprint()) {
      return Status(ErrorCode::kStateMismatch,
                    layout_mismatch(spec.name, layout, table->fingerprint()).message(),
                    "Remove the folder of --state-dir: all rows are then read from the checkpoint, "
                    "and migrated where that can be done.");
    }
    return table;
  }

  Status restored(const StateTable& table) override {
    if (!table.has_base()) return Status::ok();
    const TableName name(operator_uid_, table.spec().name);
    // Where the store's part of the key space ends, nothing is missing behind it.
    KeyGroupRange whole = key_groups();
    if (whole.begin == of_store_.begin) whole.begin = 0;
    if (whole.end == of_store_.end) whole.end = whole.total;
    return base_->restored(base_->table_id(name), whole, table.fingerprint());
  }

  void before_seal(const StateTable& table, DeltaWriter& writer, EpochId epoch,
                   std::vector<StateDelta>& deltas) override {
    // What fits easily stays in memory.
    if (memory().dirty_bytes() > share_->budget_bytes / 16) {
      store_pieces(writer, table.spec().name, epoch, deltas);
    }
  }

 private:
  static constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

  void count() {
    const std::int64_t used = memory().used_bytes();
    const std::int64_t dirty = memory().dirty_bytes();
    if (used != counted_bytes_) share_->used_bytes += used - counted_bytes_;
    if (dirty != counted_dirty_) share_->dirty_bytes += dirty - counted_dirty_;
    counted_bytes_ = used;
    counted_dirty_ = dirty;
  }

  /// All rows of a table below memory.
  Status bring_up(const TableName& name, StateTable& table) {
    const BaseStore::TableId id = base_->table_id(name);
    if (const std::string layout = base_->layout_of(id); layout != table.fingerprint())
      return layout_mismatch(name.second, layout, table.fingerprint());
    DeltaWriter rows(table.fingerprint(), key_groups());
    constexpr std::size_t kPieceRows = 4096;
    for (auto name_space = base_->namespace_at_or_above(id, key_groups(), INT64_MIN); name_space;
         name_space = base_->namespace_at_or_above(id, key_groups(), *name_space + 1)) {
      std::string place;
      const auto put = [&](const BaseRow& row) {
        rows.put(*name_space, row.hash, row.key, row.value);
      };
      while (base_->scan({{}, id}, key_groups(), *name_space, place, kPieceRows, put)) {
      }
      if (*name_space == INT64_MAX) break;
    }
    TG_RETURN_IF_ERROR(status());
    return apply(rows.finish(), table);
  }

  /// What `writer` makes goes to a file, a piece at a time.
  void store_pieces(DeltaWriter& writer, const std::string& table, EpochId epoch,
                    std::vector<StateDelta>& deltas) {
    writer.split_at(kPieceBytes,
                    [this, table, epoch, &deltas,
                     file = std::shared_ptr<ScratchFile>()](std::string piece) mutable {
                      if (file == nullptr) {
                        auto made = ScratchFile::create(folder_);
                        if (!made.is_ok()) {
                          store_status_ = std::move(made).status();
                          return;
                        }
                        file = *std::move(made);
                      }
                      auto stored = file->append(piece);
                      if (!stored.is_ok()) {
                        store_status_ = std::move(stored).status();
                        return;
                      }
                      deltas.push_back({epoch, table, "", *std::move(stored)});
                    });
  }

  /// All that only memory has is put below it.
  Status spill() {
    for (const auto& [name, table] : tables()) {
      if (!table->may_spill()) continue;
      DeltaWriter writer(table->fingerprint(), key_groups());
      store_pieces(writer, name, 0, early_);
      TG_RETURN_IF_ERROR(table->spill(writer));
      if (writer.num_records() > 0) early_.push_back({0, name, writer.finish()});
    }
    return store_status_;
  }

  /// Down to three quarters of the budget, each backend by its part; first what was used seldom.
  void evict() {
    const std::int64_t all = share_->used_bytes.load(std::memory_order_relaxed);
    const std::int64_t too_many = all - share_->budget_bytes / 4 * 3;
    const auto part = static_cast<double>(memory().used_bytes()) / static_cast<double>(all);
    std::int64_t bytes = static_cast<std::int64_t>(static_cast<double>(too_many) * part) + 1;
    for (int most_uses = 1; most_uses <= 3; ++most_uses) {
      for (const auto& [name, table] : tables()) {
        if (bytes > 0 && table->has_base()) bytes -= table->evict(bytes, most_uses);
      }
    }
  }

  const std::string operator_uid_;
  const KeyGroupRange of_store_;
  BaseStore* const base_;
  MemoryShare* const share_;
  const std::string folder_;
  std::int64_t counted_bytes_ = 0;
  std::int64_t counted_dirty_ = 0;
  std::vector<StateDelta> early_;  // of the epoch to come: what was spilled
  Status store_status_;            // of writing pieces
  // Trying again is worth while only when there is more, or when the base has moved.
  std::int64_t next_try_bytes_ = 0;
};

struct StoreFolder {
  std::string path;
  bool is_kept = false;
};

class RocksdbStore final : public StateStore {
 public:
  RocksdbStore(StoreFolder folder, std::unique_ptr<FolderLock> lock,
               std::optional<KeyGroupRange> key_groups, std::int64_t rows_bytes,
               std::unique_ptr<BaseStore> base)
      : folder_(std::move(folder)),
        lock_(std::move(lock)),
        key_groups_(key_groups),
        base_(std::move(base)) {
    share_.budget_bytes = rows_bytes;
  }
  ~RocksdbStore() override {
    // What cannot be read is made anew.
    const bool is_damaged = base_->has_failed();
    base_.reset();
    if (folder_.is_kept && !is_damaged) return;
    const Status removed = local_file_system().remove_all(folder_.path);
    if (!removed.is_ok()) log_warning("state.folder-not-removed", {{"error", removed}});
  }

  std::unique_ptr<StateBackend> open(const std::string& operator_uid,
                                     KeyGroupRange range) override {
    const KeyGroupRange all{0, range.total, range.total};
    return std::make_unique<CachedBackend>(operator_uid, range, key_groups_.value_or(all),
                                           base_.get(), &share_, folder_.path);
  }
  std::optional<HeldState> held() const override { return base_->held(); }
  Status begin_after(const CommittedEpoch& epoch, const std::set<TableName>& kept) override {
    return base_->begin_after(epoch, kept);
  }
  Status apply(const CommittedEpoch& epoch, std::span<const OperatorDeltas> operators) override {
    if (Status applied = base_->apply(epoch, operators); !applied.is_ok()) {
      base_->fail(std::move(applied));
      return base_->failure();
    }
    share_.is_short.store(false, std::memory_order_release);
    return Status::ok();
  }
  Status copy(const CommittedEpoch& epoch, KeyGroupRange own,
              std::span<const OperatorDeltas> changes, bool afresh) override;
  bool is_short_of_memory() const override {
    return share_.is_short.load(std::memory_order_acquire);
  }

 private:
  const StoreFolder folder_;
  std::unique_ptr<FolderLock> lock_;
  const std::optional<KeyGroupRange> key_groups_;
  std::unique_ptr<BaseStore> base_;
  MemoryShare share_;
};

Status RocksdbStore::copy(const CommittedEpoch& epoch, KeyGroupRange own,
                          std::span<const OperatorDeltas> changes, bool afresh) {
  const std::optional<HeldState> held = base_->held();
  if (!afresh && !held)
    return error(ErrorCode::kStateMismatch, "there is no copy that changes could come behind");
  TG_RETURN_IF_ERROR(base_->begin_after(epoch, afresh ? std::set<TableName>() : held->tables));
  std::string buffer;
  for (const OperatorDeltas& part : changes) {
    for (const StateDelta& delta : *part.deltas) {
      TG_ASSIGN_OR_RETURN(const std::string_view bytes, delta.view(buffer));
      TG_ASSIGN_OR_RETURN(const DeltaReader reader, DeltaReader::open(bytes));
      const BaseStore::TableId table = base_->table_id({*part.uid, delta.table});
      const std::string layout = base_->layout_of(table);
      if (!layout.empty() && layout != reader.fingerprint())
        return layout_mismatch(delta.table, layout, reader.fingerprint());
      TG_RETURN_IF_ERROR(base_->restore(table, own, bytes));
      TG_RETURN_IF_ERROR(
          base_->restored(table, {0, own.total, own.total}, std::string(reader.fingerprint())));
    }
  }
  return base_->apply(epoch, {});
}

}  // namespace

Status StateStore::copy(const CommittedEpoch&, KeyGroupRange, std::span<const OperatorDeltas>,
                        bool) {
  return Status(ErrorCode::kNotSupported, "copies of state in memory", "Use --state rocksdb.");
}

std::unique_ptr<StateBackend> make_memory_state_backend(KeyGroupRange range,
                                                        std::int64_t budget_bytes) {
  return std::make_unique<TableBackend>(range, budget_bytes);
}

std::shared_ptr<StateStore> make_memory_state_store(std::int64_t budget_bytes) {
  return std::make_shared<MemoryStore>(budget_bytes);
}

Result<std::shared_ptr<StateStore>> make_rocksdb_state_store(const RocksdbStateOptions& options) {
  constexpr std::int64_t kLeastBytes = std::int64_t{64} << 10;
  FileSystem& files = local_file_system();
  remove_stale_folders(files, options.parent_folder);
  const bool is_kept = !options.kept_name.empty();
  const std::string name =
      is_kept ? options.kept_name : fmt::format("{}{:016x}", kFolder, entropy_seed());
  StoreFolder folder{options.parent_folder + "/" + name, is_kept};
  TG_ASSIGN_OR_RETURN(std::unique_ptr<FolderLock> lock, FolderLock::acquire(folder.path));
  const std::string rows = folder.path + "/rows";
  TG_RETURN_IF_ERROR(files.create_directories(rows));
  // Write buffers are charged to the cache.
  const std::int64_t cache = std::max(options.memory_bytes / 4, kLeastBytes);
  TG_ASSIGN_OR_RETURN(std::unique_ptr<BaseStore> base,
                      BaseStore::open({rows, cache, std::max(cache / 2, kLeastBytes), is_kept}));
  return std::shared_ptr<StateStore>(std::make_shared<RocksdbStore>(
      std::move(folder), std::move(lock), options.key_groups,
      std::max<std::int64_t>(options.memory_bytes - cache, 1), std::move(base)));
}

}  // namespace tidegate
