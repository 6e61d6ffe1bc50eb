// SPDX-License-Identifier: Apache-2.0
#include "api/session.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <sstream>
#include <utility>

#include "api/batch_session.h"
#include "api/library_session.h"
#include "api/live_state.h"
#include "api/native_connectors.h"
#include "api/plan_state.h"
#include "api/run_settings.h"
#include "api/state_choice.h"
#include "base/check.h"
#include "base/file_system.h"
#include "base/log.h"
#include "base/secret.h"
#include "dataflow/connector.h"
#include "expr/function_registry.h"
#include "formats/format.h"
#include "planner/lowering.h"
#include "planner/split_keys.h"
#include "server/http_server.h"
#include "server/state_service.h"
#include "state/state_store.h"

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

/// 'runtime.attempt-parallelism': "1,2,3" for tests that rescale a job with each restart.
Result<std::vector<int>> attempt_parallelisms(const Options& settings) {
  constexpr std::string_view kName = "runtime.attempt-parallelism";
  std::vector<int> parallelisms;
  std::istringstream parts(settings.get_string_or(kName, ""));
  for (std::string part; std::getline(parts, part, ',');) {
    parallelisms.push_back(std::atoi(part.c_str()));
    if (parallelisms.back() >= 1 && parallelisms.back() <= 1024) continue;
    return error(ErrorCode::kInvalidOption, "{}: '{}' is not a parallelism", kName, part);
  }
  return parallelisms;
}

/// What settings say about how a job runs.
Status read_job_settings(const RunOptions& options, JobOptions& job) {
  const Options settings = settings_of(options);
  // What the command line says comes first.
  std::chrono::milliseconds interval = options.epoch_interval;
  if (interval == RunOptions().epoch_interval) {
    TG_ASSIGN_OR_RETURN(interval,
                        settings.get_duration_or("execution.checkpointing.interval", interval));
  }
  job.epoch_interval_ms = interval.count();
  // As long as Flink waits, where anybody relies on epochs.
  TG_ASSIGN_OR_RETURN(
      const std::chrono::milliseconds timeout,
      settings.get_duration_or("execution.checkpointing.timeout",
                               std::chrono::minutes(options.checkpoint_dir.empty() ? 0 : 10)));
  job.epoch_timeout_ms = timeout.count();
  TG_ASSIGN_OR_RETURN(
      const std::int64_t failures,
      settings.get_int_or("execution.checkpointing.tolerable-failed-checkpoints", 0));
  job.tolerable_epoch_failures = static_cast<int>(std::clamp<std::int64_t>(failures, 0, 1'000'000));
  TG_ASSIGN_OR_RETURN(job.epoch_rows, settings.get_int_or("runtime.epoch-rows", 0));
  TG_ASSIGN_OR_RETURN(job.max_batch_rows,
                      settings.get_int_or("runtime.max-batch-rows", job.max_batch_rows));
  if (job.max_batch_rows < 1)
    return error(ErrorCode::kInvalidOption, "runtime.max-batch-rows must be at least 1");
  return Status::ok();
}

}  // namespace

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
  if (options.parallelism > 0) {
    lowering.settings.set("runtime.asked-parallelism", std::to_string(options.parallelism));
  }
  lowering.connectors = &builtin_connectors();
  lowering.formats = &formats;
  lowering.files = &local_file_system();
  lowering.functions = &builtin_functions();
  // A job that goes on from a savepoint must have the operators of the one that left it.
  lowering.drains = drains_at_end(options) && options.restore.empty();
  if (!options.application_id.empty()) lowering.settings.set(kKeepsSplits, "true");
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
    Graph graph, const RunOptions& options, std::unique_ptr<FormatRegistry> formats,
    std::function<Result<Graph>(const RunOptions&, const FormatRegistry&)> lower_again) {
  auto session = std::make_unique<Session>();
  session->options_ = options;
  session->lower_again_ = std::move(lower_again);
  session->graph_ = std::move(graph);
  session->formats_ = std::move(formats);
  TG_RETURN_IF_ERROR(session->begin_serving(*session->graph_));
  if (runs_as_instance(options)) {
    TG_RETURN_IF_ERROR(session->start_instance(session->serve_address_));
    session->serve();
    return session;
  }
  session->executor_ = make_thread_executor(parallelism_of(options));
  const Options settings = settings_of(options);
  TG_ASSIGN_OR_RETURN(session->parallelisms_, attempt_parallelisms(settings));
  TG_ASSIGN_OR_RETURN(session->epochs_,
                      DurableEpochs::open(options, *session->graph_, *session->executor_));
  RestartStrategy none = *RestartStrategy::from(Options(), false);
  Attempts::Spec spec{.make = {}, .strategy = std::move(none)};
  if (session->lower_again_) {
    TG_ASSIGN_OR_RETURN(spec.strategy,
                        RestartStrategy::from(settings, !options.checkpoint_dir.empty()));
  }
  if (spec.strategy.restarts()) session->epochs_->keep_recent();
  spec.make = [own = session.get()](int attempt, std::shared_ptr<JobListener> listener) {
    return own->make_job(attempt, std::move(listener));
  };
  spec.executor = session->executor_.get();
  spec.on_state = [own = session.get(), call = options.on_state](JobState state) {
    if (call) call(state);
    const std::shared_ptr<BatchRunner> batches = own->batches();
    if (is_terminal(state) && batches != nullptr) batches->ended();
  };
  if (options.on_epoch)
    spec.on_epoch = [call = options.on_epoch](const EpochRecord& record) { call(record.epoch); };
  spec.on_restart = options.on_restart;
  session->attempts_ = std::make_unique<Attempts>(std::move(spec));
  TG_RETURN_IF_ERROR(session->attempts_->start());
  session->serve();
  return session;
}

