// SPDX-License-Identifier: Apache-2.0
#include "state/base_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/failpoints.h"
#include "base/file_system.h"
#include "base/log.h"
#include "state/base_keys.h"
#include "state/delta.h"
#include "state/expired_rows.h"
#include "state/sorted_rows.h"
#include "state/state_store.h"
#include "state/state_table.h"

namespace tidegate {
namespace {

constexpr BaseStore::TableId kNoTable = 0;  // holds what is about the store itself
constexpr std::string_view kMarkKey("\0\0\0\0mark", 8);
constexpr std::string_view kTableKeys("\0\0\0\0table", 9);
/// A namespace with fewer rows is dropped row by row: range deletions slow down all later reads.
constexpr int kFewRows = 16;

std::string catalog_key(BaseStore::TableId table) {
  std::string out(kTableKeys);
  append_big_endian(out, table);
  return out;
}

rocksdb::Options options_for(const std::shared_ptr<rocksdb::Cache>& cache,
                             std::int64_t buffer_bytes, bool is_kept) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.format_version = 5;
  table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  rocksdb::Options options;
  options.create_if_missing = true;
  options.error_if_exists = !is_kept;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  const auto buffers = static_cast<std::size_t>(buffer_bytes);
  options.write_buffer_manager = std::make_shared<rocksdb::WriteBufferManager>(buffers, cache);
  options.write_buffer_size = std::max<std::size_t>(buffers / 2, 64 << 10);
  options.max_write_buffer_number = 3;
  // Most rows that are looked up are not among the latest.
  options.memtable_prefix_bloom_size_ratio = 0.05;
  options.memtable_whole_key_filtering = true;
  // Rows are short and of little likeness: to pack and unpack blocks costs more than it saves.
  options.compression = rocksdb::kNoCompression;
  // All rows of a small state are rewritten each time: less often.
  options.level0_file_num_compaction_trigger = 8;
  options.level_compaction_dynamic_level_bytes = true;
  // What is looked up is mostly there: filters of the last level, which holds most rows, would take
  // the cache from the rows.
  options.optimize_filters_for_hits = true;
  options.max_open_files = 512;
  options.avoid_flush_during_shutdown = true;
  options.info_log_level = rocksdb::FATAL_LEVEL;
  options.track_and_verify_wals_in_manifest = is_kept;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}
}  // namespace

void BaseStore::expire(TableId table, KeyGroupRange own, std::int64_t last_stamp) {
  expired_->set(table, own, last_stamp);
}

Status BaseStore::compact() {
  return to_status(db_->CompactRange(rocksdb::CompactRangeOptions(), nullptr, nullptr));
}

BaseStore::BaseStore(BaseStoreOptions options)
    : options_(std::move(options)),
      expired_(std::make_shared<ExpiredRows>()),
      cache_(rocksdb::NewLRUCache(static_cast<std::size_t>(options_.cache_bytes), 2)) {}

BaseStore::~BaseStore() {
  if (db_ != nullptr) static_cast<void>(db_->Close());
}

// ---- taking over what is there

Result<std::unique_ptr<BaseStore>> BaseStore::open(BaseStoreOptions options) {
  std::unique_ptr<BaseStore> store(new BaseStore(std::move(options)));
  TG_RETURN_IF_ERROR(store->open_or_replace());
  return store;
}

Status BaseStore::open_rows() {
  rocksdb::DB* opened = nullptr;
  rocksdb::Options options = options_for(cache_, options_.buffer_bytes, options_.is_kept);
  options.compaction_filter_factory = expired_;
  TG_RETURN_IF_ERROR(to_status(rocksdb::DB::Open(options, options_.folder, &opened)));
  db_.reset(opened);
  return Status::ok();
}

Status BaseStore::open_or_replace() {
  TG_RETURN_IF_ERROR(local_file_system().remove_all(loading_folder()));
  TG_RETURN_IF_ERROR(local_file_system().create_directories(loading_folder()));
  Status opened = open_rows();
  if (opened.is_ok() && options_.is_kept) opened = read_catalog();
  if (opened.is_ok() && options_.is_kept) opened = remove_old_layers();
  if (opened.is_ok() || !options_.is_kept || opened.code() == ErrorCode::kDiskFull) return opened;
  log_warning("state.base-damaged", {{"folder", options_.folder}, {"error", opened}});
  return remove_rows();
}

