// SPDX-License-Identifier: Apache-2.0
#include "api/session.h"

#include <functional>
#include <sstream>
#include <utility>

#include "api/batch_session.h"
#include "api/live_state.h"
#include "api/native_connectors.h"
#include "api/plan_state.h"
#include "api/state_choice.h"
#include "base/check.h"
#include "base/file_system.h"
#include "dataflow/connector.h"
#include "expr/function_registry.h"
#include "formats/format.h"
#include "planner/lowering.h"

namespace tidegate {
namespace {

const ConnectorRegistry& builtin_connectors() {
  static const ConnectorRegistry* const registry = [] {
    auto* made = new ConnectorRegistry;  // lives for the process
    register_all_connectors(*made);
    return made;
  }();
  return *registry;
}

int parallelism_of(const RunOptions& options) {
  return options.parallelism > 0 ? options.parallelism : machine_cores();
}

/// An epoch without a batch is whatever was there: what it tells would mean nothing.
Status check_output_mode(const Options& settings, const RunOptions& options) {
  const std::string mode = settings.get_string_or("output.mode", "changes");
  if (mode == "changes" || runs_in_batches(options)) return Status::ok();
  return Status(ErrorCode::kNotSupported,
                fmt::format("the output mode {} needs micro-batches, which the mode {} and the "
                            "trigger continuous do not have",
                            mode, options.mode == "micro-batch" ? "embedded" : options.mode),
                "Use --mode micro-batch with another trigger, or no output mode.");
}

}  // namespace

/// Passes a job's events to the program's callbacks, and wakes those who wait for the end.
class RunningJob::Session::Listener final : public JobListener {
 public:
  explicit Listener(const RunOptions& options)
      : on_state_(options.on_state), on_epoch_(options.on_epoch) {}

  void on_state(JobState state) override {
    if (on_state_) on_state_(state);
    if (!is_terminal(state)) return;
    if (batches_ != nullptr) batches_->ended();
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }
  void on_epoch(const EpochRecord& record) override {
    if (on_epoch_) on_epoch_(record.epoch);
  }
  /// Before the job starts.
  void set_batches(std::shared_ptr<BatchRunner> batches) { batches_ = std::move(batches); }
  bool wait_for(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [this] { return ended_; });
  }

 private:
  std::function<void(JobState)> on_state_;
  std::function<void(EpochId)> on_epoch_;
  std::shared_ptr<BatchRunner> batches_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
};

FormatRegistry formats_of(const untyped::Plan& plan) {
  FormatRegistry formats;
  register_all_formats(formats);
  for (const auto& [name, format] : plan.state().formats) {
    formats.add(make_native_format(name, format));
  }
  return formats;
}

Result<LoweringOptions> lowering_options(std::string job_name, const RunOptions& options,
                                         const FormatRegistry& formats) {
  if (options.mode != "embedded" && options.mode != "micro-batch") {
    return Status(ErrorCode::kNotSupported, fmt::format("mode '{}' is not there yet", options.mode),
                  "Use --mode embedded or --mode micro-batch.");
  }
  LoweringOptions lowering;
  lowering.job_name = std::move(job_name);
  lowering.parallelism = parallelism_of(options);
  lowering.connectors = &builtin_connectors();
  lowering.formats = &formats;
  lowering.files = &local_file_system();
  lowering.functions = &builtin_functions();
  // A job that goes on from a savepoint must have the operators of the one that left it.
  lowering.drains = drains_at_end(options) && options.restore.empty();
  if (!options.output_mode.empty()) lowering.settings.set("output.mode", options.output_mode);
  for (const auto& [name, value] : options.settings) {
    lowering.settings.set(name, value);
    if (name == "planner.disabled-rules") {
      std::istringstream names(value);
      for (std::string rule; std::getline(names, rule, ',');) {
        lowering.disabled_rules.push_back(rule);
      }
    }
  }
  TG_RETURN_IF_ERROR(check_output_mode(lowering.settings, options));
  return lowering;
}

Result<Graph> lower_app(const untyped::Plan& plan, const RunOptions& options,
                        const FormatRegistry& formats) {
  TG_RETURN_IF_ERROR(plan.status());
  TG_ASSIGN_OR_RETURN(const LoweringOptions lowering,
                      lowering_options(plan.state().job_name, options, formats));
  return lower(plan.state().sinks, lowering);
}

