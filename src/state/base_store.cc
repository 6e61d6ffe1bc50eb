// SPDX-License-Identifier: Apache-2.0
#include "state/base_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "state/delta.h"
#include "state/state_store.h"
#include "state/state_table.h"

namespace tidegate {
namespace {

constexpr BaseStore::TableId kNoTable = 0;  // holds what is about the store itself
constexpr std::string_view kAppliedKey("\0\0\0\0applied", 11);
/// A namespace with fewer rows is dropped row by row: range deletions slow down all later reads.
constexpr int kFewRows = 16;

template <typename T>
void append_big_endian(std::string& out, T value) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift));
  }
}

template <typename T>
T read_big_endian(std::string_view bytes) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value << 8 | static_cast<std::uint8_t>(bytes[i]));
  }
  return value;
}

constexpr std::size_t kTableBytes = 4;
constexpr std::size_t kNamespaceBytes = 12;  // with the table
constexpr std::size_t kHashBytes = 20;       // with table and namespace
constexpr std::uint64_t kSign = std::uint64_t{1} << 63;

std::string table_prefix(BaseStore::TableId table) {
  std::string out;
  append_big_endian(out, table);
  return out;
}

std::string namespace_prefix(BaseStore::TableId table, std::int64_t name_space) {
  std::string out = table_prefix(table);
  append_big_endian(out, static_cast<std::uint64_t>(name_space) ^ kSign);
  return out;
}

std::string row_key(BaseStore::TableId table, std::int64_t name_space, std::uint64_t hash,
                    std::string_view key) {
  std::string out = namespace_prefix(table, name_space);
  append_big_endian(out, hash);
  out += key;
  return out;
}

/// The first key behind all that begin with the prefix, of which some byte is not 0xff.
std::string behind(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

/// Where the key groups from `group` on begin within a namespace.
std::string group_begin(BaseStore::TableId table, std::int64_t name_space, int group, int total) {
  if (group >= total) return behind(namespace_prefix(table, name_space));
  const auto first = static_cast<std::uint64_t>(group);
  const auto groups = static_cast<std::uint64_t>(total);
  return row_key(table, name_space, ((first << 32) + groups - 1) / groups << 32, "");
}

std::string_view view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

Status to_status(const rocksdb::Status& status) {
  if (status.ok()) return Status::ok();
  const std::string text = status.ToString();
  if (status.IsNoSpace()) return error(ErrorCode::kDiskFull, "the state store: {}", text);
  if (status.IsCorruption()) return error(ErrorCode::kStateCorrupt, "the state store: {}", text);
  return error(ErrorCode::kFileIo, "the state store: {}", text);
}

rocksdb::Options options_for(const std::shared_ptr<rocksdb::Cache>& cache,
                             std::int64_t buffer_bytes) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.format_version = 5;
  rocksdb::Options options;
  options.create_if_missing = true;
  options.error_if_exists = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  const auto buffers = static_cast<std::size_t>(buffer_bytes);
  options.write_buffer_manager = std::make_shared<rocksdb::WriteBufferManager>(buffers, cache);
  options.write_buffer_size = std::max<std::size_t>(buffers / 2, 64 << 10);
  options.max_write_buffer_number = 3;
  options.compression = rocksdb::kLZ4Compression;
  options.level_compaction_dynamic_level_bytes = true;
  options.max_open_files = 512;
  options.avoid_flush_during_shutdown = true;
  options.info_log_level = rocksdb::FATAL_LEVEL;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

}  // namespace

Result<std::unique_ptr<BaseStore>> BaseStore::open(const std::string& folder,
                                                   std::int64_t cache_bytes,
                                                   std::int64_t buffer_bytes) {
  std::unique_ptr<BaseStore> store(new BaseStore());
  store->cache_ = rocksdb::NewLRUCache(static_cast<std::size_t>(cache_bytes), 2);
  rocksdb::DB* opened = nullptr;
  TG_RETURN_IF_ERROR(
      to_status(rocksdb::DB::Open(options_for(store->cache_, buffer_bytes), folder, &opened)));
  store->db_.reset(opened);
  return store;
}

BaseStore::~BaseStore() {
  if (db_ != nullptr) static_cast<void>(db_->Close());
}

BaseStore::TableId BaseStore::table_id(const std::string& operator_uid, const std::string& table,
                                       KeyGroupRange range) {
  const std::lock_guard lock(mutex_);
  const auto next = static_cast<TableId>(tables_.size() + 1);
  return tables_.try_emplace({operator_uid, table, range.begin, range.end}, next).first->second;
}

// ---- writing

Status BaseStore::write(rocksdb::WriteBatch& batch) {
  rocksdb::WriteOptions options;
  // After a crash the store is built anew from a checkpoint.
  options.disableWAL = true;
  const Status written = to_status(db_->Write(options, &batch));
  batch.Clear();
  return written;
}

Status BaseStore::apply(EpochId epoch, std::span<const OperatorDeltas> operators) {
  rocksdb::WriteBatch batch;
  for (const OperatorDeltas& part : operators) {
    for (const StateDelta& delta : *part.deltas) {
      TG_ASSIGN_OR_RETURN(const DeltaReader reader, DeltaReader::open(delta.bytes));
      const KeyGroupRange range = reader.key_groups();
      TableId table = kNoTable;
      {
        const std::lock_guard lock(mutex_);
        const auto found = tables_.find({*part.uid, delta.table, range.begin, range.end});
        if (found != tables_.end()) table = found->second;
      }
      if (table != kNoTable) TG_RETURN_IF_ERROR(apply_delta(table, range, delta.bytes, batch));
    }
  }
  std::string applied;
  append_big_endian(applied, static_cast<std::uint64_t>(epoch));
  TG_RETURN_IF_ERROR(to_status(batch.Put(rocksdb::Slice(kAppliedKey), applied)));
  TG_RETURN_IF_ERROR(write(batch));
  applied_.store(epoch, std::memory_order_release);
  return Status::ok();
}