/// All of them.
Status BaseStore::remove_rows() {
  db_.reset();
  tables_.clear();
  mark_.reset();
  expired_->clear();
  FileSystem& files = local_file_system();
  TG_FAILPOINT("state.base.remove");
  TG_RETURN_IF_ERROR(files.remove_all(options_.folder));
  TG_RETURN_IF_ERROR(files.create_directories(options_.folder));
  return open_rows();
}

Status BaseStore::read_catalog() {
  const std::string end = behind(table_prefix(kNoTable));
  const rocksdb::Slice upper(end);
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator(options));
  for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
    if (view(rows->key()) == kMarkKey) {
      mark_ = decode_mark(view(rows->value()));
      if (mark_) continue;
    } else if (auto table = decode_table(view(rows->value()))) {
      tables_.insert_or_assign(table->name, *std::move(table));
      continue;
    }
    return error(ErrorCode::kStateCorrupt, "what the state store says of itself does not read");
  }
  return to_status(rows->status());
}

std::optional<HeldState> BaseStore::held() const {
  const std::lock_guard lock(mutex_);
  if (!mark_ || mark_->as_of.run.empty()) return std::nullopt;
  HeldState held = *mark_;
  for (const auto& [name, table] : tables_) {
    if (table.is_whole()) held.tables.insert(name);
  }
  return held;
}

Status BaseStore::begin_after(const CommittedEpoch& epoch, const std::set<TableName>& kept) {
  const std::lock_guard lock(mutex_);
  applied_.store(epoch.epoch, std::memory_order_release);
  kept_ = kept;
  if (kept.empty() || !mark_) {
    kept_.clear();
    is_building_ = options_.is_kept;
    const bool is_empty = !mark_ && tables_.empty();
    return is_empty ? Status::ok() : remove_rows();
  }
  rocksdb::WriteBatch batch;
  std::erase_if(tables_, [&](const auto& entry) {
    if (kept.contains(entry.first)) return false;
    const std::string begin = table_prefix(entry.second.id);
    batch.DeleteRange(begin, behind(begin));
    batch.Delete(catalog_key(entry.second.id));
    return true;
  });
  mark_->least_epoch = epoch.epoch;
  batch.Put(rocksdb::Slice(kMarkKey), encode_mark(*mark_));
  TG_FAILPOINT("state.base.take-over");
  return write(batch);
}

BaseStore::TableId BaseStore::table_id(const TableName& name) {
  const std::lock_guard lock(mutex_);
  const auto [table, is_new] = tables_.try_emplace(name);
  if (is_new) {
    TableId last = kNoTable;
    for (const auto& [other, info] : tables_) last = std::max(last, info.id);
    table->second.id = last + 1;
    table->second.name = name;
  }
  return table->second.id;
}

bool BaseStore::is_kept(const TableName& name) const {
  const std::lock_guard lock(mutex_);
  return kept_.contains(name);
}

std::string BaseStore::layout_of(TableId id) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, table] : tables_) {
    if (table.id == id) return table.layout;
  }
  return "";
}

// ---- writing

Status BaseStore::write(rocksdb::WriteBatch& batch, bool sync) {
  const std::shared_lock lock(building_mutex_);
  rocksdb::WriteOptions options;
  options.sync = sync && options_.is_kept;
  options.disableWAL = !options_.is_kept || is_building_;
  const Status written = to_status(db_->Write(options, &batch));
  batch.Clear();
  return written;
}

/// What was written without a log becomes durable.
Status BaseStore::end_building() {
  const std::lock_guard lock(building_mutex_);
  if (!is_building_) return Status::ok();
  TG_FAILPOINT("state.base.flush");
  TG_RETURN_IF_ERROR(to_status(db_->Flush(rocksdb::FlushOptions())));
  is_building_ = false;
  return Status::ok();
}

