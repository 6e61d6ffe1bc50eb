// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "library/instance_core.h"

namespace tidegate::library {

/// A task that this process owns.
struct InstanceCore::Task {
  TaskId id;
  int thread = 0;
  std::shared_ptr<Job> job;  // null until it is made; under the instance's lock
  // Of the strand.
  bool ended = false;
  bool finished = false;
  std::atomic<bool> given_up{false};  // nobody cares how it ends

  /// Begins an epoch of the job, if there is one.
  void trigger() {
    const std::lock_guard lock(mutex_);
    if (trigger_) trigger_();
  }
  void set_trigger(std::function<void()> trigger) {
    const std::lock_guard lock(mutex_);
    trigger_ = std::move(trigger);
  }

  void hear(const Status& failure) {
    const std::lock_guard lock(mutex_);
    failure_ = failure;
  }
  Status failure() const {
    const std::lock_guard lock(mutex_);
    return failure_;
  }

 private:
  mutable std::mutex mutex_;
  Status failure_;
  std::function<void()> trigger_;
};

class InstanceCore::TaskListener final : public JobListener {
 public:
  TaskListener(InstanceCore& instance, std::weak_ptr<Task> task)
      : instance_(instance), task_(std::move(task)) {}

  void on_state(JobState state) override {
    const auto task = task_.lock();
    if (task == nullptr || task->given_up) return;
    if (state == JobState::kRunning)
      instance_.post([&instance = instance_] { instance.has_run_ = true; });
    if (is_terminal(state))
      instance_.post([&instance = instance_, task, state] { instance.task_ended(task, state); });
  }
  void on_epoch(const EpochRecord& record) override {
    if (instance_.options_.on_epoch) instance_.options_.on_epoch(record);
  }
  /// The others of its thread wait for it no longer.
  void on_failure(const Status& failure) override {
    const auto task = task_.lock();
    if (task == nullptr || task->given_up) return;
    task->hear(failure);
    instance_.threads_[static_cast<std::size_t>(task->thread)]->remove_task(task->id);
  }

 private:
  InstanceCore& instance_;
  const std::weak_ptr<Task> task_;
};

}  // namespace tidegate::library
