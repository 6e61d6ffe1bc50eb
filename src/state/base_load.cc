// SPDX-License-Identifier: Apache-2.0
// How a BaseStore takes in many rows at once: as sorted files, beside its memory and its levels.
#include <rocksdb/db.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/failpoints.h"
#include "base/file_system.h"
#include "base/random.h"
#include "state/base_keys.h"
#include "state/base_store.h"
#include "state/delta_sorter.h"

namespace tidegate {
namespace {

/// Fewer are not worth a file.
constexpr std::int64_t kFewBytes = std::int64_t{2} << 20;
constexpr std::uint64_t kFileBytes = std::uint64_t{64} << 20;
/// Files of several tasks are apart only where they do not reach over many namespaces.
constexpr std::uint64_t kLeastFileBytes = std::uint64_t{4} << 20;

/// The key of a row, in place of the one before.
class RowKey {
 public:
  explicit RowKey(BaseTableId table) : table_(table) {}

  /// True when the row is of another namespace than the one before.
  bool set(const DeltaRecord& row) {
    const bool is_other = bytes_.empty() || row.name_space != name_space_;
    if (is_other) prefix_ = namespace_prefix(table_, row.name_space);
    name_space_ = row.name_space;
    bytes_ = prefix_;
    append_big_endian(bytes_, row.hash);
    bytes_ += row.key;
    return is_other;
  }
  rocksdb::Slice slice() const { return bytes_; }

 private:
  const BaseTableId table_;
  std::int64_t name_space_ = 0;
  std::string prefix_;
  std::string bytes_;
};

/// Files of rows that come in order.
class SortedFiles {
 public:
  SortedFiles(rocksdb::DB& db, std::string folder)
      : db_(db), folder_(std::move(folder)), options_(db.GetOptions()) {}
  SortedFiles(const SortedFiles&) = delete;
  SortedFiles& operator=(const SortedFiles&) = delete;
  ~SortedFiles() {
    for (const std::string& path : paths_) static_cast<void>(local_file_system().remove(path));
  }

  Status add(const RowKey& key, bool begins_namespace, std::string_view value) {
    const std::uint64_t size = file_ == nullptr ? 0 : file_->FileSize();
    if (size >= kFileBytes || (begins_namespace && size >= kLeastFileBytes)) {
      TG_RETURN_IF_ERROR(end_file());
    }
    if (file_ == nullptr) TG_RETURN_IF_ERROR(begin_file());
    return to_status(file_->Put(key.slice(), rocksdb::Slice(value)));
  }
  Status hand_over() {
    if (file_ != nullptr) TG_RETURN_IF_ERROR(end_file());
    if (paths_.empty()) return Status::ok();
    rocksdb::IngestExternalFileOptions how;
    how.move_files = true;
    how.write_global_seqno = false;
    return to_status(db_.IngestExternalFile(paths_, how));
  }

 private:
  Status begin_file() {
    // As for the last level, where they come to: filters are not needed there.
    file_ = std::make_unique<rocksdb::SstFileWriter>(rocksdb::EnvOptions(), options_, nullptr, true,
                                                     rocksdb::Env::IOPriority::IO_TOTAL, true);
    paths_.push_back(fmt::format("{}/{:016x}.sst", folder_, entropy_seed()));
    return to_status(file_->Open(paths_.back()));
  }
  Status end_file() {
    const Status ended = to_status(file_->Finish());
    file_.reset();
    return ended;
  }

  rocksdb::DB& db_;
  const std::string folder_;
  const rocksdb::Options options_;
  std::unique_ptr<rocksdb::SstFileWriter> file_;
  std::vector<std::string> paths_;
};

}  // namespace

std::string BaseStore::loading_folder() const { return options_.folder + "-loading"; }

std::unique_ptr<DeltaSorter> BaseStore::sorter(KeyGroupRange own) const {
  DeltaSorterOptions how;
  how.own = own;
  how.folder = loading_folder();
  how.memory_bytes = static_cast<std::size_t>(
      std::clamp<std::int64_t>(options_.buffer_bytes / 2, 64 << 10, std::int64_t{64} << 20));
  return std::make_unique<DeltaSorter>(std::move(how));
}

Status BaseStore::load(TableId table, DeltaSorter& rows) {
  TG_RETURN_IF_ERROR(rows.finish());
  TG_FAILPOINT("state.base.restore");
  return rows.size_bytes() < kFewBytes ? load_few(table, rows) : load_files(table, rows);
}

Status BaseStore::load_few(TableId table, DeltaSorter& rows) {
  rocksdb::WriteBatch batch;
  RowKey key(table);
  DeltaSorter::Row row;
  while (true) {
    TG_ASSIGN_OR_RETURN(const bool more, rows.next(row));
    if (more && row.record.kind == DeltaRecord::Kind::kPut) {
      key.set(row.record);
      TG_RETURN_IF_ERROR(to_status(batch.Put(key.slice(), rocksdb::Slice(row.record.value))));
    }
    if (!more || batch.GetDataSize() >= kBatchBytes) TG_RETURN_IF_ERROR(write(batch));
    if (!more) return Status::ok();
  }
}

Status BaseStore::load_files(TableId table, DeltaSorter& rows) {
  SortedFiles files(*db_, loading_folder());
  RowKey key(table);
  DeltaSorter::Row row;
  while (true) {
    TG_ASSIGN_OR_RETURN(const bool more, rows.next(row));
    if (!more) break;
    if (row.record.kind != DeltaRecord::Kind::kPut) continue;
    const bool begins_namespace = key.set(row.record);
    TG_RETURN_IF_ERROR(files.add(key, begins_namespace, row.record.value));
  }
  TG_FAILPOINT("state.base.ingest");
  return files.hand_over();
}

}  // namespace tidegate
