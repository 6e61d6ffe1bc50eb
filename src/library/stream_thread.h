// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kafka/client_properties.h"
#include "library/assigner.h"
#include "library/task_id.h"
#include "runtime/commit_policy.h"
#include "runtime/epoch_record.h"
#include "state/held_state.h"
#include "tidegate/status.h"

namespace tidegate {

class Clock;     // base/clock.h
class Executor;  // base/executor.h

namespace library {

/// Where a task goes on in a topic, as the group is told.
struct GroupOffset {
  TopicPartition partition;
  std::int64_t offset = 0;  ///< the next one to read
  /// Nobody else reads this topic: what is in front of the offset is deleted now and then.
  bool purge = false;
};

/// How far the restoring of a task has come.
struct TaskRestore {
  TaskId task;
  std::int64_t messages = 0;      ///< read so far
  std::int64_t messages_all = 0;  ///< in the changelog, about
  std::int64_t bytes = 0;         ///< read so far
};

struct TaskSpec {
  TaskId id;
  std::string changelog_topic;  ///< the task's partition of it holds its state
  int key_groups = 128;
  /// What this machine still has of the task's state.
  std::optional<HeldState> held;
  /// The source positions of an epoch, as offsets. May be empty.
  std::function<Result<std::vector<GroupOffset>>(const EpochRecord&)> offsets;
  /// Hears now and then, from the thread that adds the task. May be empty.
  std::function<void(const TaskRestore&)> on_progress;
};

/// What the job of a task is made with.
struct TaskStart {
  std::shared_ptr<CommitPolicy> policy;
  std::shared_ptr<const EpochRecord> restore;  ///< null: from the beginning
};

struct StreamThreadOptions {
  kafka::ClientProperties client;
  /// Unique among all that run; the same again after a restart, which ends what was left open.
  std::string transactional_id;
  /// Time between two epochs of all tasks. Jobs of tasks have none of their own
  /// (JobOptions::epoch_interval_ms = 0).
  std::chrono::milliseconds epoch_interval{100};
  /// Each task needs a blocking thread of it while an epoch commits. Must outlive the thread.
  Executor* executor = nullptr;
  const Clock* clock = nullptr;  ///< null: the machine's
  /// How long Kafka may be away before epochs fail.
  std::chrono::milliseconds patience{300'000};
  std::chrono::milliseconds transaction_timeout{15'000};
  /// How often superfluous records of changelogs and repartition topics are deleted.
  std::chrono::milliseconds purge_interval{30'000};
};

/// Commits the epochs of several tasks together, in one Kafka transaction: their outputs, their
/// changelogs, and their source positions, which is what lets the broker refuse a former owner.
///
/// A round begins every `epoch_interval`, or when a task hands in an epoch by itself (it stops, or
/// has finished), and is over when all running tasks have handed in theirs. A task of which nothing
/// is new leaves no trace; when nothing is new at all there is no transaction.
///
/// Commits of an epoch are refused with kServiceRefused when the task belongs to somebody else by
/// now: its job must end, and nothing of the epoch will ever be seen.
///
/// Any thread may call. The order for a task: add_task(), Job::create() with what it answers,
/// start_task(), Job::start(); at the end stop the job, remove_task() when it has ended or before
/// it is cancelled.
class StreamThread {
 public:
  static Result<std::unique_ptr<StreamThread>> make(StreamThreadOptions options);
  virtual ~StreamThread() = default;

  /// Transactions are made as this member from now on, also for tasks that are here already: they
  /// must have belonged to this process in all generations since they were added. A thread begins
  /// paused.
  virtual void resume(const GroupMember& member) = 0;
  /// Waits for the transaction that is being made, if any; none begins until resume(). Epochs that
  /// tasks hand in wait. Blocks.
  virtual void pause() = 0;

  /// Waits until no former owner can commit anything more to the task, and reads what to go on
  /// from. The thread must have a member by resume() of this generation. Blocks for as long as
  /// that takes; several tasks may be added at the same time. kStateCorrupt, kStateVersion,
  /// kServiceUnreachable.
  virtual Result<TaskStart> add_task(const TaskSpec& spec) = 0;
  /// The task takes part in rounds from now on. `begin_epoch` is Job::trigger_epoch() or the like:
  /// called from any thread, must not block, and may be called a last time while remove_task()
  /// runs, so it holds on to what it needs.
  virtual void start_task(TaskId id, std::function<void()> begin_epoch) = 0;
  /// Rounds no longer wait for the task. An epoch that it has handed in and that no transaction has
  /// yet is refused with kCancelled, as all later ones are. Returns at once.
  virtual void remove_task(TaskId id) = 0;

  /// Begins a round now.
  virtual void trigger() = 0;
};

}  // namespace library
}  // namespace tidegate
