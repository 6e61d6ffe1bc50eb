// SPDX-License-Identifier: Apache-2.0
#include "epoch/checkpoint_store.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/failpoints.h"
#include "base/log.h"
#include "base/random.h"
#include "epoch/checkpoint_files.h"
#include "epoch/savepoint.h"
#include "epoch/unprotected_blobs.h"
#include "state/delta.h"

namespace tidegate {
namespace {

EpochRecord without_deltas(const EpochRecord& record) {
  EpochRecord stripped;
  stripped.epoch = record.epoch;
  stripped.finished = record.finished;
  stripped.key_groups = record.key_groups;
  stripped.clock_ms = record.clock_ms;
  stripped.sources = record.sources;
  for (const OperatorState& state : record.operators) {
    stripped.operators.push_back({state.uid, state.subtasks, {}});
  }
  stripped.committables = record.committables;
  stripped.mode_state = record.mode_state;
  return stripped;
}

TableState& table_of(std::vector<TableState>& tables, const std::string& uid,
                     const std::string& name) {
  const auto found = std::ranges::find_if(
      tables, [&](const TableState& table) { return table.uid == uid && table.table == name; });
  if (found != tables.end()) return *found;
  return tables.emplace_back(TableState{uid, name, {}, {}});
}

Status another_run(BlobStore& blobs) {
  return Status(ErrorCode::kServiceRefused,
                fmt::format("another run has taken '{}' over", blobs.place_of("")),
                "Let only one run at a time use a checkpoint folder.");
}

}  // namespace

CheckpointStore::CheckpointStore(std::shared_ptr<BlobStore> blobs, CheckpointOptions options)
    : blobs_(with_planted_bugs(std::move(blobs))),
      options_(std::move(options)),
      run_(fmt::format("{:016x}", entropy_seed())) {}

Status CheckpointStore::commit(const EpochRecord& record) {
  TG_RETURN_IF_ERROR(commit_as(record, false));
  tidy_beside();
  return Status::ok();
}

Status CheckpointStore::begin_from(const EpochRecord& record) { return commit_as(record, true); }

Status CheckpointStore::commit_as(const EpochRecord& record, bool is_base) {
  outcome_is_known_ = true;
  last_commit_bytes_ = 0;
  TG_FAILPOINT("checkpoint.before-data");
  TG_ASSIGN_OR_RETURN(std::vector<TableState> tables, with_changes(record, is_base));
  TG_FAILPOINT("checkpoint.before-manifest");
  TG_RETURN_IF_ERROR(check_owner());
  Manifest manifest{run_, without_deltas(record), tables, options_.operators};
  TG_RETURN_IF_ERROR(put_manifest(record.epoch, encode_manifest(manifest)));
  outcome_is_known_ = false;  // it is durable, whatever goes wrong from here on
  TG_FAILPOINT("checkpoint.after-manifest");
  outcome_is_known_ = true;
  committed(record, std::move(tables));
  // Only a second witness of what the manifest says already.
  const Status told = blobs_->put(std::string(kCurrent), encode_current({run_, record.epoch}));
  if (!told.is_ok()) log_warning("checkpoint.current-not-written", {{"error", told.message()}});
  return Status::ok();
}

Result<std::vector<TableState>> CheckpointStore::with_changes(const EpochRecord& record,
                                                              bool is_base) {
  std::vector<TableState> tables;
  {
    const std::lock_guard lock(mutex_);
    tables = tables_;
    took_fold_ = folded_.has_value();
    if (took_fold_) {
      std::vector<StateSection>& sections = tables[folded_->table].sections;
      const auto first = sections.begin() + static_cast<std::ptrdiff_t>(folded_->first);
      const auto after = sections.erase(first, first + static_cast<std::ptrdiff_t>(folded_->count));
      sections.insert(after, folded_->sections.begin(), folded_->sections.end());
    }
  }
  struct Added {
    std::string uid;
    std::string table;
    std::string layout;
  };
  std::vector<Added> added;
  std::string buffer;
  DataFileWriter writer(
      [this](const DataFile& file, std::string_view content) { return put_data(file, content); });
  for (const OperatorState& state : record.operators) {
    for (const StateDelta& delta : state.deltas) {
      TG_ASSIGN_OR_RETURN(const std::string_view bytes, delta.view(buffer));
      TG_ASSIGN_OR_RETURN(const DeltaReader reader, DeltaReader::open(bytes));
      TG_RETURN_IF_ERROR(writer.add(record.epoch, is_base, bytes));
      added.push_back({state.uid, delta.table, std::string(reader.fingerprint())});
    }
  }
  TG_ASSIGN_OR_RETURN(std::vector<StateSection> sections, writer.finish());
  for (std::size_t i = 0; i < added.size(); ++i) {
    TableState& table = table_of(tables, added[i].uid, added[i].table);
    table.layout = added[i].layout;
    table.sections.push_back(std::move(sections[i]));
  }
  return tables;
}

Status CheckpointStore::put_data(const DataFile& file, std::string_view content) {
  {
    const std::lock_guard lock(mutex_);
    // What a manifest names is there: the same content need not be written again.
    const bool is_there = live_files().contains(file.hash) && !announced_.contains(file.hash);
    announced_.insert(file.hash);
    if (is_there) return Status::ok();
    known_.insert(file.hash);
  }
  last_commit_bytes_ += file.size_bytes;
  return blobs_->put(data_file_name(file), content);
}

Status CheckpointStore::put_manifest(EpochId epoch, const std::string& bytes) {
  const std::string name = manifest_name(epoch);
  last_commit_bytes_ += static_cast<std::int64_t>(bytes.size());
  const auto put = blobs_->put_if_absent(name, bytes);
  if (put.is_ok()) return *put ? Status::ok() : another_run(*blobs_);
  // It may be there all the same: then the epoch is committed, and must not be thrown away.
  const auto there = blobs_->get(name, static_cast<std::int64_t>(bytes.size()));
  if (there.is_ok()) return *there == bytes ? Status::ok() : another_run(*blobs_);
  outcome_is_known_ = there.status().code() == ErrorCode::kFileNotFound;
  return put.status();
}

void CheckpointStore::committed(const EpochRecord& record, std::vector<TableState> tables) {
  const std::lock_guard lock(mutex_);
  tables_ = std::move(tables);
  if (took_fold_) folded_.reset();
  announced_.clear();
  last_ = Manifest{run_, without_deltas(record), {}, options_.operators};
  last_.record.committables.clear();  // may be large, and a savepoint takes none
  retained_.push_back({record.epoch, files_of(tables_)});
  while (retained_.size() > static_cast<std::size_t>(std::max(options_.num_retained, 1))) {
    outdated_.push_back(retained_.front().epoch);
    retained_.pop_front();
  }
}

Status CheckpointStore::check_owner() const {
  // Where puts are fenced nobody else can have written; a lock keeps others out, too.
  if (blobs_->is_fenced()) return Status::ok();
  TG_ASSIGN_OR_RETURN(const std::optional<Current> current, read_current(*blobs_));
  return current && current->run != run_ ? another_run(*blobs_) : Status::ok();
}

Status CheckpointStore::take_over(EpochId newest) {
  return blobs_->put(std::string(kCurrent), encode_current({run_, newest}));
}

Status CheckpointStore::write_savepoint(BlobStore& to) const {
  Manifest manifest;
  {
    const std::lock_guard lock(mutex_);
    manifest = last_;
    manifest.tables = tables_;
  }
  if (manifest.record.epoch == 0) {
    return error(ErrorCode::kInternal, "the job has stopped without an epoch to keep in '{}'",
                 to.place_of(""));
  }
  // All of it is published, and the sinks may be elsewhere by the time somebody goes on from here.
  manifest.record.committables.clear();
  return copy_savepoint(*blobs_, std::move(manifest), to);
}

}  // namespace tidegate
