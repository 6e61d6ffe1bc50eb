// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/blob_store.h"
#include "epoch/data_files.h"
#include "epoch/manifest.h"
#include "runtime/commit_policy.h"
#include "tidegate/status.h"

namespace tidegate {

struct CheckpointOptions {
  /// Of how many epochs the manifests are kept (state.checkpoints.num-retained).
  int num_retained = 1;
  /// A table is folded when what has changed outweighs its base so many times, and at least this.
  double fold_ratio = 1.0;
  std::int64_t least_fold_bytes = std::int64_t{4} << 20;
  /// Its latest changes are merged when they are in so many pieces.
  std::size_t most_sections = 64;
  /// When the newest epoch is damaged an older one will do: nothing of the damaged one can have
  /// been published, or every sink takes it a second time, or the user said so.
  bool may_go_back = false;
  /// What the job's operators are; part of every manifest.
  std::vector<OperatorInfo> operators;
  /// Runs folding and collecting beside the job; empty: within commit().
  std::function<void(std::function<void()>)> run_beside;
};

/// The epochs of one job in a blob store:
///
///   manifest-<epoch>   what the epoch is and which data files hold its state; written last
///   data/<hash>        state rows: what one epoch changed, or the base that changes apply to
///   current            the run that the folder belongs to, and the last epoch that it knows of
///
/// A manifest appears whole or not at all and names only files that are durable, so an epoch is
/// committed exactly when its manifest is there. The job goes on from the newest one. `current` is
/// how a manifest that has vanished is missed, and how a run on an unfenced store notices that
/// another one has taken the folder over.
///
/// commit() writes what the epoch has changed. Beside it, tables whose changes outweigh their base
/// are folded, small changes are merged (the next commit takes the result in), and files that no
/// retained manifest names are deleted. Calls come from one thread at a time, but for tidying.
class CheckpointStore final : public CommitPolicy,
                              public std::enable_shared_from_this<CheckpointStore> {
 public:
  CheckpointStore(std::shared_ptr<BlobStore> blobs, CheckpointOptions options = {});

  /// Takes the folder over and reads what to go on from; nothing when no epoch is there. First.
  /// What `held` (null: nothing) has is not read, where the epoch goes on from it.
  /// kStateCorrupt names the file that is damaged or missing.
  Result<std::optional<EpochRecord>> load(const HeldState* held = nullptr);
  /// Deletes all epochs, for a job that starts anew, and takes the folder over.
  Status clear();
  /// The job goes on from an epoch that is kept elsewhere. The store must be empty.
  Status begin_from(const EpochRecord& record);

  Status commit(const EpochRecord& record) override;
  bool outcome_is_known() const override { return outcome_is_known_; }
  std::int64_t last_commit_bytes() const override { return last_commit_bytes_; }
  std::string run() const override { return run_; }
  bool takes_stored_state() const override { return true; }

  /// The last committed epoch, which must have been published, as a savepoint in another store.
  Status write_savepoint(BlobStore& to) const;
  /// No folding from now on: one that is under way ends soon, and has been for nothing.
  void stop_tidying() { stops_ = true; }

 private:
  struct Retained {
    EpochId epoch = 0;
    std::vector<DataFile> files;
  };
  // A part of a table's sections, and what takes its place.
  struct Folded {
    std::size_t table = 0;  // in tables_
    std::size_t first = 0;
    std::size_t count = 0;
    std::vector<StateSection> sections;
  };

  Status take_over(EpochId newest);
  Status check_owner() const;
  Result<std::vector<EpochId>> manifests() const;
  Status find_leftovers();
  Result<EpochRecord> open_epoch(EpochId epoch, const HeldState* held);
  Status set_aside(EpochId epoch);

  Status commit_as(const EpochRecord& record, bool is_base);
  Result<std::vector<TableState>> with_changes(const EpochRecord& record, bool is_base);
  Status put_manifest(EpochId epoch, const std::string& bytes);
  Status put_data(const DataFile& file, std::string_view content);
  void committed(const EpochRecord& record, std::vector<TableState> tables);

  void tidy_beside();
  void tidy();
  void collect();
  Status fold();
  std::optional<Folded> next_to_fold() const;
  std::set<std::string> live_files() const;  // with the lock held

  const std::shared_ptr<BlobStore> blobs_;
  const CheckpointOptions options_;
  const std::string run_;
  std::int64_t last_commit_bytes_ = 0;
  bool outcome_is_known_ = true;
  std::atomic<bool> stops_{false};

  // Held while one file is chosen and deleted, and while one is announced: nothing is deleted that
  // is about to be named.
  mutable std::mutex mutex_;
  std::vector<TableState> tables_;   // of the last epoch
  Manifest last_;                    // its record; without tables
  std::deque<Retained> retained_;    // oldest first
  std::set<std::string> known_;      // hashes of files that are there, as far as this run knows
  std::set<std::string> announced_;  // files of an epoch that is under way
  std::set<std::string> folding_;    // files of a folding that is under way
  std::vector<EpochId> outdated_;    // manifests to delete
  std::optional<Folded> folded_;
  bool took_fold_ = false;  // the epoch that is being committed has folded_ in it
  bool tidying_ = false;
};

}  // namespace tidegate
