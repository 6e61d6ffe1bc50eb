// SPDX-License-Identifier: Apache-2.0
#include "epoch/savepoint.h"

#include <algorithm>
#include <list>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "epoch/checkpoint_files.h"
#include "epoch/data_files.h"
#include "epoch/fold_deltas.h"
#include "state/delta.h"

namespace tidegate {
namespace {

OperatorState& operator_of(EpochRecord& record, const std::string& uid) {
  const auto found = std::ranges::find(record.operators, uid, &OperatorState::uid);
  if (found != record.operators.end()) return *found;
  return record.operators.emplace_back(OperatorState{uid, {}, {}});
}

DataFileWriter writer_to(BlobStore& to) {
  return DataFileWriter([&to](const DataFile& file, std::string_view content) {
    return to.put(data_file_name(file), content);
  });
}

/// The step that makes it a savepoint; then what only the one before it needed goes.
Status publish(BlobStore& to, const Manifest& manifest) {
  const std::string name(kSavepoint);
  const auto before = read_manifest(to, name);
  TG_RETURN_IF_ERROR(to.put(name, encode_manifest(manifest)));
  if (!before.is_ok()) return Status::ok();
  std::set<std::string> needed;
  for (const DataFile& file : files_of(manifest.tables)) needed.insert(file.hash);
  for (const DataFile& file : files_of(before->tables)) {
    if (needed.contains(file.hash)) continue;
    const Status removed = to.remove(data_file_name(file));
    if (!removed.is_ok()) log_warning("savepoint.collect-failed", {{"error", removed.message()}});
  }
  return Status::ok();
}

/// True when the table as it is held and the changes since are all of it. A change that was merged
/// with earlier ones is one since: to apply it twice does no harm.
bool makes_up(const TableState& table, const HeldState& held) {
  return held.tables.contains({table.uid, table.table}) &&
         std::ranges::none_of(table.sections, [&](const StateSection& section) {
           return section.is_base && section.epoch > held.as_of.epoch;
         });
}

/// A state of more than this is not kept in memory until its tasks have restored it.
constexpr std::int64_t kInMemoryBytes = std::int64_t{16} << 20;

/// Tasks read different files at the same time, each many sections of one.
class SharedReader {
 public:
  explicit SharedReader(std::shared_ptr<BlobStore> blobs) : blobs_(std::move(blobs)) {}

  Result<std::string> read(const StateSection& section) {
    std::unique_ptr<DataFileReader> reader = take(section.file);
    auto bytes = reader->read(section);
    Result<std::string> copy = bytes.is_ok() ? Result<std::string>(std::string(*bytes))
                                             : Result<std::string>(bytes.status());
    const std::lock_guard lock(mutex_);
    readers_.push_front(std::move(reader));
    if (readers_.size() > kMostFiles) readers_.pop_back();
    return copy;
  }

 private:
  static constexpr std::size_t kMostFiles = 2;

  /// The one that has the file, if there is one.
  std::unique_ptr<DataFileReader> take(const DataFile& file) {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::ranges::find_if(readers_, [&](const auto& reader) { return reader->has(file); });
    if (found == readers_.end()) return std::make_unique<DataFileReader>(*blobs_);
    std::unique_ptr<DataFileReader> reader = std::move(*found);
    readers_.erase(found);
    return reader;
  }

  const std::shared_ptr<BlobStore> blobs_;
  std::mutex mutex_;
  std::list<std::unique_ptr<DataFileReader>> readers_;  // used last first
};

class StoredSection final : public StoredBytes {
 public:
  StoredSection(std::shared_ptr<SharedReader> reader, StateSection section)
      : reader_(std::move(reader)), section_(std::move(section)) {}
  Result<std::string> read() const override { return reader_->read(section_); }
  std::optional<KeyGroupRange> key_groups() const override { return section_.key_groups; }

