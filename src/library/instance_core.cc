// SPDX-License-Identifier: Apache-2.0
#include "library/instance_core.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "base/log.h"
#include "kafka/partition_split.h"
#include "library/instance_task.h"
#include "library/one_partition.h"
#include "library/range_assigner.h"
#include "library/repartition_sink.h"
#include "library/repartition_source.h"

namespace tidegate::library {
namespace {

using std::chrono::milliseconds;

constexpr int kKeyGroups = 128;
constexpr milliseconds kOutage{300'000};
constexpr milliseconds kFencedPause{1'000};
/// Each task keeps one while its epoch commits.
constexpr int kBlockingThreads = 256;

std::size_t at(int index) { return static_cast<std::size_t>(index); }

std::string changelog_of(const std::string& application_id, int subtopology) {
  return fmt::format("{}-{}-changelog", application_id, subtopology);
}

}  // namespace

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

Status InstanceCore::connect(const Graph& graph) {
  TG_RETURN_IF_ERROR(take_brokers(graph));
  TG_ASSIGN_OR_RETURN(identity_, ProcessIdentity::of(options_.state_dir, options_.application_id));
  TG_RETURN_IF_ERROR(make_topics());
  executor_ = make_thread_executor(1, kBlockingThreads);
  TG_ASSIGN_OR_RETURN(consumer_, kafka::Consumer::make(client_, kOutage, *executor_));
  TG_RETURN_IF_ERROR(make_threads());
  MembershipOptions membership;
  membership.client = client_;
  membership.application_id = options_.application_id;
  membership.instance_id = options_.instance_id;
  for (std::size_t i = 0; i < topology_.subtopologies().size(); ++i)
    membership.topics.push_back(topology_.anchor_of(static_cast<int>(i)));
  membership.executor = executor_.get();
  const std::string session_ms(client_.find("session.timeout.ms"));
  if (!session_ms.empty())
    membership.session_timeout = milliseconds(std::strtoll(session_ms.c_str(), nullptr, 10));
  TG_ASSIGN_OR_RETURN(assigner_, make_range_assigner(membership));
  set_state(JobState::kRunning);
  return assigner_->join(*this);
}

/// One transaction covers everything, so everything is on the same brokers.
Status InstanceCore::take_brokers(const Graph& graph) {
  const auto check = [&](const std::string& name, const LogTopics& log) -> Status {
    if (log.brokers.empty() || log.brokers == brokers_) return Status::ok();
    return Status(
        ErrorCode::kNotSupported,
        fmt::format("'{}' is at {} and others at {}, in library mode", name, log.brokers, brokers_),
        "A transaction of Kafka stays within one cluster. Name the same brokers.");
  };
  for (const Node& node : graph.nodes) {
    std::optional<LogTopics> log;
    if (node.source != nullptr) log = node.source->log_topics();
    if (node.sink != nullptr) log = node.sink->join_transaction();
    if (!log) continue;
    if (brokers_.empty()) {
      brokers_ = log->brokers;
      TG_ASSIGN_OR_RETURN(client_, kafka::translate_properties(log->client, brokers_));
      client_.group.clear();
      std::erase_if(client_.settings, [](const auto& setting) {
        return setting.first == "group.id" || setting.first == "transactional.id" ||
               setting.first == "isolation.level" || setting.first == "auto.offset.reset";
      });
    }
    TG_RETURN_IF_ERROR(check(node.name, *log));
  }
  return Status::ok();
}

Status InstanceCore::make_topics() {
  InternalTopics::Options how;
  how.client = client_;
  TG_ASSIGN_OR_RETURN(const auto topics, InternalTopics::connect(how));
  TG_RETURN_IF_ERROR(topology_.set_partitions(
      [&](const std::string& topic) { return topics->partition_count(topic); }));
  std::vector<InternalTopic> internal;
  for (std::size_t i = 0; i < topology_.subtopologies().size(); ++i) {
    const int partitions = topology_.subtopologies()[i].partitions;
    if (partitions > kKeyGroups)
      return error(ErrorCode::kNotSupported,
                   "{} partitions in library mode, which has {} key groups", partitions,
                   kKeyGroups);
    internal.push_back(
        changelog_topic(changelog_of(options_.application_id, static_cast<int>(i)), partitions));
  }
  for (const Repartition& each : topology_.repartitions()) {
    internal.push_back(repartition_topic(each.topic, topology_.partitions_of(each)));
    internal_.insert(each.topic);
  }
  return topics->create(internal);
}

Status InstanceCore::make_threads() {
  for (int i = 0; i < options_.threads; ++i) {
    thread_executors_.push_back(make_thread_executor(1, kBlockingThreads));
    StreamThreadOptions thread;
    thread.client = client_;
    thread.transactional_id = fmt::format("{}-{}-{}", options_.application_id, identity_.name(), i);
    thread.epoch_interval = options_.epoch_interval;
    thread.executor = thread_executors_.back().get();
    TG_ASSIGN_OR_RETURN(std::unique_ptr<StreamThread> made, StreamThread::make(std::move(thread)));
    threads_.push_back(std::move(made));
  }
  return Status::ok();
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
}

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
  add_tasks(ids);
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

Status InstanceCore::begin(const std::shared_ptr<Task>& task) {
  StreamThread& thread = *threads_[at(task->thread)];
  const TaskId id = task->id;
  TaskSpec spec;
  spec.id = id;
  spec.changelog_topic = changelog_of(options_.application_id, id.subtopology);
  spec.key_groups = kKeyGroups;
  spec.offsets = [this](const EpochRecord& record) { return offsets_of(record); };
  TG_ASSIGN_OR_RETURN(const TaskStart start, thread.add_task(spec));
  JobOptions job;
  job.parallelism = 1;
  job.executor = thread_executors_[at(task->thread)].get();
  const Subtopology& subtopology = topology_.subtopologies()[at(id.subtopology)];
  job.key_groups = subtopology.keyed
                       ? KeyGroupRange{0, kKeyGroups, kKeyGroups}
                       : key_groups_of_subtask(id.partition, kKeyGroups, subtopology.partitions);
  job.commit_policy = start.policy;
  job.restore = start.restore;
  std::string folder;
  if (!identity_.folder().empty()) folder = identity_.folder() + "/" + id.to_string();
  if (!folder.empty()) TG_RETURN_IF_ERROR(local_file_system().create_directories(folder));
  if (options_.set_job_options)
    TG_RETURN_IF_ERROR(options_.set_job_options(folder, topology_.num_tasks(), job));
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

bool InstanceCore::await_for(milliseconds time) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, time, [this] { return ended_; });
}

JobProgress InstanceCore::progress() const {
  const std::lock_guard look(looking_);
  std::vector<std::shared_ptr<Job>> jobs;
  JobState state;
  int restarts = 0;
  {
    const std::lock_guard lock(mutex_);
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
  return all;
}

}  // namespace tidegate::library
