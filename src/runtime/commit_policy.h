// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/epoch_record.h"
#include "tidegate/status.h"

namespace tidegate {

/// Where an epoch commits: the atomic step that makes it durable. One per job; called from one
/// blocking thread at a time, in the order of epochs.
class CommitPolicy {
 public:
  virtual ~CommitPolicy() = default;
  /// Adds what the mode keeps with the epoch, before commit().
  virtual void complete(EpochRecord& record);
  /// Makes the epoch durable: all of it or nothing. After ok, sinks publish what they prepared;
  /// after an error the job fails and what they prepared is thrown away. May block.
  virtual Status commit(const EpochRecord& record) = 0;
  /// After an error of commit(): false when the epoch may be durable nonetheless, so that what
  /// sinks have prepared must stay until a restored job knows.
  virtual bool outcome_is_known() const { return true; }
  /// Whose epochs these are, so that a state store on this machine can tell whether what it has
  /// belongs to them; empty: it cannot.
  virtual std::string run() const { return {}; }
  /// Where a reader of the run's changes goes on behind the last commit(); kept with the rows.
  virtual std::string position() const { return {}; }
  /// True when commit() takes deltas that are not in memory (StateDelta::stored).
  virtual bool takes_stored_state() const { return false; }
  /// Bytes that the last commit() wrote.
  virtual std::int64_t last_commit_bytes() const { return 0; }
  /// Sinks have published the epoch; nothing needs to be repeated after a restart.
  virtual void published(EpochId epoch);
  /// False when nobody will ever restore from these records: state is then not encoded at the end.
  virtual bool keeps_state() const { return true; }
};

/// Commits nothing durable: a failed job starts over from the beginning.
std::unique_ptr<CommitPolicy> make_volatile_commit_policy();

/// Keeps every record in memory. For tests: a job can be restored at each of its epochs.
class MemoryCommitPolicy final : public CommitPolicy {
 public:
  Status commit(const EpochRecord& record) override;
  /// The epochs so far, oldest first.
  std::vector<EpochId> epochs() const;
  /// What to restore from for the job to go on after `epoch`, which must be one of epochs().
  EpochRecord restore_point(EpochId epoch) const;

 private:
  mutable std::mutex mutex_;
  std::vector<EpochRecord> records_;
};

}  // namespace tidegate
