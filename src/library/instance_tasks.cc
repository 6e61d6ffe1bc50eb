// SPDX-License-Identifier: Apache-2.0
//
// The tasks of an instance: how they begin, and what happens when they end or fail.

#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "base/log.h"
#include "kafka/partition_split.h"
#include "library/instance_core.h"
#include "library/instance_task.h"
#include "library/one_partition.h"
#include "library/repartition_sink.h"
#include "library/repartition_source.h"
#include "state/state_store.h"

namespace tidegate::library {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFencedPause{1'000};

std::size_t at(int index) { return static_cast<std::size_t>(index); }

}  // namespace

Status InstanceCore::begin(const std::shared_ptr<Task>& task) {
  StreamThread& thread = *threads_[at(task->thread)];
  const TaskId id = task->id;
  TaskSpec spec;
  spec.id = id;
  spec.changelog_topic = changelog_of(id.subtopology);
  spec.key_groups = kKeyGroups;
  spec.offsets = [this](const EpochRecord& record) { return offsets_of(record); };
  TG_ASSIGN_OR_RETURN(JobOptions job, job_options_of(id));
  job.executor = thread_executors_[at(task->thread)].get();
  if (job.state_store != nullptr) spec.held = job.state_store->held();
  TG_ASSIGN_OR_RETURN(const TaskStart start, restore(thread, std::move(spec)));
  job.commit_policy = start.policy;
  job.restore = start.restore;
  job.epoch_interval_ms = 0;
  job.listeners.push_back(std::make_shared<TaskListener>(*this, task));
  TG_ASSIGN_OR_RETURN(Graph graph, graph_of(id));
  TG_ASSIGN_OR_RETURN(std::shared_ptr<Job> made, Job::create(std::move(graph), std::move(job)));
  {
    const std::lock_guard lock(mutex_);
    task->job = made;
  }
  task->set_trigger([job = made.get()] { job->trigger_epoch(); });
  thread.start_task(id, [task] { task->trigger(); });
  return made->start();
}

KeyGroupRange InstanceCore::key_groups_of(TaskId id) const {
  const Subtopology& subtopology = topology_.subtopologies()[at(id.subtopology)];
  return subtopology.keyed
             ? KeyGroupRange{0, kKeyGroups, kKeyGroups}
             : key_groups_of_subtask(id.partition, kKeyGroups, subtopology.partitions);
}

/// With the task's own state store.
Result<JobOptions> InstanceCore::job_options_of(TaskId id) {
  JobOptions job;
  job.parallelism = 1;
  job.key_groups = key_groups_of(id);
  std::string folder;
  if (!identity_.folder().empty()) folder = identity_.folder() + "/" + id.to_string();
  if (!folder.empty()) TG_RETURN_IF_ERROR(local_file_system().create_directories(folder));
  if (options_.set_job_options)
    TG_RETURN_IF_ERROR(options_.set_job_options(folder, topology_.num_tasks(), job));
  return job;
}

Result<TaskStart> InstanceCore::restore(StreamThread& thread, TaskSpec spec) {
  const TaskId id = spec.id;
  spec.on_progress = [this](const TaskRestore& progress) {
    const std::lock_guard lock(mutex_);
    restoring_[progress.task] = progress;
  };
  {
    const std::lock_guard lock(mutex_);
    restoring_[id] = {id};
  }
  Result<TaskStart> start = thread.add_task(spec);
  const std::lock_guard lock(mutex_);
  const TaskRestore done = std::exchange(restoring_[id], {});
  restoring_.erase(id);
  restored_.messages += done.messages;
  restored_.bytes += done.bytes;
  if (!start.is_ok()) return start;
  ++restored_.tasks;
  if (start->restore != nullptr && !start->restore->held.empty()) ++restored_.tasks_behind_local;
  return start;
}

Result<Graph> InstanceCore::graph_of(TaskId id) const {
  Result<Graph> planned = [this] {
    const std::lock_guard lock(planning_);
    return options_.plan();
  }();
  TG_ASSIGN_OR_RETURN(Graph whole, std::move(planned));
  for (const Node& node : whole.nodes) {
    if (node.sink != nullptr) node.sink->join_transaction();
  }
  Topology::Ends ends;
  ends.make_sink = [&](const Repartition& each) {
    RepartitionSinkSpec spec;
    spec.topic = each.topic;
    spec.schema = each.schema;
    spec.keys = each.edge.keys;
    spec.partitions = topology_.partitions_of(each);
    spec.key_groups = kKeyGroups;
    spec.upstream = id.partition;
    spec.upstreams = topology_.subtopologies()[at(each.from)].partitions;
    return make_repartition_sink(std::move(spec));
  };
  ends.make_source = [&](const Repartition& each) {
    RepartitionSourceSpec spec;
    spec.topic = each.topic;
    spec.schema = each.schema;
    spec.partition = id.partition;
    spec.upstreams = topology_.subtopologies()[at(each.from)].partitions;
    return make_repartition_source(std::move(spec), consumer_);
  };
  TG_ASSIGN_OR_RETURN(Graph graph, topology_.graph_of(id.subtopology, std::move(whole), ends));
  for (Node& node : graph.nodes) {
    if (node.source != nullptr && node.source->log_topics())
      node.source = one_partition_of(node.source, id.partition);
  }
  return graph;
}

Result<std::vector<GroupOffset>> InstanceCore::offsets_of(const EpochRecord& record) const {
  std::vector<GroupOffset> offsets;
  for (const SourceState& source : record.sources) {
    for (const SplitState& split : source.open) {
      if (!split.position) continue;
      TG_ASSIGN_OR_RETURN(const kafka::PartitionSplit partition,
                          kafka::PartitionSplit::from_split(split.split));
      TG_ASSIGN_OR_RETURN(const std::int64_t offset, kafka::offset_of_position(*split.position));
      if (offset < 0) continue;
      offsets.push_back(
          {{partition.topic, partition.partition}, offset, internal_.contains(partition.topic)});
    }
  }
  return offsets;
}

void InstanceCore::task_ended(const std::shared_ptr<Task>& task, JobState state) {
  if (task->given_up) return;
  threads_[at(task->thread)]->remove_task(task->id);
  if (state == JobState::kFailed) return failed(task, task->failure());
  task->ended = true;
  task->finished = state == JobState::kFinished;
  look_for_end();
}

void InstanceCore::failed(const std::shared_ptr<Task>& task, const Status& failure) {
  if (task->given_up) return;
  let_go([&](TaskId id) { return id == task->id; });
  bool stopping = false;
  {
    const std::lock_guard lock(mutex_);
    stopping = stop_mode_.has_value();
  }
  log_warning("library.task-failed", {{"task", task->id.to_string()}, {"error", failure}});
  if (stopping || left_) return look_for_end();
  std::optional<milliseconds> delay;
  const std::int64_t now_ns = system_clock().monotonic_ns();
  if (failure.code() == ErrorCode::kServiceRefused && has_run_) {
    delay = kFencedPause;  // somebody else's by now: the group is about to say so
  } else if (has_run_ || !options_.strategy.is_default()) {
    delay = options_.strategy.next(failure, now_ns);
  }
  if (!delay) return give_up(failure);
  {
    const std::lock_guard lock(mutex_);
    ++restarts_;
  }
  if (options_.on_restart) options_.on_restart(failure);
  const std::int32_t generation = member_ ? member_->generation : -1;
  waiting_.insert(task->id);
  executor_->submit_at(
      now_ns + delay->count() * 1'000'000, [tether = tether_, id = task->id, generation] {
        tether.call([id, generation](InstanceCore& instance) {
          instance.post([&instance, id, generation] { instance.begin_again(id, generation); });
        });
      });
}

void InstanceCore::begin_again(TaskId id, std::int32_t generation) {
  if (ended_ || left_ || !waiting_.contains(id)) return;
  if (!member_ || member_->generation != generation) return;  // left to assign()
  waiting_.erase(id);
  add_tasks({id});
}

}  // namespace tidegate::library
