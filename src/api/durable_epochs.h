// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/blob_store.h"
#include "base/folder_lock.h"
#include "dataflow/graph.h"
#include "epoch/checkpoint_store.h"
#include "epoch/recent_epochs.h"
#include "runtime/job.h"
#include "tidegate/app.h"

namespace tidegate {

/// Everything that the savepoint holds that `options.restore` names.
Result<EpochRecord> read_savepoint_of(const RunOptions& options);

/// What the options of a run say about epochs: where they are kept, what the job goes on from, and
/// the savepoint that it leaves behind.
class DurableEpochs {
 public:
  /// Takes the checkpoint folder over and reads what is there. Must not outlive the executor's last
  /// piece.
  static Result<std::unique_ptr<DurableEpochs>> open(const RunOptions& options, const Graph& graph,
                                                     Executor& executor);

  /// Epochs are kept in memory where they are not kept elsewhere, for a job that may restart.
  void keep_recent();

  /// Fills in what they mean for a job.
  void apply(JobOptions& job) const;
  /// Reads what to go on from, for each attempt; without what `held` (null: nothing) has.
  Status load(const HeldState* held);
  /// The job has stopped without an error: writes the savepoint, if one was asked for.
  Status job_stopped();
  /// What goes on beside the job may end.
  void stop_tidying();

 private:
  Status open_checkpoints(const std::string& uri, const RunOptions& options, const Graph& graph,
                          Executor& executor);

  std::unique_ptr<FolderLock> lock_;              // of a folder on this machine
  std::shared_ptr<BlobStore> blobs_;              // of checkpoints_
  std::shared_ptr<CheckpointStore> checkpoints_;  // null: nothing is kept
  std::shared_ptr<RecentEpochs> recent_;          // null: not kept
  std::shared_ptr<const EpochRecord> restore_;
  std::unique_ptr<BlobStore> savepoint_;  // null: none
  bool only_for_savepoint_ = false;       // epochs are
};

}  // namespace tidegate
