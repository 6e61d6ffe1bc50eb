// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/executor.h"
#include "dataflow/graph.h"
#include "dataflow/readable_state.h"
#include "kafka/client_properties.h"
#include "kafka/consumer.h"
#include "library/assigner.h"
#include "library/instance.h"
#include "library/internal_topics.h"
#include "library/process_identity.h"
#include "library/standbys.h"
#include "library/stream_thread.h"
#include "library/subtopologies.h"
#include "runtime/job.h"
#include "runtime/tether.h"
#include "tidegate/job_progress.h"

namespace tidegate::library {

/// Of every application.
inline constexpr int kKeyGroups = 128;

/// The inside of an Instance. What happens to tasks happens on one strand of blocking work, in
/// order.
class InstanceCore final : public Instance, private AssignmentListener {
 public:
  /// `graph` as planned once, before it was given to anybody.
  static Result<std::unique_ptr<InstanceCore>> start(Graph graph, InstanceOptions options);
  /// Cancels what runs, and leaves the group.
  ~InstanceCore() override;

  Status await() override;
  bool await_for(std::chrono::milliseconds time) override;
  void stop(StopMode mode) override;
  JobProgress progress() const override;
  Result<StateReading> read_state(std::string_view name, StateQuery query) override;

 private:
  struct Task;
  class TaskListener;

  InstanceCore(Topology topology, InstanceOptions options);
  Status connect(const Graph& graph);
  Status take_brokers(const Graph& graph);
  Status make_topics();
  Status make_threads();

  // AssignmentListener
  void on_assigned(const Assignment& assignment) override;
  void on_revoked() override;
  void on_lost() override;
  void on_failed(const Status& status) override;

  // The strand.
  void post(std::function<void()> step);
  void run_steps();
  void assign(const Assignment& assignment);
  std::set<TaskId> owned(const Assignment& assignment) const;
  void let_go(const std::function<bool(TaskId)>& which);
  void add_tasks(const std::set<TaskId>& ids);
  Status begin(const std::shared_ptr<Task>& task);
  Result<TaskStart> restore(StreamThread& thread, TaskSpec spec);
  Result<JobOptions> job_options_of(TaskId id);
  KeyGroupRange key_groups_of(TaskId id) const;
  void make_standbys();
  void find_standbys(std::int32_t generation);
  void choose_standbys(std::int32_t generation);
  Result<Graph> graph_of(TaskId id) const;
  std::string changelog_of(int subtopology) const;
  int least_busy_thread(int subtopology) const;
  Result<std::vector<GroupOffset>> offsets_of(const EpochRecord& record) const;
  void task_ended(const std::shared_ptr<Task>& task, JobState state);
  void begin_again(TaskId id, std::int32_t generation);
  void failed(const std::shared_ptr<Task>& task, const Status& failure);
  void look_for_end();
  void stop_tasks();
  void give_up(Status failure);
  void end(JobState state);
  void leave();
  void set_state(JobState state);

  // Questions about state.
  Result<const ReadableState*> find_state(std::string_view name) const;
  int subtopology_of(int node) const;
  Result<std::vector<MemberShare>> shares(bool afresh);
  Result<std::vector<StateOwner>> owners_of(int subtopology, const std::set<int>& partitions);

  Topology topology_;
  InstanceOptions options_;
  kafka::ClientProperties client_;
  std::string brokers_;
  std::set<std::string> internal_;  // repartition topics
  ProcessIdentity identity_;
  std::unique_ptr<Executor> executor_;  // of the strand and of clients
  std::vector<std::unique_ptr<Executor>> thread_executors_;
  std::shared_ptr<kafka::Consumer> consumer_;  // of repartition topics
  std::vector<std::unique_ptr<StreamThread>> threads_;
  std::unique_ptr<Assigner> assigner_;
  std::unique_ptr<Standbys> standbys_;  // null: none are wanted

  std::vector<ReadableState> states_;

  std::mutex sharing_;  // over the two below
  std::vector<MemberShare> shares_;
  std::int64_t shares_ns_ = 0;  // when they were asked for; 0: never

  mutable std::mutex looking_;   // at jobs, from outside of the strand
  mutable std::mutex planning_;  // plans share what they are made of

  Tether<InstanceCore> tether_{*this};

  // Of the strand.
  std::optional<GroupMember> member_;
  bool has_run_ = false;
  bool left_ = false;
  std::set<TaskId> waiting_;  // to begin again

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<TaskId, std::shared_ptr<Task>> tasks_;  // changed by the strand alone
  std::deque<std::function<void()>> steps_;
  bool stepping_ = false;
  std::optional<StopMode> stop_mode_;
  JobState state_ = JobState::kCreated;
  RestoreProgress restored_;  // of tasks that are through
  std::map<TaskId, TaskRestore> restoring_;
  int restarts_ = 0;
  bool ended_ = false;
  Status failure_;
};

}  // namespace tidegate::library