Status BaseStore::restore(TableId table, KeyGroupRange own, std::string_view delta) {
  rocksdb::WriteBatch batch;
  TG_RETURN_IF_ERROR(apply_delta(table, own, delta, batch));
  return write(batch);
}

Status BaseStore::apply_delta(TableId table, KeyGroupRange own, std::string_view delta,
                              rocksdb::WriteBatch& batch) {
  TG_ASSIGN_OR_RETURN(DeltaReader reader, DeltaReader::open(delta));
  const KeyGroupRange writer = reader.key_groups();
  bool any_row = false;
  DeltaRecord record;
  while (true) {
    TG_ASSIGN_OR_RETURN(const bool more, reader.next(record));
    if (!more) return Status::ok();
    if (record.kind == DeltaRecord::Kind::kDrop) {
      TG_RETURN_IF_ERROR(drop(table, record.name_space, writer, any_row, batch));
      continue;
    }
    if (!own.contains(key_group_of(record.hash, own.total))) continue;
    const std::string key = row_key(table, record.name_space, record.hash, record.key);
    const bool puts = record.kind == DeltaRecord::Kind::kPut;
    TG_RETURN_IF_ERROR(
        to_status(puts ? batch.Put(key, rocksdb::Slice(record.value)) : batch.Delete(key)));
    any_row = true;
  }
}

/// `any_row`: the batch may have rows of the namespace.
Status BaseStore::drop(TableId table, std::int64_t name_space, KeyGroupRange groups, bool any_row,
                       rocksdb::WriteBatch& batch) {
  const std::string begin = group_begin(table, name_space, groups.begin, groups.total);
  const std::string end = group_begin(table, name_space, groups.end, groups.total);
  if (any_row) return to_status(batch.DeleteRange(begin, end));
  const rocksdb::Slice upper(end);
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator(options));
  std::vector<std::string> keys;
  for (rows->Seek(begin); rows->Valid() && std::ssize(keys) <= kFewRows; rows->Next()) {
    keys.push_back(rows->key().ToString());
  }
  TG_RETURN_IF_ERROR(to_status(rows->status()));
  if (std::ssize(keys) > kFewRows) return to_status(batch.DeleteRange(begin, end));
  for (const std::string& key : keys) TG_RETURN_IF_ERROR(to_status(batch.Delete(key)));
  return Status::ok();
}

// ---- reading

void BaseStore::get(TableId table, std::int64_t name_space, std::span<const StateKey> keys,
                    const std::function<void(std::size_t, std::string_view)>& found) {
  std::vector<std::string> bytes;
  std::vector<rocksdb::Slice> asked;
  bytes.reserve(keys.size());
  asked.reserve(keys.size());
  for (const StateKey& key : keys) {
    bytes.push_back(row_key(table, name_space, key.hash, key.bytes));
    asked.emplace_back(bytes.back());
  }
  std::vector<rocksdb::PinnableSlice> values(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  db_->MultiGet(rocksdb::ReadOptions(), db_->DefaultColumnFamily(), asked.size(), asked.data(),
                values.data(), statuses.data(), true);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].ok()) {
      found(i, view(values[i]));
    } else if (!statuses[i].IsNotFound()) {
      fail(to_status(statuses[i]));
    }
  }
}

bool BaseStore::scan(TableId table, std::int64_t name_space, std::string& position,
                     std::size_t limit, const std::function<void(const BaseRow&)>& visit) {
  const std::string begin = namespace_prefix(table, name_space);
  const std::string end = behind(begin);
  const rocksdb::Slice upper(end);
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator(options));
  std::size_t count = 0;
  for (rows->Seek(position.empty() ? begin : position); rows->Valid(); rows->Next()) {
    const std::string_view key = view(rows->key());
    if (count++ == limit) {
      position = key;
      return true;
    }
    visit({read_big_endian<std::uint64_t>(key.substr(kNamespaceBytes)), key.substr(kHashBytes),
           view(rows->value())});
  }
  if (!rows->status().ok()) fail(to_status(rows->status()));
  position = end;
  return false;
}

std::optional<std::int64_t> BaseStore::namespace_at_or_above(TableId table, std::int64_t bound) {
  const std::string end = behind(table_prefix(table));
  const rocksdb::Slice upper(end);
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator(options));
  rows->Seek(namespace_prefix(table, bound));
  if (!rows->status().ok()) fail(to_status(rows->status()));
  if (!rows->Valid()) return std::nullopt;
  const auto bits = read_big_endian<std::uint64_t>(view(rows->key()).substr(kTableBytes));
  return static_cast<std::int64_t>(bits ^ kSign);
}

bool BaseStore::has_rows(TableId table, std::int64_t name_space) {
  return namespace_at_or_above(table, name_space) == name_space;
}

void BaseStore::fail(Status status) {
  const std::lock_guard lock(mutex_);
  if (failure_.is_ok()) failure_ = std::move(status);
  has_failed_.store(true, std::memory_order_release);
}

Status BaseStore::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace tidegate
