// SPDX-License-Identifier: Apache-2.0
//
// How a run finds what the one before it has left: the part of CheckpointStore that reads.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "epoch/checkpoint_files.h"
#include "epoch/checkpoint_store.h"
#include "epoch/savepoint.h"

namespace tidegate {
namespace {

// What an unfenced store may still be getting from another run is younger than this.
constexpr std::int64_t kLeftoverAgeMs = std::int64_t{60} * 60 * 1000;

bool is_damage(const Status& status) {
  return status.code() == ErrorCode::kStateCorrupt || status.code() == ErrorCode::kFileNotFound;
}

/// With the ways out of it.
Status damaged(const Status& status, bool has_older) {
  if (!is_damage(status)) return status;
  return Status(ErrorCode::kStateCorrupt, status.message(),
                has_older ? "Put the file back; or go on from an older epoch with --set "
                            "state.checkpoints.allow-older=true, which may publish rows twice; or "
                            "restore a savepoint; or start anew with --fresh."
                          : "Put the file back, restore a savepoint, or start anew with --fresh.");
}

}  // namespace

Result<std::vector<EpochId>> CheckpointStore::manifests() const {
  TG_ASSIGN_OR_RETURN(const std::vector<BlobInfo> all, blobs_->list(""));
  std::vector<EpochId> epochs;
  for (const BlobInfo& blob : all) {
    if (const auto epoch = epoch_of_manifest(blob.name)) epochs.push_back(*epoch);
  }
  std::ranges::sort(epochs);
  return epochs;
}

Result<std::optional<EpochRecord>> CheckpointStore::load(const HeldState* held) {
  TG_RETURN_IF_ERROR(refuse_old_format(*blobs_));
  TG_ASSIGN_OR_RETURN(std::vector<EpochId> epochs, manifests());
  TG_ASSIGN_OR_RETURN(const std::optional<Current> current, read_current(*blobs_));
  // The newest epoch that there must be, even when its manifest is gone.
  if (current && current->epoch > (epochs.empty() ? 0 : epochs.back())) {
    epochs.push_back(current->epoch);
  }
  std::optional<EpochRecord> record;
  std::vector<EpochId> damaged_ones;
  while (!record && !epochs.empty()) {
    auto opened = open_epoch(epochs.back(), held);
    if (opened.is_ok()) {
      record = *std::move(opened);
      break;
    }
    const bool has_older = epochs.size() > 1;
    if (!is_damage(opened.status()) || !options_.may_go_back || !has_older) {
      return damaged(opened.status(), has_older);
    }
    log_warning("checkpoint.damaged", {{"epoch", epochs.back()},
                                       {"goes-on-from", epochs[epochs.size() - 2]},
                                       {"error", opened.status().message()}});
    damaged_ones.push_back(epochs.back());
    epochs.pop_back();
  }
  for (const EpochId epoch : damaged_ones) TG_RETURN_IF_ERROR(set_aside(epoch));
  TG_RETURN_IF_ERROR(take_over(record ? record->epoch : 0));
  if (!epochs.empty()) epochs.pop_back();
  outdated_ = epochs;
  TG_RETURN_IF_ERROR(find_leftovers());
  return record;
}

Result<EpochRecord> CheckpointStore::open_epoch(EpochId epoch, const HeldState* held) {
  auto manifest = read_manifest(*blobs_, manifest_name(epoch));
  if (!manifest.is_ok()) {
    if (manifest.status().code() != ErrorCode::kFileNotFound) return std::move(manifest).status();
    return error(ErrorCode::kStateCorrupt, "'{}' is missing: that epoch has been committed",
                 blobs_->place_of(manifest_name(epoch)));
  }
  TG_ASSIGN_OR_RETURN(EpochRecord record, read_state(*blobs_, *manifest, held, blobs_));
  tables_ = std::move(manifest->tables);
  last_ = Manifest{manifest->run, std::move(manifest->record), {}, std::move(manifest->operators)};
  retained_.assign(1, {epoch, files_of(tables_)});
  for (const DataFile& file : retained_[0].files) known_.insert(file.hash);
  return record;
}

/// So that the epoch can be written anew; kept, since somebody may want to look at it.
Status CheckpointStore::set_aside(EpochId epoch) {
  const std::string name = manifest_name(epoch);
  const auto bytes = blobs_->get(name, std::int64_t{1} << 31);
  if (bytes.is_ok()) TG_RETURN_IF_ERROR(blobs_->put("damaged/" + name, *bytes));
  return blobs_->remove(name);
}

/// Older epochs that stay, and files that a crashed run has left.
Status CheckpointStore::find_leftovers() {
  TG_ASSIGN_OR_RETURN(const std::vector<BlobInfo> all, blobs_->list(""));
  std::int64_t newest_ms = 0;
  for (const BlobInfo& blob : all) newest_ms = std::max(newest_ms, blob.modified_ms);
  bool is_sure = true;
  const std::size_t room = static_cast<std::size_t>(std::max(options_.num_retained, 1)) - 1;
  while (outdated_.size() > 0 && retained_.size() <= room) {
    const EpochId epoch = outdated_.back();
    outdated_.pop_back();
    const auto manifest = read_manifest(*blobs_, manifest_name(epoch));
    is_sure = is_sure && manifest.is_ok();
    retained_.push_front(
        {epoch, manifest.is_ok() ? files_of(manifest->tables) : std::vector<DataFile>()});
    for (const DataFile& file : retained_.front().files) known_.insert(file.hash);
  }
  for (const EpochId epoch : outdated_) {
    const auto manifest = read_manifest(*blobs_, manifest_name(epoch));
    if (!manifest.is_ok()) continue;
    for (const DataFile& file : files_of(manifest->tables)) known_.insert(file.hash);
  }
  // A savepoint in the same folder is the user's.
  std::set<std::string> of_user;
  for (const BlobInfo& blob : all) {
    if (blob.name != kSavepoint) continue;
    const auto manifest = read_manifest(*blobs_, blob.name);
    is_sure = is_sure && manifest.is_ok();
    if (!manifest.is_ok()) continue;
    for (const DataFile& file : files_of(manifest->tables)) of_user.insert(file.hash);
  }
  if (!is_sure) return Status::ok();  // what cannot be read may name anything
  for (const BlobInfo& blob : all) {
    constexpr std::string_view kData = "data/";
    const bool is_old = blobs_->is_fenced() || blob.modified_ms < newest_ms - kLeftoverAgeMs;
    if (!is_old || !blob.name.starts_with(kData)) continue;
    const std::string hash = blob.name.substr(kData.size());
    if (!of_user.contains(hash)) known_.insert(hash);
  }
  for (const std::string& hash : of_user) known_.erase(hash);
  return Status::ok();
}

Status CheckpointStore::clear() {
  TG_ASSIGN_OR_RETURN(const std::vector<BlobInfo> all, blobs_->list(""));
  // First that nothing is missed, then the newest first: what a crash leaves is an older state or
  // none, not a broken one.
  TG_RETURN_IF_ERROR(take_over(0));
  for (auto blob = all.rbegin(); blob != all.rend(); ++blob) {
    const std::string_view name = blob->name;
    if (epoch_of_manifest(name) || name.starts_with("base-") || name.starts_with("epoch-") ||
        name.starts_with("damaged/")) {
      TG_RETURN_IF_ERROR(blobs_->remove(blob->name));
    }
  }
  tables_.clear();
  retained_.clear();
  outdated_.clear();
  last_ = {};
  TG_RETURN_IF_ERROR(find_leftovers());
  collect();
  return Status::ok();
}

}  // namespace tidegate
