// SPDX-License-Identifier: Apache-2.0
//
// What the group says is owned, and which tasks an instance has for it.

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "library/instance_core.h"
#include "library/instance_task.h"

namespace tidegate::library {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

}  // namespace

void InstanceCore::on_assigned(const Assignment& assignment) {
  post([this, assignment] { assign(assignment); });
}

void InstanceCore::on_revoked() {
  for (const auto& thread : threads_) thread->pause();
}

void InstanceCore::on_lost() {
  for (const auto& thread : threads_) thread->pause();
  post([this] {
    member_.reset();
    waiting_.clear();
    let_go([](TaskId) { return true; });
  });
}

void InstanceCore::on_failed(const Status& status) {
  post([this, status] { give_up(status); });
}

/// Nobody else can have owned what stays when the generations follow each other.
void InstanceCore::assign(const Assignment& assignment) {
  if (ended_ || left_) return;
  const GroupMember& next = assignment.member;
  const bool follows =
      member_ && member_->member_id == next.member_id && member_->generation + 1 == next.generation;
  std::set<TaskId> ids = owned(assignment);
  let_go([&](TaskId id) { return !follows || !ids.contains(id); });
  member_ = next;
  for (const auto& thread : threads_) thread->resume(next);
  for (const auto& [id, task] : tasks_) ids.erase(id);
  log_info("library.assigned", {{"tasks", static_cast<std::int64_t>(ids.size() + tasks_.size())},
                                {"new", static_cast<std::int64_t>(ids.size())}});
  {
    const std::lock_guard lock(mutex_);
    if (stop_mode_) ids.clear();
  }
  waiting_.clear();
  if (standbys_ != nullptr) standbys_->let_go(ids);
  add_tasks(ids);
  find_standbys(next.generation);
  look_for_end();
}

std::set<TaskId> InstanceCore::owned(const Assignment& assignment) const {
  std::set<TaskId> ids;
  for (std::size_t i = 0; i < topology_.subtopologies().size(); ++i) {
    const int subtopology = static_cast<int>(i);
    for (const TopicPartition& each : assignment.partitions) {
      if (each.topic == topology_.anchor_of(subtopology)) ids.insert({subtopology, each.partition});
    }
  }
  return ids;
}

/// What these have not committed is lost; whoever owns them reads it again.
void InstanceCore::let_go(const std::function<bool(TaskId)>& which) {
  std::vector<std::shared_ptr<Task>> gone;
  {
    const std::lock_guard lock(mutex_);
    for (auto task = tasks_.begin(); task != tasks_.end();) {
      if (which(task->first)) {
        gone.push_back(task->second);
        task = tasks_.erase(task);
      } else {
        ++task;
      }
    }
  }
  for (const std::shared_ptr<Task>& task : gone) {
    task->given_up = true;
    threads_[at(task->thread)]->remove_task(task->id);
    if (task->job != nullptr) task->job->stop(StopMode::kCancel);
  }
  // What it reads is free for another job when it is gone, so nobody else may hold on to it.
  for (const std::shared_ptr<Task>& task : gone) {
    if (task->job == nullptr) continue;
    static_cast<void>(task->job->await());
    task->set_trigger(nullptr);
    const std::lock_guard look(looking_);
    task->job.reset();
  }
}

int InstanceCore::least_busy_thread(int subtopology) const {
  std::vector<std::pair<int, int>> load(threads_.size(), {0, 0});
  for (const auto& [id, task] : tasks_) {
    if (id.subtopology == subtopology) ++load[at(task->thread)].first;
    ++load[at(task->thread)].second;
  }
  return static_cast<int>(std::min_element(load.begin(), load.end()) - load.begin());
}

/// All at the same time: each waits for the broker and for its state.
void InstanceCore::add_tasks(const std::set<TaskId>& ids) {
  struct Added {
    std::shared_ptr<Task> task;
    Status status;
  };
  std::vector<Added> added;
  for (const TaskId id : ids) {
    auto task = std::make_shared<Task>();
    task->id = id;
    task->thread = least_busy_thread(id.subtopology);
    {
      const std::lock_guard lock(mutex_);
      tasks_[id] = task;
    }
    added.push_back({task, Status::ok()});
  }
  std::mutex mutex;
  std::condition_variable done;
  std::size_t left = added.size();
  for (Added& each : added) {
    executor_->submit_blocking([&] {
      Status begun = begin(each.task);
      const std::lock_guard lock(mutex);
      each.status = std::move(begun);
      --left;
      done.notify_all();
    });
  }
  std::unique_lock lock(mutex);
  done.wait(lock, [&] { return left == 0; });
  lock.unlock();
  for (const Added& each : added) {
    if (!each.status.is_ok()) failed(each.task, each.status);
  }
}

}  // namespace tidegate::library
