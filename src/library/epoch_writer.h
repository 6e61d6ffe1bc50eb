// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "library/changelog_format.h"
#include "library/changelog_reader.h"
#include "library/changelog_restore.h"
#include "library/epoch_marks.h"
#include "library/stream_thread.h"
#include "library/thread_producer.h"
#include "runtime/epoch_record.h"
#include "tidegate/status.h"

namespace tidegate::library {

/// What is known of a task's changelog by those who write it.
struct TaskLog {
  TaskSpec spec;
  TopicPartition changelog;
  EpochId last = 0;            ///< the last epoch that was written
  std::uint64_t last_run = 0;  ///< who wrote it
  std::string last_positions;  ///< encoded, without state: to see whether anything is new
  ChangelogIndex index;
  std::set<TableName> tables;    ///< all that have ever had rows
  std::deque<BaseSlice> slices;  ///< of a base; one is written with each epoch
};

/// Whose epochs those of a changelog are, for local bases.
std::string run_of(const TopicPartition& changelog);

/// A task's epoch on its way into a transaction, and what became of it.
struct Contribution {
  TaskLog* log = nullptr;
  const EpochRecord* record = nullptr;
  Status result;

  // Of the writer.
  bool is_new = false;  ///< it says something that the epoch before did not
  std::string positions;
  std::vector<std::string> messages;  ///< of the changelog
  std::vector<GroupOffset> offsets;
};

/// Makes the epochs of several tasks durable and visible together. Thread-safe: one after the
/// other. Everything blocks.
class EpochWriter {
 public:
  explicit EpochWriter(const StreamThreadOptions& options);

  /// Ends for good what earlier producers with this transactional id have begun.
  Status connect();
  /// Waits until no former owner of the task can commit anything more, and reads what it left.
  Result<std::shared_ptr<const EpochRecord>> restore(TaskLog& log, const std::string& group);

  /// Writes those of which anything is new, in one transaction: all of them or none. Tries again
  /// while Kafka cannot be reached and `gives_up` is false. Afterwards the logs of those whose
  /// result is ok are up to date.
  void write(std::span<Contribution> contributions, const GroupMember& member,
             const std::function<bool()>& gives_up);

  /// What the changelog holds up to its last epoch, for a base.
  Result<EpochRecord> read_back(const TopicPartition& changelog, EpochId last);

  std::int64_t last_bytes() const { return last_bytes_; }

 private:
  using Parts = std::vector<Contribution*>;
  Result<ChangelogReader::Restored> read_rest(const TaskLog& log, const ChangelogRange& range,
                                              const ChangelogProgress& progress);
  Status prepare(Contribution& part) const;
  Status try_to_write(const Parts& parts, const GroupMember& member, bool look_first);
  /// True when the transaction that was tried before took effect.
  Result<bool> took_effect(const Parts& parts, const GroupMember& member);
  Status send_all(const Parts& parts);
  Status send_outputs(const EpochRecord& record);
  Status send_journal(std::string_view topic_journal);
  Status commit(const Parts& parts, const GroupMember& member);
  void accept(Contribution& part);
  Result<EpochMarks*> marks(const std::string& group);
  void wait(std::chrono::milliseconds time);

  const kafka::ClientProperties client_;
  const std::chrono::milliseconds patience_;
  const std::uint64_t run_;
  std::mutex mutex_;  // over the producer
  ThreadProducer producer_;
  std::int64_t last_bytes_ = 0;
  std::mutex marks_mutex_;
  std::unique_ptr<EpochMarks> marks_;
  std::string marks_group_;
  std::mutex wait_mutex_;
  std::condition_variable never_;
};

}  // namespace tidegate::library
