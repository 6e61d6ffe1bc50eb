// SPDX-License-Identifier: Apache-2.0
#include "library/instance_core.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "library/instance_task.h"

namespace tidegate::library {

Result<std::unique_ptr<Instance>> Instance::start(Graph graph, InstanceOptions options) {
  TG_ASSIGN_OR_RETURN(std::unique_ptr<InstanceCore> core,
                      InstanceCore::start(std::move(graph), std::move(options)));
  return core;
}

InstanceCore::InstanceCore(Topology topology, InstanceOptions options)
    : topology_(std::move(topology)), options_(std::move(options)) {}

Result<std::unique_ptr<InstanceCore>> InstanceCore::start(Graph graph, InstanceOptions options) {
  TG_ASSIGN_OR_RETURN(Topology topology, Topology::cut(graph, options.application_id));
  std::unique_ptr<InstanceCore> instance(new InstanceCore(std::move(topology), std::move(options)));
  instance->set_state(JobState::kStarting);
  TG_RETURN_IF_ERROR(instance->connect(graph));
  return instance;
}

// Everything that holds a task ends before what it runs on.
InstanceCore::~InstanceCore() {
  tether_.cut();
  if (assigner_ == nullptr) return;
  stop(StopMode::kCancel);
  static_cast<void>(await());
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !stepping_; });
  const auto tasks = std::exchange(tasks_, {});
  lock.unlock();
  standbys_.reset();
}

void InstanceCore::post(std::function<void()> step) {
  {
    const std::lock_guard lock(mutex_);
    steps_.push_back(std::move(step));
    if (std::exchange(stepping_, true)) return;
  }
  executor_->submit_blocking([this] { run_steps(); });
}

void InstanceCore::run_steps() {
  std::unique_lock lock(mutex_);
  while (!steps_.empty()) {
    const std::function<void()> step = std::move(steps_.front());
    steps_.pop_front();
    lock.unlock();
    step();
    lock.lock();
  }
  stepping_ = false;
  changed_.notify_all();
}

/// Finished when all that this process owns is: what others own is theirs to finish.
void InstanceCore::look_for_end() {
  if (ended_) return;
  std::optional<StopMode> stop_mode;
  {
    const std::lock_guard lock(mutex_);
    stop_mode = stop_mode_;
  }
  const auto all = [&](bool Task::*done) {
    return std::all_of(tasks_.begin(), tasks_.end(),
                       [&](const auto& task) { return (*task.second).*done; });
  };
  if (stop_mode) {
    if (!all(&Task::ended)) return;
    leave();
    return end(*stop_mode == StopMode::kCancel ? JobState::kCancelled : JobState::kStopped);
  }
  if (tasks_.empty() || !waiting_.empty() || !all(&Task::finished)) return;
  leave();
  end(JobState::kFinished);
}

void InstanceCore::stop(StopMode mode) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_ || (stop_mode_ && *stop_mode_ >= mode)) return;
    stop_mode_ = mode;
  }
  if (mode != StopMode::kCancel) set_state(JobState::kStopping);
  post([this] { stop_tasks(); });
}

void InstanceCore::stop_tasks() {
  if (ended_) return;
  StopMode mode;
  {
    const std::lock_guard lock(mutex_);
    mode = *stop_mode_;
  }
  if (mode == StopMode::kCancel) {
    let_go([](TaskId) { return true; });
    return look_for_end();
  }
  for (const auto& [id, task] : tasks_) {
    if (task->job != nullptr) task->job->stop(StopMode::kBarrier);
  }
  look_for_end();
}

void InstanceCore::give_up(Status failure) {
  if (ended_) return;
  {
    const std::lock_guard lock(mutex_);
    if (failure_.is_ok()) failure_ = std::move(failure);
  }
  let_go([](TaskId) { return true; });
  leave();
  end(JobState::kFailed);
}

void InstanceCore::leave() {
  if (!std::exchange(left_, true)) assigner_->leave();
}

void InstanceCore::end(JobState state) {
  if (state == JobState::kCancelled) {
    const std::lock_guard lock(mutex_);
    if (failure_.is_ok())
      failure_ = error(ErrorCode::kCancelled, "the instance of '{}' was cancelled",
                       options_.application_id);
  }
  set_state(state);
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

void InstanceCore::set_state(JobState state) {
  {
    const std::lock_guard lock(mutex_);
    if (is_terminal(state_)) return;
    state_ = state;
  }
  if (options_.on_state) options_.on_state(state);
}

Status InstanceCore::await() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ended_; });
  return failure_;
}

bool InstanceCore::await_for(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, time, [this] { return ended_; });
}

JobProgress InstanceCore::progress() const {
  const std::lock_guard look(looking_);
  std::vector<std::shared_ptr<Job>> jobs;
  JobState state;
  int restarts = 0;
  RestoreProgress restore;
  {
    const std::lock_guard lock(mutex_);
    restore = restored_;
    restore.tasks_waiting = static_cast<int>(restoring_.size());
    for (const auto& [id, task] : restoring_) {
      restore.messages += task.messages;
      restore.messages_left += std::max<std::int64_t>(task.messages_all - task.messages, 0);
      restore.bytes += task.bytes;
    }
    for (const auto& [id, task] : tasks_)
      if (task->job != nullptr) jobs.push_back(task->job);
    state = state_;
    restarts = restarts_;
  }
  std::vector<JobProgress> tasks;
  for (const std::shared_ptr<Job>& job : jobs) tasks.push_back(job->progress());
  JobProgress all = merge_progress(tasks);
  all.state = state;
  all.restarts = restarts;
  all.restore = restore;
  return all;
}

}  // namespace tidegate::library
