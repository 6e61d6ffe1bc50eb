// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/folder_lock.h"
#include "epoch/checkpoint_folder.h"
#include "runtime/job.h"
#include "tidegate/app.h"

namespace tidegate {

/// What the options of a run say about epochs: where they are kept, what the job goes on from, and
/// the savepoint that it leaves behind.
class DurableEpochs {
 public:
  /// Locks the checkpoint folder and reads what is there.
  static Result<std::unique_ptr<DurableEpochs>> open(const RunOptions& options);

  /// Fills in what they mean for a job.
  void apply(JobOptions& job) const;
  /// The job has stopped without an error: writes the savepoint, if one was asked for.
  Status job_stopped();

 private:
  std::unique_ptr<FolderLock> lock_;
  std::shared_ptr<CheckpointFolder> folder_;  // null: nothing is kept
  std::shared_ptr<const EpochRecord> restore_;
  std::string savepoint_;   // path; empty: none
  std::string own_folder_;  // epochs that are only kept for the savepoint
};

}  // namespace tidegate
