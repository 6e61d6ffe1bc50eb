// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "runtime/epoch_planner.h"
#include "runtime/job.h"
#include "runtime/split_enumerator.h"
#include "runtime/task_host.h"
#include "runtime/tether.h"

namespace tidegate {

/// Runs a job epoch by epoch as its planner says: hands out the input of one, ends it with a
/// barrier when all of it has been read, and asks for the next one when it is published. An epoch
/// that has begun is not cut short, but by an error or a cancelled job (see
/// EpochPlanner::may_be_cut()). Thread-safe.
class PlannedEpochs {
 public:
  struct Calls {
    /// Ends the epoch; `stops`: the job too.
    std::function<void(bool stops)> end_epoch;
    /// Between two epochs: the job stops where it is, or drains.
    std::function<void(StopMode)> stop;
  };
  struct SourceOfJob {
    std::string uid;
    SplitEnumerator* enumerator = nullptr;
  };

  PlannedEpochs(TaskHost& host, std::vector<SourceOfJob> sources, Calls calls);
  /// Timers do nothing from now on.
  void cut_off() { tether_.cut(); }

  /// The job runs.
  void start();
  /// One source has read its share of the epoch.
  void source_read();
  void published();
  /// Not kCancel: that needs no word from here.
  void stop(StopMode mode);
  /// Asks the planner again if it waits.
  void wake();

 private:
  enum class State : std::uint8_t {
    kPlanning,  ///< a blocking thread asks the planner, or is about to
    kWaiting,
    kRunning,
    kOver,  ///< the last epoch runs, or the job has been told to stop
  };

  void ask();
  void plan();
  void run(const PlannedEpoch& epoch);
  void wait(std::int64_t until_ns);
  // With the lock held; what it answers is called without it.
  std::function<void()> stop_if_wanted();

  TaskHost& host_;
  EpochPlanner& planner_;
  const std::vector<SourceOfJob> sources_;
  const Calls calls_;
  Tether<PlannedEpochs> tether_{*this};

  std::mutex asking_;  // the planner hears one call at a time

  std::mutex mutex_;
  State state_ = State::kPlanning;
  bool woken_ = false;  // since the planner was asked last
  bool wants_stop_ = false;
  StopMode stop_mode_ = StopMode::kBarrier;
  std::uint64_t waits_ = 0;  // tells timers of earlier waits from the current one
  std::size_t unread_ = 0;   // sources with something left to read
  bool ends_input_ = false;
};

}  // namespace tidegate
