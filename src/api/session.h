// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "api/durable_epochs.h"
#include "base/executor.h"
#include "formats/format.h"
#include "planner/lowering.h"
#include "runtime/job.h"
#include "tidegate/app.h"

namespace tidegate {

class BatchRunner;  // microbatch/batch_runner.h

/// What lowering gets to know of the options of a run; kNotSupported for a mode that is not there
/// yet. `formats` must outlive it.
Result<LoweringOptions> lowering_options(std::string job_name, const RunOptions& options,
                                         const FormatRegistry& formats);

/// Lowers the plan of an app for these options.
Result<Graph> lower_app(const untyped::Plan& plan, const RunOptions& options,
                        const FormatRegistry& formats);

/// The built-in formats and the program's own.
FormatRegistry formats_of(const untyped::Plan& plan);

/// A job of an app with the threads that it runs on.
class RunningJob::Session {
 public:
  /// `formats` are those that the graph was lowered with.
  static Result<std::unique_ptr<Session>> start(Graph graph, const RunOptions& options,
                                                std::unique_ptr<FormatRegistry> formats);
  ~Session();

  Status await();
  bool await_for(std::chrono::milliseconds time);
  void stop(StopMode mode) { job_->stop(mode); }
  Status process_available();
  JobProgress progress() const { return job_->progress(); }
  Job& job() const { return *job_; }

 private:
  class Listener;
  std::unique_ptr<FormatRegistry> formats_;
  std::unique_ptr<DurableEpochs> epochs_;
  std::once_flag stopped_;
  Status outcome_;
  std::shared_ptr<Listener> listener_;
  std::shared_ptr<BatchRunner> batches_;  // null: not in micro-batches
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Job> job_;  // runs on executor_, so it goes first
};

}  // namespace tidegate
