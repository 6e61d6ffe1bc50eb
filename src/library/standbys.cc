// SPDX-License-Identifier: Apache-2.0
#include "library/standbys.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/executor.h"
#include "base/log.h"
#include "library/changelog_restore.h"
#include "library/epoch_writer.h"
#include "state/state_store.h"

namespace tidegate::library {

namespace {

constexpr std::chrono::milliseconds kReadTimeout{30'000};

/// Who gets a partition by the range assignment, of members in order.
std::string_view range_owner(std::span<const std::string_view> members, int partitions,
                             int partition) {
  const int count = static_cast<int>(members.size());
  const int each = partitions / count;
  const int with_one_more = partitions % count;
  const int in_larger = (each + 1) * with_one_more;
  const int index = partition < in_larger ? partition / (each + 1)
                                          : with_one_more + (partition - in_larger) / each;
  return members[static_cast<std::size_t>(index)];
}

}  // namespace

std::set<TaskId> standby_tasks(std::string_view member_id, std::span<const MemberShare> members,
                               std::span<const std::pair<std::string, int>> anchors, int replicas) {
  std::vector<std::string_view> all;
  for (const MemberShare& member : members) all.push_back(member.member_id);
  std::ranges::sort(all);
  std::set<TaskId> tasks;
  for (const MemberShare& owner : members) {
    if (owner.member_id == member_id) continue;
    for (const TopicPartition& each : owner.partitions) {
      const auto anchor =
          std::ranges::find(anchors, each.topic, &std::pair<std::string, int>::first);
      if (anchor == anchors.end()) continue;
      std::vector<std::string_view> left = all;
      std::erase(left, owner.member_id);
      for (int replica = 0; replica < replicas && !left.empty(); ++replica) {
        const std::string_view next = range_owner(left, anchor->second, each.partition);
        std::erase(left, next);
        if (next != member_id) continue;
        // Subtopologies may share an anchor.
        for (std::size_t i = 0; i < anchors.size(); ++i)
          if (anchors[i].first == each.topic) tasks.insert({static_cast<int>(i), each.partition});
      }
    }
  }
  return tasks;
}

Standbys::Standbys(Options options) : options_(std::move(options)) {
  options_.executor->submit_blocking([this] { serve(); });
}

Standbys::~Standbys() {
  std::unique_lock lock(mutex_);
  ended_ = true;
  changed_.notify_all();
  changed_.wait(lock, [this] { return !serving_; });
}

void Standbys::keep(const std::set<TaskId>& tasks) {
  std::set<TaskId> others;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [task, copy] : copies_)
      if (!tasks.contains(task)) others.insert(task);
    for (const TaskId task : tasks)
      if (!copies_.contains(task)) copies_[task] = std::make_shared<Copy>();
    changed_.notify_all();
  }
  let_go(others);
}

void Standbys::let_go(const std::set<TaskId>& tasks) {
  std::unique_lock lock(mutex_);
  std::vector<std::shared_ptr<Copy>> gone;
  for (const TaskId task : tasks) {
    if (const auto copy = copies_.extract(task)) gone.push_back(copy.mapped());
  }
  changed_.wait(lock, [&] { return !busy_ || !tasks.contains(*busy_); });
  for (const std::shared_ptr<Copy>& copy : gone) copy->store.reset();
}

void Standbys::serve() {
  std::unique_lock lock(mutex_);
  while (!ended_) {
    const std::map<TaskId, std::shared_ptr<Copy>> copies = copies_;
    for (const auto& [task, copy] : copies) {
      const auto current = copies_.find(task);
      if (ended_ || current == copies_.end() || current->second != copy) continue;
      busy_ = task;
      lock.unlock();
      const Status status = catch_up(task, *copy);
      if (!status.is_ok())
        log_warning("library.standby", {{"task", task.to_string()}, {"error", status}});
      lock.lock();
      busy_.reset();
      changed_.notify_all();
    }
    if (!ended_) changed_.wait_for(lock, options_.interval, [this] { return ended_; });
  }
  serving_ = false;
  changed_.notify_all();
}

Status Standbys::catch_up(TaskId task, Copy& copy) {
  const TopicPartition changelog = options_.changelog_of(task);
  const std::string run = run_of(changelog);
  if (copy.store == nullptr) {
    TG_ASSIGN_OR_RETURN(copy.store, options_.open_store(task));
    const std::optional<HeldState> held = copy.store->held();
    if (held && held->as_of.run == run) copy.base = BasePosition::parse(held->as_of.position);
    // The rows of some of its tables were in memory.
    if (copy.base && !std::ranges::includes(held->tables, copy.base->tables)) copy.base.reset();
    if (copy.base && copy.base->epoch == 0) copy.base.reset();
  }
  // Up to what is committed now.
  const ChangelogRange range{changelog, {}, 0, copy.base};
  Result<ChangelogReader::Restored> read = read_changelog(options_.client, range, kReadTimeout, {});
  if (!read.is_ok() && read.status().code() == ErrorCode::kStateMismatch && copy.base) {
    copy.base.reset();  // all of it, the next time
    return Status::ok();
  }
  if (!read.is_ok()) return std::move(read).status();
  if (!read->record) return Status::ok();
  const BasePosition position{read->index.last(),        read->run,
                              read->index.last_offset(), read->index.begins_after(),
                              read->index.bytes(),       read->index.base_bytes(),
                              std::move(read->tables)};
  if (!copy.base || position.epoch != copy.base->epoch) {
    std::vector<OperatorDeltas> changes;
    for (const OperatorState& state : read->record->operators)
      changes.push_back({&state.uid, &state.deltas});
    const Status copied =
        copy.store->copy({run, position.epoch, position.to_string()}, options_.key_groups_of(task),
                         changes, /*afresh=*/!copy.base);
    if (!copied.is_ok()) {
      copy.base.reset();
      return copied;
    }
    copy.base = position;
  }
  if (!std::exchange(copy.is_told, true))
    log_info("library.standby-ready",
             {{"task", task.to_string()}, {"epoch", static_cast<std::int64_t>(position.epoch)}});
  return Status::ok();
}

}  // namespace tidegate::library
