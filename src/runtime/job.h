// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataflow/graph.h"
#include "dataflow/state_reader.h"
#include "runtime/commit_policy.h"
#include "runtime/epoch_record.h"
#include "tidegate/job_progress.h"
#include "tidegate/status.h"

namespace tidegate {

class Clock;           // base/clock.h
class EpochPlanner;    // runtime/epoch_planner.h
class Executor;        // base/executor.h
class MetricRegistry;  // base/metrics.h
class JobCore;         // runtime/job_core.h
class StateStore;      // state/state_store.h

/// How much one channel between two tasks holds before its producer has to wait.
struct ChannelLimits {
  std::int64_t rows = 32'768;
  std::int64_t bytes = 8 << 20;
};

/// How a job is brought to an end before its input is.
enum class StopMode : std::uint8_t {
  kBarrier,  ///< one last epoch; windows stay open, so that a restored job goes on
  kDrain,    ///< sources end here: maximum watermark, all results, one last epoch
  kCancel,   ///< at once; what is not published is thrown away
};

/// Hears of what happens to a job. Called from worker threads, one call at a time; must not block,
/// nor destroy the job.
class JobListener {
 public:
  virtual ~JobListener() = default;
  virtual void on_state(JobState) {}
  /// The epoch is durable and its sinks have published it.
  virtual void on_epoch(const EpochRecord&) {}
  /// The first error; the job stops because of it.
  virtual void on_failure(const Status&) {}
};

struct JobOptions {
  int parallelism = 1;
  /// Runs the job; must outlive it. A SimulatedExecutor makes the run deterministic.
  Executor* executor = nullptr;
  /// Null: the machine's clock. Must be the executor's own clock in a simulation.
  const Clock* clock = nullptr;
  /// Null: the job has one of its own.
  MetricRegistry* metrics = nullptr;

  /// The part of the key space that the job owns: one task of library mode. None: all of it.
  std::optional<KeyGroupRange> key_groups;

  ChannelLimits channel;
  /// The most rows that a source hands on at once; it starts with few and gets there under load.
  std::int64_t max_batch_rows = 8192;
  /// Splits that end (files) are opened at most this many at a time, over all subtasks of a source
  /// (but one per subtask at least).
  int max_open_splits = 64;

  /// Time between two epochs; 0: only on demand and at the end.
  std::int64_t epoch_interval_ms = 0;
  /// Ends an epoch also when a source task has read so many rows since the last; 0: not. For tests
  /// that want many epochs of little input; means nothing with a planner.
  std::int64_t epoch_rows = 0;
  /// An epoch that takes longer than this has failed; 0: it may take for ever.
  std::int64_t epoch_timeout_ms = 0;
  /// How often in a row an epoch may fail (time out, or not become durable since something outside
  /// is not available; that is tried again) before the job does.
  int tolerable_epoch_failures = 0;
  /// False: at the end of all input the job stops as if by stop(kBarrier), with open windows.
  bool drain_at_end = true;
  /// Micro-batches: says what each epoch reads, and so when one begins. Null: sources read on by
  /// themselves, and epochs come by interval.
  std::shared_ptr<EpochPlanner> planner;
  /// The watermark moves between epochs only, as the planner says, whatever the rows bring.
  bool watermark_per_epoch = false;
  /// For the state of all operators together, when it is in memory; past it the job fails. 0: no
  /// limit.
  std::int64_t memory_budget_bytes = 0;
  std::shared_ptr<StateStore> state_store;      ///< null: in memory
  std::shared_ptr<CommitPolicy> commit_policy;  ///< null: nothing durable

  /// Go on after this epoch; also at another parallelism. Null: from the beginning.
  std::shared_ptr<const EpochRecord> restore;
  /// Lets state of sources and operators that the graph does not have (any more) go.
  bool drop_unclaimed_state = false;

  std::vector<std::shared_ptr<JobListener>> listeners;
};

/// A dataflow that runs. All calls return at once but for await() and the destructor; any thread
/// but the executor's own may make them.
///
/// With a SimulatedExecutor await() and the destructor drive it on the caller's thread.
class Job {
 public:
  /// Checks the graph and cuts it into tasks. Nothing runs yet.
  static Result<std::unique_ptr<Job>> create(Graph graph, JobOptions options);
  /// Cancels the job if it still runs, and waits until nothing of it does.
  ~Job();
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  /// Once. Opens sources, sinks and operators beside the caller; their errors come out of await().
  Status start();
  /// Waits for the end: ok when finished or stopped, else the first error (kCancelled when it was
  /// cancelled). May be called again.
  Status await();
  /// Waits for the end, and until nothing of the job runs any more: what it wrote to is free.
  void await_quiet();
  /// Asks the job to end. A later, stronger mode overrules an earlier one (kBarrier < kDrain <
  /// kCancel); calls after the end do nothing.
  void stop(StopMode mode);
  /// Begins an epoch now, unless two are on their way already: then as soon as one is through. Not
  /// with a planner: its epochs end where their input does.
  void trigger_epoch();
  /// Asks the planner again if it waits.
  void wake_planner();
  /// Sources read nothing until this is called with false. What has been read goes on, and so do
  /// timers and epochs.
  void pause(bool paused);

  JobState state() const;
  JobProgress progress() const;
  MetricRegistry& metrics();

  /// Asks all tasks of the operator of this name about their state; each answers on its thread,
  /// between two of its batches, or for what is committed at the end of an epoch: the answer then
  /// comes when that epoch is durable. `answer` is called once, from any thread, and must not
  /// block: kUnknownName, kNotSupported, kCancelled when the operator has ended, or one batch per
  /// task.
  using StateAnswer = std::function<void(Result<StateReading>)>;
  void read_state(std::string_view operator_name, StateQuery query, StateAnswer answer);

 private:
  explicit Job(std::unique_ptr<JobCore> core);
  std::unique_ptr<JobCore> core_;
};

}  // namespace tidegate
