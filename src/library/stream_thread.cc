// SPDX-License-Identifier: Apache-2.0
#include "library/stream_thread.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/log.h"
#include "library/base_slices.h"
#include "library/epoch_writer.h"
#include "library/internal_topics.h"

namespace tidegate::library {

namespace {

/// A base is begun when what it makes superfluous outweighs it, and is at least this.
constexpr std::int64_t kLeastLogBytes = std::int64_t{16} << 20;
constexpr std::int64_t kSliceBytes = std::int64_t{4} << 20;

struct Task {
  TaskLog log;
  std::function<void()> begin_epoch;
  bool started = false;
  bool removed = false;
  bool finished = false;  // its last epoch is committed
  // When the task was asked for an epoch that has not come yet; 0: it was not.
  std::int64_t asked_ns = 0;
  bool has_answered = false;  // with an epoch, ever
  bool writing = false;       // what is pending is in a transaction
  const EpochRecord* pending = nullptr;
  std::optional<Status> result;

  bool making_base = false;
  std::deque<BaseSlice> new_slices;
};
using TaskPtr = std::shared_ptr<Task>;

/// A job that does not run yet, or any more, does not hear that it is asked for an epoch.
constexpr std::int64_t kAskAgainNs = 1'000'000'000;

Status cancelled(const Task& task) {
  return error(ErrorCode::kCancelled, "task {} was removed", task.log.spec.id.to_string());
}

class GroupCommit final : public StreamThread, public std::enable_shared_from_this<GroupCommit> {
 public:
  explicit GroupCommit(StreamThreadOptions options)
      : options_(std::move(options)), writer_(options_) {}

  void begin();
  void end();

  void resume(const GroupMember& member) override;
  void pause() override;
  Result<TaskStart> add_task(const TaskSpec& spec) override;
  void start_task(TaskId id, std::function<void()> begin_epoch) override;
  void remove_task(TaskId id) override;
  void trigger() override;

  /// Of the task's commit policy.
  Status commit(Task& task, const EpochRecord& record);
  std::int64_t last_bytes() const { return writer_.last_bytes(); }
  std::string position(const Task& task);

 private:
  using Calls = std::vector<std::function<void()>>;
  const Clock& clock() const { return options_.clock ? *options_.clock : system_clock(); }
  void arm(std::int64_t interval_ms, void (GroupCommit::*what)());
  // With the lock held.
  Calls begin_round();
  bool is_round_complete() const;
  void lead(std::unique_lock<std::mutex>& lock);
  void settle(const TaskPtr& task, const Contribution& part);

  void make_base(const TaskPtr& task, EpochId last);
  void purge_now();
  void purge(const std::map<TopicPartition, std::int64_t>& offsets);

  const StreamThreadOptions options_;
  EpochWriter writer_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<TaskId, TaskPtr> tasks_;
  GroupMember member_;
  bool paused_ = true;
  bool leading_ = false;  // a round is being written
  bool ended_ = false;
  std::map<TopicPartition, std::int64_t> to_purge_;
  bool purging_ = false;
  std::unique_ptr<InternalTopics> topics_;  // of whoever purges
};

/// What the job of a task commits by.
class TaskCommits final : public CommitPolicy {
 public:
  TaskCommits(std::shared_ptr<GroupCommit> thread, TaskPtr task)
      : thread_(std::move(thread)), task_(std::move(task)) {}
  Status commit(const EpochRecord& record) override { return thread_->commit(*task_, record); }
  std::int64_t last_commit_bytes() const override { return thread_->last_bytes(); }
  std::string run() const override { return run_of(task_->log.changelog); }
  std::string position() const override { return thread_->position(*task_); }