 private:
  std::shared_ptr<SharedReader> reader_;
  StateSection section_;
};

}  // namespace

Status copy_savepoint(BlobStore& from, Manifest manifest, BlobStore& to) {
  for (TableState& table : manifest.tables) {
    DataFileWriter writer = writer_to(to);
    TG_RETURN_IF_ERROR(fold_table(
        from, table, manifest.record.key_groups, [] { return true; },
        [&](const std::string& delta) { return writer.add(manifest.record.epoch, true, delta); }));
    TG_ASSIGN_OR_RETURN(table.sections, writer.finish());
  }
  return publish(to, manifest);
}

Status write_savepoint(BlobStore& to, const EpochRecord& record) {
  Manifest manifest;
  manifest.record = record;
  for (OperatorState& state : manifest.record.operators) {
    TG_ASSIGN_OR_RETURN(const std::vector<StateDelta> folded,
                        fold_deltas(state.deltas, record.epoch, record.key_groups));
    state.deltas.clear();
    for (const StateDelta& delta : folded) {
      TG_ASSIGN_OR_RETURN(const DeltaReader reader, DeltaReader::open(delta.bytes));
      TableState& table = manifest.tables.emplace_back(
          TableState{state.uid, delta.table, std::string(reader.fingerprint()), {}});
      DataFileWriter writer = writer_to(to);
      TG_RETURN_IF_ERROR(writer.add(record.epoch, true, delta.bytes));
      TG_ASSIGN_OR_RETURN(table.sections, writer.finish());
    }
  }
  return publish(to, manifest);
}

Result<Manifest> find_savepoint(BlobStore& blobs) {
  TG_RETURN_IF_ERROR(refuse_old_format(blobs));
  TG_ASSIGN_OR_RETURN(const std::vector<BlobInfo> all, blobs.list(""));
  std::string newest;
  for (const BlobInfo& blob : all) {
    if (blob.name == kSavepoint) return read_manifest(blobs, blob.name);
    if (epoch_of_manifest(blob.name)) newest = blob.name;  // they are sorted
  }
  TG_ASSIGN_OR_RETURN(const std::optional<Current> current, read_current(blobs));
  if (current && current->epoch > 0 && newest < manifest_name(current->epoch)) {
    return error(ErrorCode::kStateCorrupt, "'{}' is missing",
                 blobs.place_of(manifest_name(current->epoch)));
  }
  if (!newest.empty()) return read_manifest(blobs, newest);
  const bool had_one =
      std::ranges::any_of(all, [](const BlobInfo& blob) { return blob.name.starts_with("data/"); });
  if (had_one && !current) {
    return error(ErrorCode::kStateCorrupt, "'{}' is missing, its data files are there",
                 blobs.place_of(std::string(kSavepoint)));
  }
  return error(ErrorCode::kFileNotFound, "there is no savepoint in '{}'", blobs.place_of(""));
}

Result<EpochRecord> read_state(BlobStore& blobs, const Manifest& manifest, const HeldState* held,
                               std::shared_ptr<BlobStore> owner) {
  EpochRecord record = manifest.record;
  record.run = manifest.run;
  if (held != nullptr && !held->serves(manifest.run, record.epoch)) held = nullptr;
  std::vector<std::pair<const TableState*, const StateSection*>> sections;
  std::int64_t size_bytes = 0;
  for (const TableState& table : manifest.tables) {
    const bool is_held = held != nullptr && makes_up(table, *held);
    if (is_held) record.held.emplace(table.uid, table.table);
    operator_of(record, table.uid);
    for (const StateSection& section : table.sections) {
      if (is_held && section.epoch <= held->as_of.epoch) continue;
      sections.emplace_back(&table, &section);
      size_bytes += section.size_bytes;
    }
  }
  std::shared_ptr<SharedReader> later;
  if (owner != nullptr && size_bytes > kInMemoryBytes) {
    later = std::make_shared<SharedReader>(std::move(owner));
  }
  DataFileReader reader(blobs);
  for (const auto& [table, section] : sections) {
    TG_ASSIGN_OR_RETURN(const std::string_view bytes, reader.read(*section));
    TG_RETURN_IF_ERROR(verify_delta(bytes).with_context(
        fmt::format("'{}'", blobs.place_of(data_file_name(section->file)))));
    StateDelta& delta = operator_of(record, table->uid).deltas.emplace_back();
    delta.epoch = section->epoch;
    delta.table = table->table;
    if (later != nullptr) {
      delta.stored = std::make_shared<StoredSection>(later, *section);
    } else {
      delta.bytes = bytes;
    }
  }
  return record;
}

Result<EpochRecord> read_savepoint(BlobStore& blobs) {
  TG_ASSIGN_OR_RETURN(const Manifest manifest, find_savepoint(blobs));
  return read_state(blobs, manifest);
}

Result<EpochRecord> read_savepoint(const std::shared_ptr<BlobStore>& blobs) {
  TG_ASSIGN_OR_RETURN(const Manifest manifest, find_savepoint(*blobs));
  return read_state(*blobs, manifest, nullptr, blobs);
}

}  // namespace tidegate
