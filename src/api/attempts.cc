// SPDX-License-Identifier: Apache-2.0
#include "api/attempts.h"

#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"

namespace tidegate {

class Attempts::Listener final : public JobListener {
 public:
  explicit Listener(Attempts& attempts) : attempts_(attempts) {}
  void on_state(JobState state) override { attempts_.hear_state(state); }
  void on_epoch(const EpochRecord& record) override {
    if (attempts_.spec_.on_epoch) attempts_.spec_.on_epoch(record);
  }
  void on_failure(const Status& failure) override { attempts_.hear_failure(failure); }

 private:
  Attempts& attempts_;
};

Attempts::~Attempts() {
  stop(StopMode::kCancel);
  tether_.cut();  // waits for an attempt that is just being made
  std::shared_ptr<Job> job;
  {
    const std::lock_guard lock(mutex_);
    waiting_ = false;
    job = std::exchange(job_, nullptr);
  }
  // ~Job waits until nothing of it runs.
}

Status Attempts::start() { return begin(0); }

Status Attempts::begin(int attempt) {
  TG_ASSIGN_OR_RETURN(std::shared_ptr<Job> job,
                      spec_.make(attempt, std::make_shared<Listener>(*this)));
  std::optional<StopMode> stop_mode;
  {
    const std::lock_guard lock(mutex_);
    job_ = job;
    stop_mode = stop_mode_;
  }
  TG_RETURN_IF_ERROR(job->start());
  if (stop_mode) job->stop(*stop_mode);
  return Status::ok();
}

void Attempts::hear_failure(const Status& failure) {
  const std::lock_guard lock(mutex_);
  failure_ = failure;
}

void Attempts::hear_state(JobState state) {
  if (state == JobState::kRunning) {
    const std::lock_guard lock(mutex_);
    has_run_ = true;
  }
  if (state == JobState::kFailed && plans_another()) return;
  if (is_terminal(state)) return end(state);
  if (spec_.on_state) spec_.on_state(state);
}

bool Attempts::plans_another() {
  Status failure;
  std::chrono::milliseconds delay{};
  const std::int64_t now_ns = system_clock().monotonic_ns();
  {
    const std::lock_guard lock(mutex_);
    if (stop_mode_) return false;
    // What never ran is more likely wrong than unlucky, unless somebody asked for patience.
    if (!has_run_ && spec_.strategy.is_default()) return false;
    const auto planned = spec_.strategy.next(failure_, now_ns);
    if (!planned) return false;
    delay = *planned;
    failure = failure_;
    waiting_ = true;
    ++restarts_;
  }
  log_warning("job.restarts", {{"delay_ms", delay.count()}, {"error", failure}});
  if (spec_.on_restart) spec_.on_restart(failure);
  if (spec_.on_state) spec_.on_state(JobState::kRestarting);
  Executor& executor = *spec_.executor;
  executor.submit_at(now_ns + delay.count() * 1'000'000, [&executor, tether = tether_] {
    executor.submit_blocking(
        [tether] { tether.call([](Attempts& attempts) { attempts.begin_again(); }); });
  });
  return true;
}

void Attempts::begin_again() {
  std::shared_ptr<Job> old;
  int attempt = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!waiting_) return;
    old = job_;
    attempt = restarts_;
  }
  if (old != nullptr) {
    // Others may hold on to it, so that it does not go away here. Its failure is known.
    old->await_quiet();
    const JobProgress progress = old->progress();
    const std::lock_guard lock(mutex_);
    last_progress_ = progress;
    job_ = nullptr;
  }
  old = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(waiting_, false)) return;
  }
  Status begun = begin(attempt);
  if (begun.is_ok()) return;
  hear_failure(begun);
  if (!plans_another()) end(JobState::kFailed);
}

void Attempts::end(JobState state) {
  if (spec_.on_state) spec_.on_state(state);
  const std::lock_guard lock(mutex_);
  last_progress_.state = state;
  ended_ = true;
  changed_.notify_all();
}

Status Attempts::await() {
  std::shared_ptr<Job> job;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_; });
    if (job_ == nullptr) return failure_;
    job = job_;
  }
  return job->await();
}

bool Attempts::await_for(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, time, [this] { return ended_; });
}

void Attempts::stop(StopMode mode) {
  std::shared_ptr<Job> job;
  bool called_off = false;
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    if (!stop_mode_ || *stop_mode_ < mode) stop_mode_ = mode;
    called_off = std::exchange(waiting_, false);
    job = job_;
  }
  if (called_off) {
    end(JobState::kFailed);
  } else if (job != nullptr) {
    job->stop(mode);
  }
}

void Attempts::wake_planner() {
  const Result<std::shared_ptr<Job>> running = job();
  if (running.is_ok()) (*running)->wake_planner();
}

Result<std::shared_ptr<Job>> Attempts::job() const {
  const std::lock_guard lock(mutex_);
  if (job_ != nullptr) return job_;
  return error(ErrorCode::kServiceUnreachable, "the job begins again just now; ask once more");
}

JobProgress Attempts::progress() const {
  std::shared_ptr<Job> job;
  JobProgress progress;
  int restarts = 0;
  bool waiting = false;
  {
    const std::lock_guard lock(mutex_);
    job = job_;
    progress = last_progress_;
    restarts = restarts_;
    waiting = waiting_;
  }
  if (job != nullptr) progress = job->progress();
  if (waiting) progress.state = JobState::kRestarting;
  progress.restarts = restarts;
  return progress;
}

}  // namespace tidegate
