// SPDX-License-Identifier: Apache-2.0
//
// Which copies of other instances' state an instance keeps.

#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/log.h"
#include "library/instance_core.h"
#include "library/instance_task.h"

namespace tidegate::library {
namespace {

/// The others are told at about the same time what they have.
constexpr std::int64_t kSettlingNs = 1'000'000'000;

}  // namespace

void InstanceCore::make_standbys() {
  Standbys::Options options;
  options.client = client_;
  options.executor = executor_.get();
  options.open_store = [this](TaskId id) -> Result<std::shared_ptr<StateStore>> {
    TG_ASSIGN_OR_RETURN(JobOptions job, job_options_of(id));
    return std::move(job.state_store);
  };
  options.changelog_of = [this](TaskId id) {
    return TopicPartition{changelog_of(id.subtopology), id.partition};
  };
  options.key_groups_of = [this](TaskId id) { return key_groups_of(id); };
  standbys_ = std::make_unique<Standbys>(std::move(options));
}

void InstanceCore::find_standbys(std::int32_t generation) {
  if (standbys_ == nullptr) return;
  executor_->submit_at(system_clock().monotonic_ns() + kSettlingNs, [tether = tether_, generation] {
    tether.call([generation](InstanceCore& instance) {
      instance.post([&instance, generation] { instance.choose_standbys(generation); });
    });
  });
}

void InstanceCore::choose_standbys(std::int32_t generation) {
  if (ended_ || left_ || !member_ || member_->generation != generation) return;
  const Result<std::vector<MemberShare>> members = shares(/*afresh=*/true);
  if (!members.is_ok()) {
    log_info("library.standbys-later", {{"reason", members.status()}});
    return find_standbys(generation);
  }
  std::vector<std::pair<std::string, int>> anchors;
  for (std::size_t i = 0; i < topology_.subtopologies().size(); ++i)
    anchors.emplace_back(topology_.anchor_of(static_cast<int>(i)),
                         topology_.subtopologies()[i].partitions);
  std::set<TaskId> tasks =
      standby_tasks(member_->member_id, *members, anchors, options_.standby_replicas);
  for (const auto& [id, task] : tasks_) tasks.erase(id);
  log_info("library.standbys", {{"tasks", static_cast<std::int64_t>(tasks.size())}});
  standbys_->keep(tasks);
}

}  // namespace tidegate::library
