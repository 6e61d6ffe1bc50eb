// SPDX-License-Identifier: Apache-2.0
#include "runtime/job_core.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/metrics.h"
#include "runtime/guard.h"
#include "runtime/progress_snapshot.h"
#include "state/state_store.h"

namespace tidegate {
namespace {

Status check_options(const JobOptions& options) {
  if (options.executor == nullptr)
    return error(ErrorCode::kInvalidArgument, "JobOptions::executor is null");
  if (options.max_batch_rows < 1 || options.max_open_splits < 1)
    return error(ErrorCode::kInvalidArgument,
                 "max_batch_rows {} and max_open_splits {} must be "
                 "positive",
                 options.max_batch_rows, options.max_open_splits);
  if (options.channel.rows < 1 || options.channel.bytes < 1)
    return error(ErrorCode::kInvalidArgument, "channels of {} rows and {} bytes hold nothing",
                 options.channel.rows, options.channel.bytes);
  return Status::ok();
}

}  // namespace

void ListenerQueue::post(std::function<void()> call) {
  std::unique_lock lock(mutex_);
  calls_.push_back(std::move(call));
  if (busy_) return;
  busy_ = true;
  while (!calls_.empty()) {
    const std::function<void()> next = std::move(calls_.front());
    calls_.pop_front();
    lock.unlock();
    next();
    lock.lock();
  }
  busy_ = false;
}

JobCore::JobCore(Graph graph, JobOptions options)
    : graph_(std::move(graph)), options_(std::move(options)) {
  if (options_.clock == nullptr) options_.clock = &system_clock();
  if (options_.restore != nullptr && options_.restore->clock_ms > 0) {
    later_clock_ = std::make_unique<LaterClock>(*options_.clock, options_.restore->clock_ms);
    options_.clock = later_clock_.get();
  }
  if (options_.metrics == nullptr) {
    own_metrics_ = make_metric_registry();
    options_.metrics = own_metrics_.get();
  }
  if (options_.commit_policy == nullptr) options_.commit_policy = make_volatile_commit_policy();
  if (options_.state_store == nullptr) {
    options_.state_store = make_memory_state_store(options_.memory_budget_bytes);
  }
  simulation_ = dynamic_cast<SimulatedExecutor*>(options_.executor);
}

Result<std::unique_ptr<JobCore>> JobCore::create(Graph graph, JobOptions options) {
  TG_RETURN_IF_ERROR(check_options(options));
  std::unique_ptr<JobCore> core(new JobCore(std::move(graph), std::move(options)));
  TG_ASSIGN_OR_RETURN(core->plan_, cut_into_chains(core->graph_, core->options_.parallelism));
  if (const EpochRecord* restore = core->options_.restore.get())
    TG_RETURN_IF_ERROR(
        check_restorable(*restore, core->graph_, core->plan_, core->options_.drop_unclaimed_state));
  const EpochRecord none;
  const EpochRecord& from = core->options_.restore ? *core->options_.restore : none;
  TG_RETURN_IF_ERROR(
      core->options_.state_store->begin_after({from.run, from.epoch, {}}, from.held));
  core->parts_ = build_job(core->graph_, core->plan_, *core);
  EpochCoordinator::Spec spec{&core->graph_,
                              &core->plan_,
                              static_cast<int>(core->parts_.tasks.size()),
                              core->parts_.sources,
                              core->options_.restore ? core->options_.restore->epoch : 0,
                              core->options_.restore ? core->options_.restore->clock_ms : 0};
  core->coordinator_ = std::make_unique<EpochCoordinator>(std::move(spec), *core, *core);
  if (core->options_.planner != nullptr) core->plan_epochs();
  return core;
}

void JobCore::plan_epochs() {
  std::vector<PlannedEpochs::SourceOfJob> sources;
  for (const EpochCoordinator::SourceTasks& source : parts_.sources)
    sources.push_back({plan_.nodes[static_cast<std::size_t>(source.node)].uid, source.enumerator});
  planned_ = std::make_unique<PlannedEpochs>(
      *this, std::move(sources),
      PlannedEpochs::Calls{[this](bool stops) { coordinator_->trigger(stops); },
                           [this](StopMode mode) {
                             if (mode == StopMode::kDrain) return stop_now(mode);
                             stop_between_epochs();
                           }});
}

// After the end only timers and wakers of sources can begin something; when they are cut off and
// the last piece has ended, nothing refers to the parts any more.
JobCore::~JobCore() {
  if (state() == JobState::kCreated) return;
  stop(StopMode::kCancel);
  await_quiet();
}

void JobCore::await_quiet() {
  static_cast<void>(await());
  for (const auto& enumerator : parts_.enumerators) enumerator->cut_off();
  if (coordinator_ != nullptr) coordinator_->cut_off();
  if (planned_ != nullptr) planned_->cut_off();
  if (simulation_ != nullptr) {
    while (!pieces_.none() && simulation_->run_one()) {
    }
  } else {
    pieces_.wait_for_none();
  }
}

Status JobCore::start() {
  {
    const std::lock_guard lock(mutex_);
    if (state_ != JobState::kCreated)
      return error(ErrorCode::kInvalidArgument, "the job '{}' was started before", graph_.job_name);
    state_ = JobState::kStarting;
  }
  set_state(JobState::kStarting);
  run_blocking([this] { open_and_run(); });
  return Status::ok();
}

void JobCore::open_and_run() {
  Status opened = cancelled() ? Status::ok() : open_outside();
  if (!opened.is_ok()) fail(std::move(opened));
  if (cancelled()) {
    const std::lock_guard lock(mutex_);
    closed_tasks_ = static_cast<int>(parts_.tasks.size());  // none of them was ever run
  } else if (options_.restore != nullptr && options_.restore->finished) {
    const std::lock_guard lock(mutex_);
    closed_tasks_ = static_cast<int>(parts_.tasks.size());
    last_state_ = JobState::kFinished;
  } else {
    run();
    return;
  }
  wrap_up();
}

Status JobCore::open_outside() {
  for (const Node& node : graph_.nodes) {
    if (node.sink == nullptr) continue;
    TG_RETURN_IF_ERROR(guarded([&] {
                         return node.sink->open();
                       }).with_context(fmt::format("sink '{}'", node.name)));
  }
  if (options_.restore != nullptr)
    TG_RETURN_IF_ERROR(coordinator_->publish_restored(*options_.restore));
  for (const auto& enumerator : parts_.enumerators) TG_RETURN_IF_ERROR(enumerator->open());
  return Status::ok();
}

void JobCore::run() {
  set_state(JobState::kRunning);
  std::optional<StopMode> stop_mode;
  {
    const std::lock_guard lock(mutex_);
    running_ = true;
    stop_mode = stop_mode_;
  }
  for (const auto& enumerator : parts_.enumerators) enumerator->start();
  coordinator_->start();
  wake_tasks();
  if (stop_mode) stop_running(*stop_mode);
  if (planned_ != nullptr) planned_->start();
}

void JobCore::wake_tasks() {
  for (const std::unique_ptr<Task>& task : parts_.tasks) task->wake();
}

void JobCore::pause(bool paused) {
  paused_.store(paused, std::memory_order_release);
  const std::lock_guard lock(mutex_);
  if (running_ && !ended_) wake_tasks();
}

void JobCore::stop(StopMode mode) {
  bool running = false;
  bool never_started = false;
  {
    const std::lock_guard lock(mutex_);
    if (is_terminal(state_) || (stop_mode_ && *stop_mode_ >= mode)) return;
    stop_mode_ = mode;
    running = running_;
    never_started = state_ == JobState::kCreated;
    if (mode == StopMode::kCancel) cancelled_.store(true, std::memory_order_release);
    if (never_started) {
      state_ = JobState::kStopping;
      if (mode == StopMode::kCancel) failure_ = cancelled_error();
    }
  }
  if (never_started) {
    end(mode == StopMode::kCancel ? JobState::kCancelled : JobState::kStopped);
  } else if (running) {
    stop_running(mode);
  }
}

void JobCore::stop_running(StopMode mode) {
  set_state(JobState::kStopping);
  if (planned_ != nullptr && mode != StopMode::kCancel) return planned_->stop(mode);
  stop_now(mode);
}

void JobCore::stop_now(StopMode mode) {
  switch (mode) {
    case StopMode::kBarrier:
      coordinator_->trigger(true, at_end_.load(std::memory_order_acquire));
      return;
    case StopMode::kDrain:
      draining_.store(true, std::memory_order_release);
      wake_tasks();
      return;
    case StopMode::kCancel:
      wake_tasks();
      wrap_up();
      return;
  }
}

// The last published epoch is all that there is: nothing has been read since.
void JobCore::stop_between_epochs() {
  {
    const std::lock_guard lock(mutex_);
    last_state_ = JobState::kStopped;
    cancelled_.store(true, std::memory_order_release);
  }
  set_state(JobState::kStopping);
  wake_tasks();
  wrap_up();
}

void JobCore::source_woken() {
  if (planned_ != nullptr && !cancelled()) planned_->wake();
}

void JobCore::want_epoch() {
  if (planned_ == nullptr) coordinator_->trigger(false);
}

void JobCore::trigger_epoch() {
  if (planned_ != nullptr) return;
  {
    const std::lock_guard lock(mutex_);
    if (is_terminal(state_)) return;
  }
  coordinator_->trigger(false);  // which remembers it until the job runs
}

void JobCore::fail(Status status) {
  bool running = false;
  {
    const std::lock_guard lock(mutex_);
    if (is_terminal(state_) || !failure_.is_ok()) return;
    failure_ = status;
    cancelled_.store(true, std::memory_order_release);
  }
  tell([status](JobListener& listener) { listener.on_failure(status); });
  set_state(JobState::kStopping);
  {
    const std::lock_guard lock(mutex_);
    failure_told_ = true;
    running = running_;
  }
  if (!running) return;
  wake_tasks();
  wrap_up();
}

void JobCore::task_closed() {
  {
    const std::lock_guard lock(mutex_);
    ++closed_tasks_;
  }
  wrap_up();
}

void JobCore::last_epoch_published(bool finished) {
  {
    const std::lock_guard lock(mutex_);
    last_state_ = finished ? JobState::kFinished : JobState::kStopped;
  }
  wrap_up();
}

// The job is over when no task runs any more and the last epoch is published, or else, after an
// error, when what was prepared is thrown away.
void JobCore::wrap_up() {
  {
    const std::lock_guard lock(mutex_);
    const bool closed = closed_tasks_ == static_cast<int>(parts_.tasks.size());
    if (wrapping_up_ || !closed || (!last_state_ && !cancelled())) return;
    if (!failure_.is_ok() && !failure_told_) return;  // whoever tells it comes here, too
    wrapping_up_ = true;
  }
  coordinator_->abandon([this] {
    JobState last = JobState::kFailed;
    {
      const std::lock_guard lock(mutex_);
      if (failure_.is_ok()) {
        if (!last_state_) failure_ = cancelled_error();
        last = last_state_.value_or(JobState::kCancelled);
      }
    }
    end(last);
  });
}

Status JobCore::cancelled_error() const {
  return error(ErrorCode::kCancelled, "the job '{}' was cancelled", graph_.job_name);
}

void JobCore::set_state(JobState state) {
  {
    const std::lock_guard lock(mutex_);
    // Several stops, or an error while stopping, are one kStopping; nothing comes after the end.
    if (is_terminal(state_) || (state_ == state && state == JobState::kStopping)) return;
    state_ = state;
  }
  tell([state](JobListener& listener) { listener.on_state(state); });
}

void JobCore::end(JobState state) {
  cancelled_.store(true, std::memory_order_release);  // timers and wakers begin nothing any more
  set_state(state);
  tell_waiting_readers();
  // Behind the listeners, so that who awaits the job may destroy what they use.
  pieces_.begin();
  listeners_.post([this] {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    ended_changed_.notify_all();
    pieces_.end();
  });
}

template <typename F>
void JobCore::tell(F call) {
  if (options_.listeners.empty()) return;
  listeners_.post([this, call = std::move(call)] {
    for (const std::shared_ptr<JobListener>& listener : options_.listeners) call(*listener);
  });
}

void JobCore::epoch_published(std::shared_ptr<const EpochRecord> record) {
  std::vector<OperatorDeltas> operators;
  for (const OperatorState& state : record->operators)
    operators.push_back({&state.uid, &state.deltas});
  const CommitPolicy& policy = *options_.commit_policy;
  Status applied =
      options_.state_store->apply({policy.run(), record->epoch, policy.position()}, operators);
  if (!applied.is_ok()) fail(std::move(applied));
  is_epoch_early_.store(false, std::memory_order_release);
  {
    const std::lock_guard lock(mutex_);
    published_ = record->epoch;
  }
  tell_waiting_readers();
  tell([record = std::move(record)](JobListener& listener) { listener.on_epoch(*record); });
  if (planned_ != nullptr) planned_->published();
}

void JobCore::source_exhausted() {
  std::size_t source_tasks = 0;
  for (const EpochCoordinator::SourceTasks& source : parts_.sources)
    source_tasks += source.heads.size();
  if (exhausted_sources_.fetch_add(1) + 1 < static_cast<int>(source_tasks)) return;
  at_end_.store(true, std::memory_order_release);
  stop(StopMode::kBarrier);
}

void JobCore::charge_state(std::int64_t bytes) {
  // Planned epochs are never split.
  if (planned_ == nullptr && options_.state_store->is_short_of_memory() &&
      !is_epoch_early_.exchange(true))
    trigger_epoch();
  const std::int64_t total = state_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  const std::int64_t budget = options_.memory_budget_bytes;
  if (budget <= 0 || total <= budget || bytes <= 0) return;
  fail(error(ErrorCode::kOutOfMemory, "the state of all operators takes {} bytes, more than {}",
             total, budget));
}

Status JobCore::await() {
  if (simulation_ != nullptr) {
    while (true) {
      {
        const std::lock_guard lock(mutex_);
        if (ended_) return failure_;
        if (state_ == JobState::kCreated) break;
      }
      if (!simulation_->run_one())
        return error(ErrorCode::kInternal, "the job '{}' stands still: nothing will wake it",
                     graph_.job_name);
    }
  }
  std::unique_lock lock(mutex_);
  if (state_ == JobState::kCreated)
    return error(ErrorCode::kInvalidArgument, "the job '{}' was not started", graph_.job_name);
  ended_changed_.wait(lock, [this] { return ended_; });
  return failure_;
}

JobProgress JobCore::progress() const {
  JobProgress progress = collect_progress(graph_, plan_, parts_, *options_.metrics);
  progress.published_epoch = coordinator_->published_epoch();
  progress.epochs = coordinator_->history();
  progress.state = state();
  return progress;
}

JobState JobCore::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

}  // namespace tidegate
