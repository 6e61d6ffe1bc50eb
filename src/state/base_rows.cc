// SPDX-License-Identifier: Apache-2.0
// How a BaseStore finds rows: in a table, and in the layers above it.
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <deque>
#include <memory>
#include <numeric>
#include <utility>

#include "state/base_keys.h"
#include "state/base_store.h"
#include "state/sorted_rows.h"
#include "state/state_table.h"

namespace tidegate {

/// Looks up those of `keys` whose numbers are in `open`, and takes out what is decided.
bool BaseStore::get_from(TableId table, bool is_layer, std::int64_t name_space,
                         std::span<const StateKey> keys, std::vector<std::size_t>& open,
                         const std::function<void(std::size_t, std::string_view)>& found) {
  std::vector<std::string> bytes;
  std::vector<rocksdb::Slice> asked;
  bytes.reserve(open.size());
  asked.reserve(open.size());
  for (const std::size_t i : open) {
    bytes.push_back(row_key(table, name_space, keys[i].hash, keys[i].bytes));
    asked.emplace_back(bytes.back());
  }
  std::vector<rocksdb::PinnableSlice> values(open.size());
  std::vector<rocksdb::Status> statuses(open.size());
  db_->MultiGet(rocksdb::ReadOptions(), db_->DefaultColumnFamily(), asked.size(), asked.data(),
                values.data(), statuses.data(), true);
  std::size_t left = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t key = open[i];
    if (statuses[i].IsNotFound()) {
      open[left++] = key;
    } else if (!statuses[i].ok()) {
      fail(to_status(statuses[i]));
    } else if (!is_layer) {
      found(key, view(values[i]));
    } else if (!values[i].empty()) {
      found(key, view(values[i]).substr(1));
    }
  }
  open.resize(left);
  return left > 0;
}

void BaseStore::get(const Stack& stack, std::int64_t name_space, std::span<const StateKey> keys,
                    const std::function<void(std::size_t, std::string_view)>& found) {
  std::vector<std::size_t> open(keys.size());
  std::iota(open.begin(), open.end(), std::size_t{0});
  for (const TableId layer : stack.layers) {
    if (!get_from(layer, true, name_space, keys, open, found)) return;
  }
  if (stack.table) get_from(*stack.table, false, name_space, keys, open, found);
}

namespace {

/// The rows of some key groups in one namespace of a table or layer, in order.
class RowWalk {
 public:
  RowWalk(rocksdb::DB& db, BaseStore::TableId table, bool is_layer, KeyGroupRange own,
          std::int64_t name_space, std::string_view position)
      : is_layer_(is_layer),
        end_(group_begin(table, name_space, own.end, own.total)),
        upper_(end_) {
    rocksdb::ReadOptions options;
    options.iterate_upper_bound = &upper_;
    rows_.reset(db.NewIterator(options));
    rows_->Seek(position.empty() ? group_begin(table, name_space, own.begin, own.total)
                                 : table_prefix(table).append(position));
  }
  RowWalk(const RowWalk&) = delete;
  RowWalk& operator=(const RowWalk&) = delete;

  bool has_row() const { return rows_->Valid(); }
  /// Of the row, without the table.
  std::string_view place() const { return view(rows_->key()).substr(kTableBytes); }
  /// Layers only: nothing is there, nor is in what is below.
  bool is_hole() const { return is_layer_ && rows_->value().empty(); }
  BaseRow row() const {
    const std::string_view key = view(rows_->key());
    return {read_big_endian<std::uint64_t>(key.substr(kNamespaceBytes)), key.substr(kHashBytes),
            view(rows_->value()).substr(is_layer_ ? 1 : 0)};
  }
  void next() { rows_->Next(); }
  rocksdb::Status status() const { return rows_->status(); }

 private:
  const bool is_layer_;
  const std::string end_;
  const rocksdb::Slice upper_;
  std::unique_ptr<rocksdb::Iterator> rows_;
};

}  // namespace

bool BaseStore::scan(const Stack& stack, KeyGroupRange own, std::int64_t name_space,
                     std::string& position, std::size_t limit,
                     const std::function<void(const BaseRow&)>& visit) {
  std::deque<RowWalk> walks;
  for (const TableId layer : stack.layers)
    walks.emplace_back(*db_, layer, true, own, name_space, position);
  if (stack.table) walks.emplace_back(*db_, *stack.table, false, own, name_space, position);
  std::size_t count = 0;
  while (true) {
    RowWalk* first = nullptr;  // the upper one of those at the same place
    for (RowWalk& walk : walks) {
      if (walk.has_row() && (first == nullptr || walk.place() < first->place())) first = &walk;
    }
    if (first == nullptr) break;
    if (count == limit) {
      position = first->place();
      return true;
    }
    if (!first->is_hole()) {
      ++count;
      visit(first->row());
    }
    for (RowWalk& walk : walks) {
      if (&walk != first && walk.has_row() && walk.place() == first->place()) walk.next();
    }
    first->next();
  }
  for (const RowWalk& walk : walks) {
    if (!walk.status().ok()) fail(to_status(walk.status()));
  }
  position.clear();
  append_big_endian(position, static_cast<std::uint64_t>(name_space) ^ kSign);
  position.append(64, '\xff');
  return false;
}

