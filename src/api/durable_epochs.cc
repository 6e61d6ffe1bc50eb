// SPDX-License-Identifier: Apache-2.0
#include "api/durable_epochs.h"

#include <utility>

#include "base/check.h"
#include "base/file_system.h"

namespace tidegate {

Result<std::unique_ptr<DurableEpochs>> DurableEpochs::open(const RunOptions& options) {
  auto epochs = std::make_unique<DurableEpochs>();
  FileSystem& files = local_file_system();
  if (!options.restore.empty()) {
    TG_ASSIGN_OR_RETURN(const std::string path, local_folder(options.restore));
    TG_ASSIGN_OR_RETURN(EpochRecord record, read_savepoint(files, path));
    // A savepoint is gone on from on purpose, and later: what has come to the sources since counts.
    for (SourceState& source : record.sources) source.complete = false;
    epochs->restore_ = std::make_shared<const EpochRecord>(std::move(record));
  }
  std::string folder;
  if (!options.checkpoint_dir.empty()) {
    TG_ASSIGN_OR_RETURN(folder, local_folder(options.checkpoint_dir));
  }
  if (!options.savepoint.empty()) {
    TG_ASSIGN_OR_RETURN(epochs->savepoint_, local_folder(options.savepoint));
    if (folder.empty()) folder = epochs->own_folder_ = epochs->savepoint_ + "/.epochs";
  }
  if (folder.empty()) return epochs;

  TG_ASSIGN_OR_RETURN(epochs->lock_, FolderLock::acquire(folder));
  epochs->folder_ = std::make_shared<CheckpointFolder>(files, folder);
  if (options.fresh || !epochs->own_folder_.empty()) TG_RETURN_IF_ERROR(epochs->folder_->clear());
  TG_ASSIGN_OR_RETURN(std::optional<EpochRecord> found, epochs->folder_->load());
  if (found) {
    epochs->restore_ = std::make_shared<const EpochRecord>(*std::move(found));
  } else if (epochs->restore_ != nullptr) {
    TG_RETURN_IF_ERROR(epochs->folder_->begin_from(*epochs->restore_));
  }
  return epochs;
}

void DurableEpochs::apply(JobOptions& job) const {
  job.restore = restore_;
  job.commit_policy = folder_;
  if (folder_ == nullptr) job.commit_policy = make_volatile_commit_policy();
  job.drain_at_end = savepoint_.empty();
}

Status DurableEpochs::job_stopped() {
  if (savepoint_.empty()) return Status::ok();
  TG_ASSIGN_OR_RETURN(std::optional<EpochRecord> record, folder_->load());
  if (!record) {
    return error(ErrorCode::kInternal, "the job has stopped without an epoch to keep in '{}'",
                 savepoint_);
  }
  // All of it is published, and the sinks may be elsewhere by the time somebody goes on from here.
  record->committables.clear();
  TG_RETURN_IF_ERROR(write_savepoint(local_file_system(), savepoint_, *std::move(record)));
  return own_folder_.empty() ? Status::ok() : local_file_system().remove_all(own_folder_);
}

}  // namespace tidegate