Result<std::unique_ptr<RunningJob::Session>> RunningJob::Session::start(
    Graph graph, const RunOptions& options, std::unique_ptr<FormatRegistry> formats) {
  auto session = std::make_unique<Session>();
  session->formats_ = std::move(formats);
  session->listener_ = std::make_shared<Listener>(options);
  session->executor_ = make_thread_executor(parallelism_of(options));
  JobOptions job;
  job.parallelism = parallelism_of(options);
  job.executor = session->executor_.get();
  job.epoch_interval_ms = options.epoch_interval.count();
  TG_RETURN_IF_ERROR(choose_state_store(options, job));
  TG_ASSIGN_OR_RETURN(session->epochs_, DurableEpochs::open(options, graph, *session->executor_));
  session->epochs_->apply(job);
  job.listeners.push_back(session->listener_);
  const auto cut = options.settings.find("runtime.max-batch-rows");
  if (cut != options.settings.end()) {
    Options setting;
    setting.set(cut->first, cut->second);
    TG_ASSIGN_OR_RETURN(job.max_batch_rows, setting.get_int_or(cut->first, job.max_batch_rows));
    if (job.max_batch_rows < 1) {
      return error(ErrorCode::kInvalidOption, "{} must be at least 1", cut->first);
    }
  }
  if (runs_in_batches(options)) {
    TG_ASSIGN_OR_RETURN(session->batches_, run_in_batches(graph, options, job));
    session->listener_->set_batches(session->batches_);
  }
  TG_ASSIGN_OR_RETURN(session->job_, Job::create(std::move(graph), std::move(job)));
  if (session->batches_ != nullptr) {
    session->batches_->watch([running = session->job_.get()] { return running->progress(); });
  }
  TG_RETURN_IF_ERROR(session->job_->start());
  return session;
}

RunningJob::Session::~Session() {
  if (epochs_ != nullptr) epochs_->stop_tidying();  // the executor waits for what runs
}

Status RunningJob::Session::await() {
  Status status = job_->await();
  std::call_once(stopped_,
                 [&] { outcome_ = status.is_ok() ? epochs_->job_stopped() : std::move(status); });
  return outcome_;
}

Status RunningJob::Session::process_available() {
  if (batches_ == nullptr) {
    return error(ErrorCode::kNotSupported,
                 "only a job that runs in micro-batches can wait for what is available");
  }
  if (batches_->await_idle([this] { job_->wake_planner(); })) return Status::ok();
  return await();
}

bool RunningJob::Session::await_for(std::chrono::milliseconds time) {
  return listener_->wait_for(time);
}

RunningJob::RunningJob(std::unique_ptr<Session> session) : session_(std::move(session)) {}
RunningJob::RunningJob(RunningJob&&) noexcept = default;
RunningJob& RunningJob::operator=(RunningJob&&) noexcept = default;
RunningJob::~RunningJob() = default;

Status RunningJob::await() { return session_->await(); }
bool RunningJob::await_for(std::chrono::milliseconds time) { return session_->await_for(time); }
void RunningJob::stop(bool drain) { session_->stop(drain ? StopMode::kDrain : StopMode::kBarrier); }
Status RunningJob::process_available() { return session_->process_available(); }
JobProgress RunningJob::progress() const { return session_->progress(); }

Status RunningJob::read_rows(std::string_view name, BatchWriter* key,
                             const std::vector<ColumnSpec>& columns, const Visit& visit) const {
  return read_live_rows(std::bind_front(ask_and_wait, std::ref(session_->job())), name, key,
                        columns, visit);
}
Result<std::optional<std::string>> RunningJob::read_bytes(std::string_view name,
                                                          std::string_view state,
                                                          BatchWriter& key) const {
  return read_live_bytes(std::bind_front(ask_and_wait, std::ref(session_->job())), name, state,
                         key);
}

Result<RunningJob> App::start(const RunOptions& options) {
  auto formats = std::make_unique<FormatRegistry>(formats_of(*plan_));
  TG_ASSIGN_OR_RETURN(Graph graph, lower_app(*plan_, options, *formats));
  TG_ASSIGN_OR_RETURN(std::unique_ptr<RunningJob::Session> session,
                      RunningJob::Session::start(std::move(graph), options, std::move(formats)));
  return RunningJob(std::move(session));
}

}  // namespace tidegate
