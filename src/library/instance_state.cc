// SPDX-License-Identifier: Apache-2.0
//
// Questions about the state of an application: which of its tasks have it, and who has those.

#include <arrow/array/array_base.h>
#include <arrow/type.h>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/options.h"
#include "library/instance_core.h"
#include "library/instance_task.h"
#include "types/key_encoding.h"
#include "types/key_hash.h"

namespace tidegate::library {
namespace {

/// How old what is known of the group may be: who moved away since is asked in vain.
constexpr std::int64_t kSharesAgeNs = 1'000'000'000;

Result<int> partition_of(const Batch& key, const std::vector<Field>& fields, int partitions) {
  std::vector<LogicalType> types;
  for (const Field& field : fields) types.push_back(field.type);
  bool same = key.num_rows() == 1 && key.num_columns() == std::ssize(types);
  for (int i = 0; same && i < key.num_columns(); ++i)
    same = key.column(i)->type()->Equals(*types[static_cast<std::size_t>(i)].arrow_type());
  if (!same) return error(ErrorCode::kTypeMismatch, "the key that is looked for is of other types");
  const KeyCodec codec(std::move(types));
  EncodedKeys encoded;
  TG_RETURN_IF_ERROR(codec.encode(key.columns(), 1, encoded));
  const int group = key_group_of(hash_key(encoded.key(0)), kKeyGroups);
  return subtask_of_key_group(group, kKeyGroups, partitions);
}

/// What several tasks answer, on threads of theirs; whoever asked waits.
class Answers {
 public:
  void add(Result<StateReading> reading) {
    const std::lock_guard lock(mutex_);
    if (!reading.is_ok()) {
      if (failure_.is_ok()) failure_ = std::move(reading).status();
    } else {
      std::ranges::move(reading->rows, std::back_inserter(all_.rows));
      all_.epoch = count_ == 0 ? reading->epoch : std::min(all_.epoch, reading->epoch);
    }
    ++count_;
    changed_.notify_all();
  }
  Result<StateReading> wait_for(std::size_t tasks) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return count_ == tasks; });
    if (!failure_.is_ok()) return failure_;
    return std::move(all_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t count_ = 0;
  StateReading all_;
  Status failure_;
};

}  // namespace

Result<const ReadableState*> InstanceCore::find_state(std::string_view name) const {
  std::vector<std::string> names;
  for (const ReadableState& state : states_) {
    if (state.name == name) return &state;
    names.push_back(state.name);
  }
  const std::string nearest = nearest_name(name, names);
  return Status(ErrorCode::kUnknownName, fmt::format("there is no state '{}'", name),
                nearest.empty() ? "Name the operator where it is made, with as()."
                                : fmt::format("Did you mean '{}'?", nearest));
}

int InstanceCore::subtopology_of(int node) const {
  const std::vector<Subtopology>& parts = topology_.subtopologies();
  const auto found = std::ranges::find_if(parts, [node](const Subtopology& part) {
    return std::ranges::find(part.nodes, node) != part.nodes.end();
  });
  TG_CHECK(found != parts.end(), "node {} is in no subtopology", node);
  return static_cast<int>(found - parts.begin());
}

Result<StateReading> InstanceCore::read_state(std::string_view name, StateQuery query) {
  TG_ASSIGN_OR_RETURN(const ReadableState* state, find_state(name));
  const int subtopology = subtopology_of(state->node);
  const Subtopology& part = topology_.subtopologies()[static_cast<std::size_t>(subtopology)];
  const int partitions = part.partitions;
  // Keys that lie as they do in the source topic have an owner, but only the rows tell which.
  const bool has_owner = query.key && !state->keys.empty() && !part.keyed;
  const bool seeks_key = query.key && part.keyed;
  std::set<int> wanted;
  if (has_owner) {
    TG_ASSIGN_OR_RETURN(const int partition, partition_of(*query.key, state->keys, partitions));
    wanted.insert(partition);
  } else {
    for (int i = 0; i < partitions; ++i) wanted.insert(i);
  }
  const auto answers = std::make_shared<Answers>();
  std::size_t num_asked = 0;
  {
    // Nobody holds on to a job while it answers: it has its end for that.
    const std::lock_guard look(looking_);
    std::vector<std::shared_ptr<Job>> jobs;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [id, task] : tasks_) {
        if (id.subtopology != subtopology || wanted.erase(id.partition) == 0) continue;
        if (task->job == nullptr || task->job->state() != JobState::kRunning)
          return Status(ErrorCode::kServiceUnreachable,
                        fmt::format("task {} does not run (yet)", id.to_string()),
                        "Try again in a moment.");
        jobs.push_back(task->job);
      }
    }
    for (const std::shared_ptr<Job>& job : jobs)
      job->read_state(name, query, [answers](Result<StateReading> reading) {
        answers->add(std::move(reading));
      });
    num_asked = jobs.size();
  }
  TG_ASSIGN_OR_RETURN(StateReading reading, answers->wait_for(num_asked));
  reading.has_owner = has_owner;
  const bool is_found = seeks_key && std::ranges::any_of(reading.rows, [](const Batch& rows) {
                          return !rows.empty();
                        });
  if (!wanted.empty() && !is_found) {
    TG_ASSIGN_OR_RETURN(reading.elsewhere, owners_of(subtopology, wanted));
  }
  return reading;
}

Result<std::vector<MemberShare>> InstanceCore::shares(bool afresh) {
  const std::int64_t now_ns = system_clock().monotonic_ns();
  {
    const std::lock_guard lock(sharing_);
    if (shares_ns_ != 0 && !afresh && now_ns - shares_ns_ < kSharesAgeNs) return shares_;
  }
  TG_ASSIGN_OR_RETURN(std::vector<MemberShare> found, assigner_->shares());
  const std::lock_guard lock(sharing_);
  shares_ = found;
  shares_ns_ = now_ns;
  return found;
}

Result<std::vector<StateOwner>> InstanceCore::owners_of(int subtopology,
                                                        const std::set<int>& partitions) {
  const std::string& anchor = topology_.anchor_of(subtopology);
  for (const bool afresh : {false, true}) {
    TG_ASSIGN_OR_RETURN(const std::vector<MemberShare> members, shares(afresh));
    std::vector<StateOwner> owners;
    std::size_t num_found = 0;
    for (const MemberShare& member : members) {
      StateOwner owner{member.address, {}};
      for (const TopicPartition& each : member.partitions) {
        if (each.topic == anchor && partitions.contains(each.partition))
          owner.partitions.push_back(each.partition);
      }
      num_found += owner.partitions.size();
      const bool is_own = !options_.address.empty() && member.address == options_.address;
      if (is_own && !owner.partitions.empty()) break;  // about to begin here
      if (!owner.partitions.empty()) owners.push_back(std::move(owner));
    }
    if (num_found == partitions.size()) return owners;
  }
  return Status(
      ErrorCode::kServiceUnreachable,
      fmt::format("instances of '{}' are taking over from each other", options_.application_id),
      "Try again in a moment.");
}

}  // namespace tidegate::library