 private:
  const std::shared_ptr<GroupCommit> thread_;
  const TaskPtr task_;
};

/// Behind the last commit of the task: no other one is under way.
std::string GroupCommit::position(const Task& task) {
  const std::lock_guard lock(mutex_);
  const TaskLog& log = task.log;
  return BasePosition{log.last,
                      log.last_run,
                      log.index.last_offset(),
                      log.index.begins_after(),
                      log.index.bytes(),
                      log.index.base_bytes(),
                      log.tables}
      .to_string();
}

void GroupCommit::arm(std::int64_t interval_ms, void (GroupCommit::*what)()) {
  if (interval_ms <= 0) return;
  options_.executor->submit_at(clock().monotonic_ns() + interval_ms * 1'000'000,
                               [self = weak_from_this(), interval_ms, what] {
                                 const auto thread = self.lock();
                                 if (thread == nullptr) return;
                                 (*thread.*what)();
                                 const std::lock_guard lock(thread->mutex_);
                                 if (!thread->ended_) thread->arm(interval_ms, what);
                               });
}

void GroupCommit::begin() {
  arm(options_.epoch_interval.count(), &GroupCommit::trigger);
  arm(options_.purge_interval.count(), &GroupCommit::purge_now);
}

void GroupCommit::end() {
  std::unique_lock lock(mutex_);
  ended_ = true;
  for (auto& [id, task] : tasks_) task->removed = true;
  tasks_.clear();
  changed_.notify_all();
  changed_.wait(lock, [&] { return !leading_; });
}

void GroupCommit::resume(const GroupMember& member) {
  const std::lock_guard lock(mutex_);
  member_ = member;
  paused_ = false;
  changed_.notify_all();
}

void GroupCommit::pause() {
  std::unique_lock lock(mutex_);
  paused_ = true;
  changed_.wait(lock, [&] { return !leading_; });
}

Result<TaskStart> GroupCommit::add_task(const TaskSpec& spec) {
  auto task = std::make_shared<Task>();
  task->log.spec = spec;
  task->log.changelog = {spec.changelog_topic, spec.id.partition};
  std::string group;
  {
    const std::lock_guard lock(mutex_);
    TG_CHECK(!tasks_.contains(spec.id), "task {} is here already", spec.id.to_string());
    group = member_.group;
  }
  const auto place = [&] { return "task " + spec.id.to_string(); };
  TG_RETURN_IF_ERROR(writer_.connect().with_context(place()));
  auto restored = writer_.restore(task->log, group);
  if (!restored.is_ok()) return std::move(restored).status().with_context(place());
  const std::lock_guard lock(mutex_);
  TG_CHECK(tasks_.emplace(spec.id, task).second, "task {} is here already", spec.id.to_string());
  return TaskStart{std::make_shared<TaskCommits>(shared_from_this(), task), *std::move(restored)};
}

void GroupCommit::start_task(TaskId id, std::function<void()> begin_epoch) {
  const std::lock_guard lock(mutex_);
  const auto task = tasks_.find(id);
  if (task == tasks_.end()) return;  // removed meanwhile
  task->second->begin_epoch = std::move(begin_epoch);
  task->second->started = true;
}

void GroupCommit::remove_task(TaskId id) {
  const std::lock_guard lock(mutex_);
  const auto task = tasks_.find(id);
  if (task == tasks_.end()) return;
  task->second->removed = true;
  task->second->begin_epoch = nullptr;
  tasks_.erase(task);
  changed_.notify_all();
}

void GroupCommit::trigger() {
  Calls calls;
  {
    const std::lock_guard lock(mutex_);
    if (!paused_) calls = begin_round();
  }
  for (const auto& call : calls) call();
}

GroupCommit::Calls GroupCommit::begin_round() {
  Calls calls;
  const std::int64_t now_ns = clock().monotonic_ns();
  for (auto& [id, task] : tasks_) {
    const bool waits = task->pending != nullptr && !task->writing;
    if (!task->started || task->finished || waits || !task->begin_epoch) continue;
    const bool asked = task->asked_ns != 0 && now_ns - task->asked_ns < kAskAgainNs;
    if (asked && task->has_answered) continue;
    task->asked_ns = now_ns;
    calls.push_back(task->begin_epoch);
  }
  return calls;
}

bool GroupCommit::is_round_complete() const {
  return std::ranges::all_of(tasks_, [](const auto& each) {
    const Task& task = *each.second;
    return !task.started || task.finished || task.pending != nullptr;
  });
}

Status GroupCommit::commit(Task& task, const EpochRecord& record) {
  std::unique_lock lock(mutex_);
  if (task.removed) return cancelled(task);
  task.started = true;
  task.asked_ns = 0;
  task.has_answered = true;
  task.result.reset();
  task.pending = &record;
  if (const Calls calls = begin_round(); !calls.empty()) {
    lock.unlock();
    for (const auto& call : calls) call();
    lock.lock();
  }
  while (!task.result) {
    if (task.removed && !task.writing) {
      task.pending = nullptr;
      return cancelled(task);
    }
    if (!paused_ && !leading_ && is_round_complete()) {
      lead(lock);
    } else {
      changed_.wait(lock);
    }
  }
  return *std::exchange(task.result, std::nullopt);
}

void GroupCommit::lead(std::unique_lock<std::mutex>& lock) {
  leading_ = true;
  std::vector<TaskPtr> tasks;
  std::vector<Contribution> parts;
  for (auto& [id, task] : tasks_) {
    if (task->pending == nullptr) continue;
    task->writing = true;
    std::ranges::move(std::exchange(task->new_slices, {}), std::back_inserter(task->log.slices));
    tasks.push_back(task);
    Contribution& part = parts.emplace_back();
    part.log = &task->log;
    part.record = task->pending;
  }
  const GroupMember member = member_;
  lock.unlock();
  writer_.write(parts, member, [&] {
    const std::lock_guard looking(mutex_);
    return paused_ || std::ranges::all_of(tasks, &Task::removed);
  });
  lock.lock();
  for (std::size_t i = 0; i < tasks.size(); ++i) settle(tasks[i], parts[i]);
  leading_ = false;
  changed_.notify_all();
}

void GroupCommit::settle(const TaskPtr& task, const Contribution& part) {
  task->writing = false;
  task->pending = nullptr;
  task->result = part.result;
  if (!part.result.is_ok() || !part.is_new || task->removed) return;
  task->finished = part.record->finished;
  TaskLog& log = task->log;
  for (const GroupOffset& offset : part.offsets)
    if (offset.purge) to_purge_[offset.partition] = offset.offset;
  if (const auto offset = log.index.purge()) to_purge_[log.changelog] = *offset;
  if (task->making_base || !log.slices.empty() || !task->new_slices.empty() ||
      log.index.bytes() < 2 * log.index.base_bytes() + kLeastLogBytes)
    return;
  task->making_base = true;
  options_.executor->submit_blocking(
      [self = shared_from_this(), task, last = log.last] { self->make_base(task, last); });
}

void GroupCommit::make_base(const TaskPtr& task, EpochId last) {
  const TopicPartition& changelog = task->log.changelog;
  const auto slice = [&]() -> Result<std::deque<BaseSlice>> {
    TG_ASSIGN_OR_RETURN(EpochRecord record, writer_.read_back(changelog, last));
    return slice_state(std::move(record), kSliceBytes);
  };
  {
    const std::lock_guard lock(mutex_);
    if (task->removed) return;
  }
  Result<std::deque<BaseSlice>> slices = slice();
  if (!slices.is_ok())
    log_warning("library.base-failed",
                {{"task", task->log.spec.id.to_string()}, {"error", slices.status()}});
  const std::lock_guard lock(mutex_);
  task->making_base = false;
  if (slices.is_ok()) task->new_slices = *std::move(slices);
}

void GroupCommit::purge_now() {
  const std::lock_guard lock(mutex_);
  if (to_purge_.empty() || purging_ || ended_) return;
  purging_ = true;
  options_.executor->submit_blocking(
      [self = shared_from_this(), offsets = std::exchange(to_purge_, {})] {
        self->purge(offsets);
        const std::lock_guard lock(self->mutex_);
        self->purging_ = false;
      });
}

// What fails here is tried again with the next positions.
void GroupCommit::purge(const std::map<TopicPartition, std::int64_t>& offsets) {
  if (topics_ == nullptr) {
    auto connected = InternalTopics::connect({.client = options_.client});
    if (connected.is_ok()) topics_ = *std::move(connected);
  }
  if (topics_ == nullptr) return;
  std::vector<InternalTopics::Position> positions;
  for (const auto& [partition, offset] : offsets) positions.push_back({partition, offset});
  const Status deleted = topics_->delete_records(positions);
  if (!deleted.is_ok()) log_warning("library.purge-failed", {{"error", deleted}});
}

/// Ends the commits of all tasks when whoever made the thread lets it go; policies and timers may
/// hold on to them for longer.
class Owner final : public StreamThread {
 public:
  explicit Owner(StreamThreadOptions options)
      : thread_(std::make_shared<GroupCommit>(std::move(options))) {
    thread_->begin();
  }
  ~Owner() override { thread_->end(); }

  void resume(const GroupMember& member) override { thread_->resume(member); }
  void pause() override { thread_->pause(); }
  Result<TaskStart> add_task(const TaskSpec& spec) override { return thread_->add_task(spec); }
  void start_task(TaskId id, std::function<void()> begin_epoch) override {
    thread_->start_task(id, std::move(begin_epoch));
  }
  void remove_task(TaskId id) override { thread_->remove_task(id); }
  void trigger() override { thread_->trigger(); }

 private:
  const std::shared_ptr<GroupCommit> thread_;
};

}  // namespace

Result<std::unique_ptr<StreamThread>> StreamThread::make(StreamThreadOptions options) {
  TG_CHECK(options.executor != nullptr, "a stream thread needs an executor");
  if (options.transactional_id.empty())
    return error(ErrorCode::kInvalidArgument, "a stream thread needs a transactional id");
  return std::unique_ptr<StreamThread>(std::make_unique<Owner>(std::move(options)));
}

}  // namespace tidegate::library
