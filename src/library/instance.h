// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataflow/graph.h"
#include "dataflow/state_reader.h"
#include "epoch/restart_strategy.h"
#include "runtime/job.h"
#include "tidegate/job_progress.h"
#include "tidegate/status.h"

namespace tidegate::library {

struct InstanceOptions {
  explicit InstanceOptions(RestartStrategy restarts) : strategy(std::move(restarts)) {}

  std::string application_id;
  std::string state_dir;    ///< of this instance alone; empty: nothing is kept on disk
  std::string instance_id;  ///< of a static member of the group; empty: none
  /// HOST:PORT where it answers questions about its state; other instances tell it to those who
  /// ask them. Empty: nowhere.
  std::string address;
  int threads = 1;
  /// On how many other instances each task has a copy of its state on disk.
  int standby_replicas = 0;
  std::chrono::milliseconds epoch_interval{100};
  /// Plans the graph anew, for one more task.
  std::function<Result<Graph>()> plan;
  /// Fills in what the user says about state and batches. `folder`: of the task, empty: none;
  /// `tasks`: that the application has.
  std::function<Status(const std::string& folder, int tasks, JobOptions& job)> set_job_options;
  RestartStrategy strategy;
  std::function<void(JobState)> on_state = {};
  std::function<void(const EpochRecord&)> on_epoch = {};
  std::function<void(const Status&)> on_restart = {};
};

/// One process of an application over Kafka: runs the tasks that the group gives to it, each a Job,
/// on its stream threads. Tasks come and go while others run. A task that fails begins again from
/// its last epoch as the restart strategy says; one that belongs to another process by now is let
/// go. Thread-safe.
class Instance {
 public:
  /// `graph` as planned once, before it was given to anybody.
  static Result<std::unique_ptr<Instance>> start(Graph graph, InstanceOptions options);
  /// Cancels what runs, and leaves the group.
  virtual ~Instance() = default;

  /// Waits until all tasks have finished, or stop() has been done.
  virtual Status await() = 0;
  virtual bool await_for(std::chrono::milliseconds time) = 0;
  /// One last epoch of all tasks, then the group is left; kCancel: at once. Another instance goes
  /// on, so nothing is drained.
  virtual void stop(StopMode mode) = 0;
  virtual JobProgress progress() const = 0;
  /// Asks the tasks that are here about the state of an operator, by its uid, and says who has the
  /// rest. Waits for the answers. kUnknownName; kServiceUnreachable while tasks that were asked are
  /// being restored, or while nobody knows where a key is.
  virtual Result<StateReading> read_state(std::string_view name, StateQuery query) = 0;
};

/// What the jobs of several tasks say, as that of one job.
JobProgress merge_progress(const std::vector<JobProgress>& tasks);

}  // namespace tidegate::library
