// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "runtime/epoch_coordinator.h"
#include "runtime/execution_plan.h"
#include "runtime/job.h"
#include "runtime/job_builder.h"
#include "runtime/piece_count.h"
#include "runtime/planned_epochs.h"
#include "runtime/task_host.h"
#include "runtime/tether.h"

namespace tidegate {

class SimulatedExecutor;  // base/executor.h

/// Calls listeners one at a time and in order, without a lock that they could wait for: what they
/// cause by calling the job comes after them.
class ListenerQueue {
 public:
  /// Calls `call` now, or leaves it to the thread that is calling others.
  void post(std::function<void()> call);

 private:
  std::mutex mutex_;
  std::deque<std::function<void()>> calls_;
  bool busy_ = false;
};

/// A clock that stands at a time of day until that has come.
class LaterClock final : public Clock {
 public:
  LaterClock(const Clock& clock, std::int64_t from_ms) : clock_(clock), from_ms_(from_ms) {}
  std::int64_t wall_ms() const override { return std::max(clock_.wall_ms(), from_ms_); }
  std::int64_t monotonic_ns() const override { return clock_.monotonic_ns(); }

 private:
  const Clock& clock_;
  const std::int64_t from_ms_;
};

/// The inside of a Job: its life, and what its tasks see of it.
class JobCore final : public TaskHost, public EpochObserver {
 public:
  static Result<std::unique_ptr<JobCore>> create(Graph graph, JobOptions options);
  ~JobCore() override;

  Status start();
  Status await();
  void await_quiet();
  void stop(StopMode mode);
  void trigger_epoch();
  void wake_planner() { source_woken(); }
  void pause(bool paused);
  JobState state() const;
  JobProgress progress() const;
  void read_state(std::string_view operator_name, StateQuery query, Job::StateAnswer answer);

  // TaskHost
  const JobOptions& options() const override { return options_; }
  const Clock& clock() const override { return *options_.clock; }
  Executor& executor() override { return *options_.executor; }
  PieceCount& pieces() override { return pieces_; }
  MetricRegistry& metrics() override { return *options_.metrics; }
  bool cancelled() const override { return cancelled_.load(std::memory_order_acquire); }
  bool draining() const override { return draining_.load(std::memory_order_acquire); }
  bool paused() const override { return paused_.load(std::memory_order_acquire); }
  void fail(Status status) override;
  void acknowledge(TaskAck ack) override { coordinator_->acknowledge(std::move(ack)); }
  void task_closed() override;
  void source_exhausted() override;
  void source_read() override { planned_->source_read(); }
  void source_woken() override;
  void want_epoch() override;
  void charge_state(std::int64_t bytes) override;
  bool sources_wait() const override { return is_epoch_early_.load(std::memory_order_acquire); }

  // EpochObserver
  void epoch_published(std::shared_ptr<const EpochRecord> record) override;
  void last_epoch_published(bool finished) override;

 private:
  JobCore(Graph graph, JobOptions options);

  void plan_epochs();
  void open_and_run();
  Status open_outside();
  void run();
  void stop_running(StopMode mode);
  void stop_now(StopMode mode);
  void stop_between_epochs();
  void wake_tasks();
  void wrap_up();
  Status cancelled_error() const;
  void set_state(JobState state);
  void end(JobState state);
  template <typename F>
  void tell(F call);
  void ask_tasks(int node, std::shared_ptr<const StateQuery> query, Job::StateAnswer answer);
  /// Calls when the epoch is durable, or (kCancelled) will never be.
  void when_published(EpochId epoch, std::function<void(const Status&)> call);
  void tell_waiting_readers();

  Graph graph_;
  JobOptions options_;
  std::unique_ptr<MetricRegistry> own_metrics_;
  ExecutionPlan plan_;
  SimulatedExecutor* simulation_ = nullptr;  // the executor, if it is one
  PieceCount pieces_;
  JobParts parts_;
  std::unique_ptr<EpochCoordinator> coordinator_;
  std::unique_ptr<PlannedEpochs> planned_;  // null: no planner
  ListenerQueue listeners_;

  std::atomic<bool> cancelled_{false};
  std::atomic<bool> draining_{false};
  std::atomic<bool> paused_{false};
  std::atomic<std::int64_t> state_bytes_{0};
  // An epoch was asked for since state is short of memory; sources wait until one is published.
  std::atomic<bool> is_epoch_early_{false};
  std::atomic<int> exhausted_sources_{0};
  std::atomic<bool> at_end_{false};          // all sources have read everything and wait
  std::unique_ptr<LaterClock> later_clock_;  // of a restored job whose windows were closed early

  mutable std::mutex mutex_;
  std::condition_variable ended_changed_;
  JobState state_ = JobState::kCreated;
  bool ended_ = false;    // in a last state, and the listeners know
  bool running_ = false;  // tasks have been woken
  bool wrapping_up_ = false;
  int closed_tasks_ = 0;
  std::optional<StopMode> stop_mode_;
  std::optional<JobState> last_state_;  // when the last epoch is published
  Status failure_;                      // the first one
  bool failure_told_ = false;           // listeners know it; they hear of the end after that
  EpochId published_ = 0;
  std::multimap<EpochId, std::function<void(const Status&)>> waiting_readers_;
};

}  // namespace tidegate
