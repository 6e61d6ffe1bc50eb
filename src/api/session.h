// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/attempts.h"
#include "api/durable_epochs.h"
#include "base/executor.h"
#include "formats/format.h"
#include "planner/lowering.h"
#include "runtime/job.h"
#include "tidegate/app.h"

namespace tidegate {

class BatchRunner;   // microbatch/batch_runner.h
class HttpServer;    // server/http_server.h
class StateService;  // server/state_service.h

namespace library {
class Instance;  // library/instance.h
}

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
  /// `formats` are those that the graph was lowered with. `lower_again` makes the same graph anew,
  /// for these options (of another parallelism); without it a job that fails has failed.
  static Result<std::unique_ptr<Session>> start(
      Graph graph, const RunOptions& options, std::unique_ptr<FormatRegistry> formats,
      std::function<Result<Graph>(const RunOptions&, const FormatRegistry&)> lower_again = {});
  ~Session();

  Status await();
  bool await_for(std::chrono::milliseconds time);
  void stop(StopMode mode);
  Status process_available();
  Status pause(bool paused);
  JobProgress progress() const;
  /// Waits for the answer; kServiceUnreachable while the job restarts.
  Result<StateReading> read_state(std::string_view name, StateQuery query) const;
  const std::string& serve_address() const { return serve_address_; }

 private:
  class Served;
  Status begin_serving(const Graph& graph);
  void serve();
  Status start_instance(const std::string& address);
  std::shared_ptr<BatchRunner> batches() const;
  Result<std::unique_ptr<Job>> make_job(int attempt, std::shared_ptr<JobListener> listener);

  RunOptions options_;
  std::function<Result<Graph>(const RunOptions&, const FormatRegistry&)> lower_again_;
  std::optional<Graph> graph_;     // of the first attempt, until it is made
  std::vector<int> parallelisms_;  // of the attempts; the last one stays
  std::unique_ptr<FormatRegistry> formats_;
  std::unique_ptr<DurableEpochs> epochs_;
  std::once_flag stopped_;
  std::atomic<bool> paused_{false};
  Status outcome_;
  mutable std::mutex batches_mutex_;
  std::shared_ptr<BatchRunner> batches_;  // of the last attempt; null: not in micro-batches
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Attempts> attempts_;           // run on executor_, so they go first
  std::unique_ptr<library::Instance> instance_;  // in library mode, and then none of the above
  std::unique_ptr<StateService> served_;
  std::unique_ptr<HttpServer> server_;
  bool is_serving_ = false;  // the job has begun
  std::string serve_address_;
};

}  // namespace tidegate