Result<std::unique_ptr<Job>> RunningJob::Session::make_job(int attempt,
                                                           std::shared_ptr<JobListener> listener) {
  RunOptions options = options_;
  if (!parallelisms_.empty()) {
    const std::size_t last = parallelisms_.size() - 1;
    options.parallelism = parallelisms_[std::min(static_cast<std::size_t>(attempt), last)];
  }
  JobOptions job;
  job.parallelism = parallelism_of(options);
  job.executor = executor_.get();
  TG_RETURN_IF_ERROR(choose_state_store(options, job));
  job.drop_unclaimed_state = options.allow_non_restored_state;
  job.listeners.push_back(std::move(listener));
  TG_RETURN_IF_ERROR(read_job_settings(options, job));
  const std::optional<HeldState> held = job.state_store ? job.state_store->held() : std::nullopt;
  TG_RETURN_IF_ERROR(epochs_->load(held ? &*held : nullptr));
  epochs_->apply(job);
  if (!graph_) {
    TG_ASSIGN_OR_RETURN(graph_, lower_again_(options, *formats_));
  }
  Graph graph = *std::move(graph_);
  graph_.reset();
  if (!runs_in_batches(options)) {
    TG_ASSIGN_OR_RETURN(auto created, Job::create(std::move(graph), std::move(job)));
    created->pause(paused_.load());
    return created;
  }
  job.epoch_timeout_ms = 0;  // a batch takes as long as it takes
  TG_ASSIGN_OR_RETURN(std::shared_ptr<BatchRunner> made, run_in_batches(graph, options, job));
  TG_ASSIGN_OR_RETURN(std::unique_ptr<Job> running, Job::create(std::move(graph), std::move(job)));
  running->pause(paused_.load());
  made->watch([running = running.get()] { return running->progress(); });
  {
    const std::lock_guard lock(batches_mutex_);
    std::swap(batches_, made);
  }
  if (made != nullptr) made->ended();  // that of the attempt before
  return running;
}

/// What the HTTP server asks.
class RunningJob::Session::Served final : public StateService {
 public:
  Served(const Session& session, std::vector<ReadableState> states)
      : session_(session), states_(std::move(states)) {}
  const std::vector<ReadableState>& states() const override { return states_; }
  Result<StateReading> read(std::string_view name, StateQuery query) override {
    return session_.read_state(name, std::move(query));
  }

 private:
  const Session& session_;
  const std::vector<ReadableState> states_;
};

/// Others are told the address before there is anything to ask.
Status RunningJob::Session::begin_serving(const Graph& graph) {
  if (options_.serve.empty()) return Status::ok();
  const Options settings = settings_of(options_);
  TG_ASSIGN_OR_RETURN(std::vector<ReadableState> states, readable_states(graph));
  served_ = std::make_unique<Served>(*this, std::move(states));
  TG_ASSIGN_OR_RETURN(
      server_,
      HttpServer::start({options_.serve, Secret(settings.get_string_or("serve.token", ""))}));
  serve_address_ = settings.get_string_or("serve.advertised-address", server_->address());
  log_info("state.served", {{"address", server_->address()}});
  return Status::ok();
}

void RunningJob::Session::serve() {
  if (server_ == nullptr) return;
  is_serving_ = true;
  server_->answer_with(
      [served = served_.get()](std::string_view target) { return state_page(target, *served); });
}

Status RunningJob::Session::start_instance(const std::string& address) {
  std::function<Result<Graph>()> plan_again;
  if (lower_again_) plan_again = [this] { return lower_again_(options_, *formats_); };
  Graph graph = *std::move(graph_);
  graph_.reset();
  TG_ASSIGN_OR_RETURN(instance_,
                      tidegate::start_instance(std::move(graph), options_, address,
                                               std::move(plan_again), &read_job_settings));
  return Status::ok();
}

void RunningJob::Session::stop(StopMode mode) {
  if (instance_ != nullptr) return instance_->stop(mode);
  attempts_->stop(mode);
}

JobProgress RunningJob::Session::progress() const {
  return instance_ != nullptr ? instance_->progress() : attempts_->progress();
}

