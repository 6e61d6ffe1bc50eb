// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "dataflow/graph.h"
#include "runtime/epoch_record.h"
#include "runtime/execution_plan.h"
#include "runtime/source_head.h"
#include "runtime/split_enumerator.h"
#include "runtime/task_host.h"
#include "runtime/tether.h"
#include "tidegate/job_progress.h"
#include "tidegate/status.h"

namespace tidegate {

/// Hears of epochs; the job.
class EpochObserver {
 public:
  virtual ~EpochObserver() = default;
  virtual void epoch_published(std::shared_ptr<const EpochRecord> record) = 0;
  /// The last epoch is published; no further one follows.
  virtual void last_epoch_published(bool finished) = 0;
};

/// Ends epochs: sends barriers through the sources, gathers what tasks acknowledge, commits in
/// order and publishes. At most two epochs are on their way. Thread-safe.
///
/// A task that ends acknowledges the epoch after its last barrier with everything that is left, and
/// takes no part in later ones. When all tasks have ended, the last epoch needs no barrier.
class EpochCoordinator {
 public:
  /// The tasks of one source.
  struct SourceTasks {
    int node = 0;
    SplitEnumerator* enumerator = nullptr;
    std::vector<SourceHead*> heads;
  };
  struct Spec {
    const Graph* graph = nullptr;
    const ExecutionPlan* plan = nullptr;
    int num_tasks = 0;
    std::vector<SourceTasks> sources;
    EpochId restored_epoch = 0;
    std::int64_t restored_clock_ms = 0;
  };

  EpochCoordinator(Spec spec, TaskHost& host, EpochObserver& observer);

  /// Publishes again what a restored epoch committed: its job may have failed before it did.
  /// Blocks.
  Status publish_restored(const EpochRecord& record);
  /// The tasks run; epochs may begin.
  void start();
  /// Begins an epoch, or remembers to do so when there is room for one. `stops`: the last one;
  /// `at_end`: all input has been read.
  void trigger(bool stops, bool at_end = false);
  void acknowledge(TaskAck ack);
  /// After a failure, when all tasks are closed: waits for a commit that is under way, throws away
  /// what other epochs have prepared, then calls `done`.
  void abandon(std::function<void()> done);
  EpochId published_epoch() const;
  /// The last epochs that were published, oldest first.
  std::vector<EpochProgress> history() const;
  /// Timers do nothing from now on.
  void cut_off() { tether_.cut(); }

 private:
  // An epoch on its way.
  struct Flight {
    EpochId epoch = 0;
    bool stops = false;
    std::vector<SplitEnumerator::Snapshot> enumerations;  // as Spec::sources
    std::vector<TaskAck> acks;
    bool is_last = false;
    EpochProgress progress;
    std::int64_t begun_ns = 0;
    std::int64_t gathered_ns = 0;
  };

  void arm_timer();
  void arm_timeout(EpochId epoch, int failures);
  void timed_out(EpochId epoch, int failures);
  // With the lock held.
  void trigger_locked(bool stops, bool at_end);
  Flight& begin_flight(bool stops);
  void end_of_tasks_locked();
  void note_ack(Flight& flight, const TaskAck& ack) const;
  std::int64_t now_ns() const;
  bool is_complete(const Flight& flight) const;
  void commit_next_locked();

  // On a blocking thread, one flight at a time.
  void commit(Flight& flight);
  void make_durable(int failures);
  Status commit_record();
  Status publish_committable(std::size_t index);
  void publish(std::size_t next, int attempt);
  void published();
  void gave_up(Status status);
  // Goes on with a step of the commit after a while; the `failures`-th time.
  void try_later(int failures, std::function<void(EpochCoordinator&)> step);

  std::shared_ptr<EpochRecord> assemble(Flight& flight);
  void assemble_source(const Flight& flight, std::size_t source, EpochRecord& record) const;
  // Takes the deltas out of the acknowledgements; what an abort needs stays.
  void assemble_operators(Flight& flight, EpochRecord& record);
  Status publish_sink(const EpochRecord& record, std::size_t first);
  void abort_flights();
  Sink* sink_of(const std::string& uid) const;

  const Spec spec_;
  TaskHost& host_;
  EpochObserver& observer_;
  CommitPolicy& policy_;
  Tether<EpochCoordinator> tether_{*this};

  mutable std::mutex mutex_;
  EpochId next_epoch_;
  EpochId published_epoch_;
  std::deque<Flight> flights_;  // the first one may be being committed
  std::deque<EpochProgress> history_;
  std::vector<TaskAck> held_;         // of tasks that ended before the epoch began
  std::vector<EpochId> last_epochs_;  // by task: the one it ended with, or 0
  int ended_tasks_ = 0;
  bool any_stopped_ = false;
  bool started_ = false;
  bool stopping_ = false;  // the last barrier is out
  bool wanted_ = false;
  bool wants_stop_ = false;
  bool wants_at_end_ = false;
  bool committing_ = false;
  bool durable_ = false;  // the flight that is being committed is past the atomic step
  bool abandoned_ = false;
  std::function<void()> after_abandon_;

  // Of the committing thread.
  std::shared_ptr<const EpochRecord> record_;
  std::int64_t commit_begun_ns_ = 0;
  std::int64_t durable_ns_ = 0;
  // By node and subtask: operators of tasks that have ended.
  std::vector<std::vector<std::optional<OperatorState::Subtask>>> ended_states_;
};

}  // namespace tidegate
