// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "base/executor.h"
#include "epoch/restart_strategy.h"
#include "runtime/job.h"
#include "runtime/tether.h"
#include "tidegate/job_progress.h"
#include "tidegate/status.h"

namespace tidegate {

/// A job that begins again from its last epoch when it fails, as its restart strategy says: one Job
/// after another, which look like one from outside. Thread-safe.
class Attempts {
 public:
  struct Spec {
    /// Makes the job of an attempt, from 0; called on a blocking thread from the second on, when
    /// nothing of the one before runs any more.
    std::function<Result<std::unique_ptr<Job>>(int attempt, std::shared_ptr<JobListener> listener)>
        make;
    RestartStrategy strategy;
    Executor* executor = nullptr;  ///< outlives it
    std::function<void(JobState)> on_state = {};
    std::function<void(const EpochRecord&)> on_epoch = {};
    std::function<void(const Status&)> on_restart = {};
  };

  explicit Attempts(Spec spec) : spec_(std::move(spec)) {}
  /// Cancels what runs.
  ~Attempts();

  Status start();
  /// Waits for the end of the last attempt.
  Status await();
  bool await_for(std::chrono::milliseconds time);
  void stop(StopMode mode);
  void wake_planner();
  JobProgress progress() const;
  /// The attempt that runs; kServiceUnreachable between two of them.
  Result<std::shared_ptr<Job>> job() const;

 private:
  class Listener;

  Status begin(int attempt);
  void begin_again();
  void hear_state(JobState state);
  void hear_failure(const Status& failure);
  /// Another attempt is planned, which a stop can still call off.
  bool plans_another();
  void end(JobState state);

  Spec spec_;
  Tether<Attempts> tether_{*this};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<Job> job_;  // null between two attempts
  JobProgress last_progress_;
  int restarts_ = 0;
  bool has_run_ = false;
  bool waiting_ = false;  // for the next attempt
  bool ended_ = false;
  std::optional<StopMode> stop_mode_;
  Status failure_;  // of the last attempt
};

}  // namespace tidegate