Result<StateReading> RunningJob::Session::read_state(std::string_view name,
                                                     StateQuery query) const {
  if (instance_ != nullptr) return instance_->read_state(name, std::move(query));
  if (query.committed && runs_in_batches(options_))
    return Status(ErrorCode::kNotSupported, "reading committed state in micro-batch mode",
                  "Read what is current: between two batches that is what is committed.");
  TG_ASSIGN_OR_RETURN(const std::shared_ptr<Job> job, attempts_->job());
  // Where nothing else ends epochs.
  const bool ends_epoch = query.committed && options_.epoch_interval.count() == 0;
  return ask_and_wait(*job, name, std::move(query), ends_epoch);
}

std::shared_ptr<BatchRunner> RunningJob::Session::batches() const {
  const std::lock_guard lock(batches_mutex_);
  return batches_;
}

RunningJob::Session::~Session() {
  if (server_ != nullptr) {
    // A job that ends answers whoever waits.
    server_->answer_with(nullptr);
    if (is_serving_) {
      stop(StopMode::kCancel);
      static_cast<void>(instance_ != nullptr ? instance_->await() : attempts_->await());
    }
    server_.reset();
  }
  if (epochs_ != nullptr) epochs_->stop_tidying();  // the executor waits for what runs
}

Status RunningJob::Session::await() {
  if (instance_ != nullptr) return instance_->await();
  Status status = attempts_->await();
  std::call_once(stopped_,
                 [&] { outcome_ = status.is_ok() ? epochs_->job_stopped() : std::move(status); });
  return outcome_;
}

Status RunningJob::Session::process_available() {
  std::shared_ptr<BatchRunner> asked = batches();
  if (asked == nullptr) {
    return error(ErrorCode::kNotSupported,
                 "only a job that runs in micro-batches can wait for what is available");
  }
  while (!asked->await_idle([this] { attempts_->wake_planner(); })) {
    std::shared_ptr<BatchRunner> next = batches();
    if (next == asked) return await();
    asked = std::move(next);  // the job has begun again
  }
  return Status::ok();
}

Status RunningJob::Session::pause(bool paused) {
  if (instance_ != nullptr) return error(ErrorCode::kNotSupported, "a pause in library mode");
  paused_.store(paused);
  const Result<std::shared_ptr<Job>> running = attempts_->job();
  if (running.is_ok()) (*running)->pause(paused);  // else the next one begins so
  return Status::ok();
}

bool RunningJob::Session::await_for(std::chrono::milliseconds time) {
  if (instance_ != nullptr) return instance_->await_for(time);
  return attempts_->await_for(time);
}

RunningJob::RunningJob(std::unique_ptr<Session> session) : session_(std::move(session)) {}
RunningJob::RunningJob(RunningJob&&) noexcept = default;
RunningJob& RunningJob::operator=(RunningJob&&) noexcept = default;
RunningJob::~RunningJob() = default;

Status RunningJob::await() { return session_->await(); }
bool RunningJob::await_for(std::chrono::milliseconds time) { return session_->await_for(time); }
void RunningJob::stop(bool drain) { session_->stop(drain ? StopMode::kDrain : StopMode::kBarrier); }
Status RunningJob::process_available() { return session_->process_available(); }
Status RunningJob::pause() { return session_->pause(true); }
Status RunningJob::resume() { return session_->pause(false); }
JobProgress RunningJob::progress() const { return session_->progress(); }

const std::string& RunningJob::serve_address() const { return session_->serve_address(); }

Result<LiveState::Found> RunningJob::read_rows(std::string_view name, const Wanted& wanted,
                                               const std::vector<ColumnSpec>& columns,
                                               const Visit& visit) const {
  const LiveQuery query{wanted.key, wanted.from, wanted.to, wanted.shows == Shows::kCommitted};
  TG_ASSIGN_OR_RETURN(StateReading reading,
                      read_live_rows(std::bind_front(&Session::read_state, session_.get()), name,
                                     query, columns, visit));
  return Found{reading.epoch, std::move(reading.elsewhere)};
}
Result<std::optional<std::string>> RunningJob::read_bytes(std::string_view name,
                                                          std::string_view state,
                                                          BatchWriter& key) const {
  return read_live_bytes(std::bind_front(&Session::read_state, session_.get()), name, state, key);
}

namespace {

/// Plans an app once more, which may be gone by then.
auto lower_again(const untyped::Plan& plan) {
  return [sinks = plan.state().sinks, name = plan.state().job_name](
             const RunOptions& options, const FormatRegistry& formats) -> Result<Graph> {
    TG_ASSIGN_OR_RETURN(const LoweringOptions lowering, lowering_options(name, options, formats));
    return lower(sinks, lowering);
  };
}

}  // namespace

Result<RunningJob> App::start(const RunOptions& options) {
  auto formats = std::make_unique<FormatRegistry>(formats_of(*plan_));
  TG_ASSIGN_OR_RETURN(Graph graph, lower_app(*plan_, options, *formats));
  TG_ASSIGN_OR_RETURN(std::unique_ptr<RunningJob::Session> session,
                      RunningJob::Session::start(std::move(graph), options, std::move(formats),
                                                 lower_again(*plan_)));
  return RunningJob(std::move(session));
}

}  // namespace tidegate