std::optional<std::int64_t> BaseStore::namespace_at_or_above(TableId table, KeyGroupRange own,
                                                             std::int64_t bound) {
  const std::string end = behind(table_prefix(table));
  const rocksdb::Slice upper(end);
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator(options));
  rows->Seek(group_begin(table, bound, own.begin, own.total));
  while (rows->Valid()) {
    const std::string_view key = view(rows->key());
    const auto bits = read_big_endian<std::uint64_t>(key.substr(kTableBytes)) ^ kSign;
    const auto name_space = static_cast<std::int64_t>(bits);
    const int group =
        key_group_of(read_big_endian<std::uint64_t>(key.substr(kNamespaceBytes)), own.total);
    if (own.contains(group)) return name_space;
    // Of another task.
    if (group >= own.end && name_space == INT64_MAX) return std::nullopt;
    rows->Seek(
        group_begin(table, group < own.begin ? name_space : name_space + 1, own.begin, own.total));
  }
  if (!rows->status().ok()) fail(to_status(rows->status()));
  return std::nullopt;
}

bool BaseStore::has_rows(const Stack& stack, KeyGroupRange own, std::int64_t name_space) {
  std::string position;
  bool found = false;
  scan(stack, own, name_space, position, 1, [&](const BaseRow&) { found = true; });
  return found;
}

// ---- layers

BaseStore::TableId BaseStore::add_layer() { return kFirstLayer + layers_.fetch_add(1); }

void BaseStore::remove_layer(TableId layer) {
  const std::string begin = table_prefix(layer);
  const std::string end = behind(begin);
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  rocksdb::Status removed = db_->DeleteRange(options, db_->DefaultColumnFamily(), begin, end);
  const rocksdb::Slice first(begin);
  const rocksdb::Slice last(end);
  if (removed.ok())
    removed = rocksdb::DeleteFilesInRange(db_.get(), db_->DefaultColumnFamily(), &first, &last);
  if (!removed.ok()) fail(to_status(removed));
}

void BaseStore::drop_in_layer(TableId layer, KeyGroupRange own, std::int64_t name_space) {
  rocksdb::WriteBatch batch;
  Status dropped = drop(layer, name_space, own, false, batch);
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  if (dropped.is_ok() && batch.Count() > 0) dropped = to_status(db_->Write(options, &batch));
  if (!dropped.is_ok()) fail(std::move(dropped));
}

/// Those of a process that was killed.
Status BaseStore::remove_old_layers() {
  const std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator(rocksdb::ReadOptions()));
  rows->Seek(table_prefix(kFirstLayer));
  TG_RETURN_IF_ERROR(to_status(rows->status()));
  if (!rows->Valid()) return Status::ok();
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  TG_RETURN_IF_ERROR(
      to_status(db_->DeleteRange(options, db_->DefaultColumnFamily(), table_prefix(kFirstLayer),
                                 std::string(kTableBytes, '\xff'))));
  // The log does not know of it.
  return to_status(db_->Flush(rocksdb::FlushOptions()));
}

BaseStore::LayerWriter::LayerWriter(BaseStore& store)
    : store_(store), rows_(std::make_unique<SortedRows>()) {}

BaseStore::LayerWriter::~LayerWriter() = default;

void BaseStore::LayerWriter::put(TableId layer, std::int64_t name_space, std::uint64_t hash,
                                 std::string_view key, std::optional<std::string_view> value) {
  bytes_.clear();
  if (value) {
    bytes_.push_back('+');
    bytes_ += *value;
  }
  rows_->add(layer, name_space, hash, key, bytes_);
  if (rows_->size_bytes() >= kBatchBytes) write();
}

void BaseStore::LayerWriter::write() {
  rocksdb::WriteBatch batch;
  Status written = rows_->move_to(batch);
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  if (written.is_ok()) written = to_status(store_.db_->Write(options, &batch));
  if (status_.is_ok()) status_ = std::move(written);
}

Status BaseStore::LayerWriter::finish() {
  if (!rows_->empty()) write();
  return std::move(status_);
}

}  // namespace tidegate
