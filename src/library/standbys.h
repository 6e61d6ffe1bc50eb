// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "kafka/client_properties.h"
#include "library/assigner.h"
#include "library/base_position.h"
#include "library/task_id.h"
#include "tidegate/status.h"
#include "types/key_group.h"

namespace tidegate {

class Executor;    // base/executor.h
class StateStore;  // state/state_store.h

namespace library {

/// The tasks that a member keeps copies of: those that the range assignment would give to it if
/// their owner left, or if the owner and up to `replicas` - 1 who would come before it did.
/// `anchors`: the topic that stands for each subtopology, and its partitions.
std::set<TaskId> standby_tasks(std::string_view member_id, std::span<const MemberShare> members,
                               std::span<const std::pair<std::string, int>> anchors, int replicas);

/// Copies of the state of tasks that other instances run, on disk, so that whoever takes one over
/// has to read only what its changelog has beyond the copy. A copy lags by about the interval.
class Standbys {
 public:
  struct Options {
    kafka::ClientProperties client;
    Executor* executor = nullptr;  ///< one blocking thread of it is kept
    std::chrono::milliseconds interval{1'000};
    std::function<Result<std::shared_ptr<StateStore>>(TaskId)> open_store;
    std::function<TopicPartition(TaskId)> changelog_of;
    std::function<KeyGroupRange(TaskId)> key_groups_of;
  };
  explicit Standbys(Options options);
  ~Standbys();

  /// Copies of these tasks are kept from now on.
  void keep(const std::set<TaskId>& tasks);
  /// Of these no longer, and their stores are free when this returns. Blocks.
  void let_go(const std::set<TaskId>& tasks);

 private:
  struct Copy {
    std::shared_ptr<StateStore> store;
    std::optional<BasePosition> base;
    bool is_told = false;
  };
  void serve();
  Status catch_up(TaskId task, Copy& copy);

  const Options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<TaskId, std::shared_ptr<Copy>> copies_;
  std::optional<TaskId> busy_;  // its copy is being brought up to date
  bool serving_ = true;
  bool ended_ = false;
};

}  // namespace library
}  // namespace tidegate