Status BaseStore::apply(const CommittedEpoch& epoch, std::span<const OperatorDeltas> operators) {
  TG_RETURN_IF_ERROR(end_building());
  rocksdb::WriteBatch batch;
  std::string buffer;
  for (const OperatorDeltas& part : operators) {
    for (const StateDelta& delta : *part.deltas) {
      TableId table = kNoTable;
      {
        const std::lock_guard lock(mutex_);
        const auto found = tables_.find({*part.uid, delta.table});
        if (found != tables_.end()) table = found->second.id;
      }
      if (table == kNoTable) continue;
      TG_ASSIGN_OR_RETURN(const std::string_view bytes, delta.view(buffer));
      TG_ASSIGN_OR_RETURN(const DeltaReader reader, DeltaReader::open(bytes));
      TG_RETURN_IF_ERROR(apply_delta(table, reader.key_groups(), bytes, batch));
      if (batch.GetDataSize() >= kBatchBytes) TG_RETURN_IF_ERROR(write_ahead(epoch, batch));
    }
  }
  HeldState mark{epoch, epoch.epoch, {}};
  TG_RETURN_IF_ERROR(to_status(batch.Put(rocksdb::Slice(kMarkKey), encode_mark(mark))));
  TG_FAILPOINT("state.base.apply");
  // A power cut may take from the end of the log, but no earlier piece of it.
  TG_RETURN_IF_ERROR(write(batch, true));
  {
    const std::lock_guard lock(mutex_);
    mark_ = std::move(mark);
  }
  applied_.store(epoch.epoch, std::memory_order_release);
  TG_FAILPOINT("state.base.applied");
  return Status::ok();
}

/// A part of an epoch: until all of it is there, the store serves none before it.
Status BaseStore::write_ahead(const CommittedEpoch& epoch, rocksdb::WriteBatch& batch) {
  {
    const std::lock_guard lock(mutex_);
    // Where nothing is marked, nothing is held.
    if (mark_ && mark_->least_epoch != epoch.epoch) {
      mark_->least_epoch = epoch.epoch;
      TG_RETURN_IF_ERROR(to_status(batch.Put(rocksdb::Slice(kMarkKey), encode_mark(*mark_))));
    }
  }
  TG_FAILPOINT("state.base.apply-part");
  return write(batch);
}

Status BaseStore::restore(TableId table, KeyGroupRange own, std::string_view delta) {
  rocksdb::WriteBatch batch;
  TG_RETURN_IF_ERROR(apply_delta(table, own, delta, batch));
  TG_FAILPOINT("state.base.restore");
  return write(batch);
}

Status BaseStore::restored(TableId id, KeyGroupRange own, const std::string& layout) {
  rocksdb::WriteBatch batch;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [name, table] : tables_) {
      if (table.id != id || (table.is_whole(own) && !table.layout.empty())) continue;
      table.layout = layout;
      table.add_whole(own);
      TG_RETURN_IF_ERROR(to_status(batch.Put(catalog_key(id), encode(table))));
    }
  }
  return options_.is_kept && batch.Count() > 0 ? write(batch) : Status::ok();
}

Status BaseStore::apply_delta(TableId table, KeyGroupRange own, std::string_view delta,
                              rocksdb::WriteBatch& batch) {
  TG_ASSIGN_OR_RETURN(DeltaReader reader, DeltaReader::open(delta));
  if (reader.key_groups().total != own.total) {
    return error(ErrorCode::kStateMismatch, "state was written with {} key groups, the job has {}",
                 reader.key_groups().total, own.total);
  }
  // Other tasks drop their rows themselves.
  const KeyGroupRange dropped{std::max(reader.key_groups().begin, own.begin),
                              std::min(reader.key_groups().end, own.end), own.total};
  SortedRows rows;
  DeltaRecord record;
  while (true) {
    TG_ASSIGN_OR_RETURN(const bool more, reader.next(record));
    if (!more) return rows.move_to(batch);
    if (record.kind == DeltaRecord::Kind::kDrop) {
      TG_RETURN_IF_ERROR(rows.move_to(batch));
      TG_RETURN_IF_ERROR(drop(table, record.name_space, dropped, batch.Count() > 0, batch));
    } else if (own.contains(key_group_of(record.hash, own.total))) {
      const bool puts = record.kind == DeltaRecord::Kind::kPut;
      rows.add(table, record.name_space, record.hash, record.key,
               puts ? std::optional(record.value) : std::nullopt);
    }
  }
}

/// `any_row`: the batch may have rows of the namespace.
Status BaseStore::drop(TableId table, std::int64_t name_space, KeyGroupRange groups, bool any_row,
                       rocksdb::WriteBatch& batch) {
  if (groups.begin >= groups.end) return Status::ok();
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

void BaseStore::fail(Status status) {
  // Nothing is lost: the job that begins again makes it anew.
  if (options_.is_kept && status.code() == ErrorCode::kStateCorrupt) {
    status = error(ErrorCode::kFileIo, "the rows that were kept in '{}' are damaged: {}",
                   options_.folder, status.message());
  }
  const std::lock_guard lock(mutex_);
  if (failure_.is_ok()) failure_ = std::move(status);
  has_failed_.store(true, std::memory_order_release);
}

Status BaseStore::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace tidegate
