// SPDX-License-Identifier: Apache-2.0
//
// What an instance needs before it joins its group: brokers, topics, stream threads, membership.

#include <cstdlib>
#include <utility>

#include "base/check.h"
#include "base/executor.h"
#include "library/instance_core.h"
#include "library/range_assigner.h"

namespace tidegate::library {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kOutage{300'000};
/// Each task keeps one while its epoch commits.
constexpr int kBlockingThreads = 256;

}  // namespace

Status InstanceCore::connect(const Graph& graph) {
  TG_RETURN_IF_ERROR(take_brokers(graph));
  TG_ASSIGN_OR_RETURN(states_, readable_states(graph));
  TG_ASSIGN_OR_RETURN(identity_, ProcessIdentity::of(options_.state_dir, options_.application_id));
  TG_RETURN_IF_ERROR(make_topics());
  executor_ = make_thread_executor(1, kBlockingThreads);
  TG_ASSIGN_OR_RETURN(consumer_, kafka::Consumer::make(client_, kOutage, *executor_));
  TG_RETURN_IF_ERROR(make_threads());
  MembershipOptions membership;
  membership.client = client_;
  membership.application_id = options_.application_id;
  membership.instance_id = options_.instance_id;
  membership.address = options_.address;
  for (std::size_t i = 0; i < topology_.subtopologies().size(); ++i)
    membership.topics.push_back(topology_.anchor_of(static_cast<int>(i)));
  membership.executor = executor_.get();
  const std::string session_ms(client_.find("session.timeout.ms"));
  if (!session_ms.empty())
    membership.session_timeout = milliseconds(std::strtoll(session_ms.c_str(), nullptr, 10));
  TG_ASSIGN_OR_RETURN(assigner_, make_range_assigner(membership));
  if (options_.standby_replicas > 0) make_standbys();
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
    internal.push_back(changelog_topic(changelog_of(static_cast<int>(i)), partitions));
  }
  for (const Repartition& each : topology_.repartitions()) {
    internal.push_back(repartition_topic(each.topic, topology_.partitions_of(each)));
    internal_.insert(each.topic);
  }
  return topics->create(internal);
}

std::string InstanceCore::changelog_of(int subtopology) const {
  return fmt::format("{}-{}-changelog", options_.application_id, subtopology);
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

}  // namespace tidegate::library
