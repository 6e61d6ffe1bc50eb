// SPDX-License-Identifier: Apache-2.0
#include "library/internal_topics.h"

#include <cstddef>
#include <string_view>

#include "base/check.h"
#include "base/clock.h"
#include "kafka/handles.h"
#include "library/administer.h"

namespace tidegate::library {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPause{100};  // before the same is asked again

struct NewTopicDeleter {
  void operator()(rd_kafka_NewTopic_t* topic) const { rd_kafka_NewTopic_destroy(topic); }
};
using NewTopicPtr = std::unique_ptr<rd_kafka_NewTopic_t, NewTopicDeleter>;

/// The first topic of a CreateTopics call that could not be made.
Status creation_error(const rd_kafka_CreateTopics_result_t* result, std::string_view place,
                      bool& again) {
  std::size_t count = 0;
  const rd_kafka_topic_result_t** topics = rd_kafka_CreateTopics_result_topics(result, &count);
  again = false;
  for (std::size_t i = 0; i < count; ++i) {
    const rd_kafka_resp_err_t error = rd_kafka_topic_result_error(topics[i]);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
      continue;
    again = kafka::is_passing(error);
    const char* reason = rd_kafka_topic_result_error_string(topics[i]);
    return kafka::kafka_status(
        error,
        fmt::format("cannot make topic '{}' at {}", rd_kafka_topic_result_name(topics[i]), place),
        reason == nullptr ? "" : reason);
  }
  return Status::ok();
}

}  // namespace

InternalTopic repartition_topic(std::string name, int partitions) {
  return {std::move(name),
          partitions,
          {{"cleanup.policy", "delete"},
           {"retention.ms", "-1"},
           {"retention.bytes", "-1"},
           {"segment.bytes", "52428800"}}};
}

InternalTopic changelog_topic(std::string name, int partitions) {
  // Not compacted: its messages are parts of epochs, and what is superfluous is purged.
  return {std::move(name),
          partitions,
          {{"cleanup.policy", "delete"}, {"retention.ms", "-1"}, {"retention.bytes", "-1"}}};
}

Result<std::unique_ptr<InternalTopics>> InternalTopics::connect(const Options& options) {
  std::unique_ptr<InternalTopics> topics(new InternalTopics(options));
  // A consumer: to ask a producer for a topic may make it.
  TG_ASSIGN_OR_RETURN(topics->client_,
                      kafka::Client::make(kafka::Client::Role::kConsumer, options.client, {}));
  return topics;
}

Status InternalTopics::create(const std::vector<InternalTopic>& topics) {
  if (topics.empty()) return Status::ok();
  std::vector<NewTopicPtr> owners;
  std::vector<rd_kafka_NewTopic_t*> list;
  for (const InternalTopic& topic : topics) {
    char reason[256] = "";
    NewTopicPtr made(rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions,
                                           options_.replication_factor, reason, sizeof reason));
    if (made == nullptr)
      return error(ErrorCode::kInvalidArgument, "topic '{}' with {} partitions: {}", topic.name,
                   topic.partitions, reason);
    for (const auto& [name, value] : topic.configs)
      rd_kafka_NewTopic_set_config(made.get(), name.c_str(), value.c_str());
    list.push_back(made.get());
    owners.push_back(std::move(made));
  }
  const std::int64_t end_ns =
      system_clock().monotonic_ns() + options_.timeout.count() * std::int64_t{1'000'000};
  while (true) {
    const AdminEventPtr event = administer(
        client_->handle(), options_.timeout,
        [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
          rd_kafka_CreateTopics(client_->handle(), list.data(), list.size(), options, queue);
        });
    if (event == nullptr) return client_->unreachable(options_.timeout);
    bool again = false;
    Status failed;
    if (const auto error = rd_kafka_event_error(event.get())) {
      again = kafka::is_passing(error);
      failed = kafka::kafka_status(
          error, fmt::format("cannot make topics at {}", client_->brokers()),
          fmt::format("{}{}", rd_kafka_event_error_string(event.get()), client_->trouble()));
    } else {
      failed = creation_error(rd_kafka_event_CreateTopics_result(event.get()), client_->brokers(),
                              again);
    }
    if (failed.is_ok()) break;
    if (!again || system_clock().monotonic_ns() >= end_ns) return failed;
    client_->serve_for(kPause);
  }
  for (const InternalTopic& topic : topics) {
    Result<int> found = partition_count(topic.name);
    // A broker may not have heard of it yet, also when another instance has made it.
    while (!found.is_ok() && found.status().code() == ErrorCode::kTopicNotFound &&
           system_clock().monotonic_ns() < end_ns) {
      client_->serve_for(kPause);
      found = partition_count(topic.name);
    }
    TG_ASSIGN_OR_RETURN(const int partitions, std::move(found));
    if (partitions != topic.partitions)
      return Status(ErrorCode::kStateMismatch,
                    fmt::format("topic '{}' has {} partitions, and the program needs {}",
                                topic.name, partitions, topic.partitions),
                    "Was the number of partitions of a source topic changed, or the program? Use "
                    "another application id, or delete the topics of this one to start anew.");
  }
  return Status::ok();
}

Result<int> InternalTopics::partition_count(const std::string& topic) {
  const kafka::TopicPtr known = client_->topic(topic);
  if (known == nullptr)
    return error(ErrorCode::kInvalidArgument, "'{}' is not a topic's name", topic);
  TG_ASSIGN_OR_RETURN(const kafka::MetadataPtr metadata,
                      client_->metadata(known.get(), options_.timeout));
  return metadata->topics[0].partition_cnt;
}

Status InternalTopics::delete_records(const std::vector<Position>& positions) {
  if (positions.empty()) return Status::ok();
  const kafka::PartitionsPtr list(rd_kafka_topic_partition_list_new(1));
  for (const Position& position : positions) {
    // -1 would stand for the end: everything would go.
    TG_CHECK(position.offset >= 0, "offset {}", position.offset);
    rd_kafka_topic_partition_list_add(list.get(), position.partition.topic.c_str(),
                                      position.partition.partition)
        ->offset = position.offset;
  }
  rd_kafka_DeleteRecords_t* records = rd_kafka_DeleteRecords_new(list.get());
  const AdminEventPtr event =
      administer(client_->handle(), options_.timeout,
                 [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                   rd_kafka_DeleteRecords(client_->handle(), &records, 1, options, queue);
                 });
  rd_kafka_DeleteRecords_destroy(records);
  if (event == nullptr) return client_->unreachable(options_.timeout);
  const std::string what = fmt::format("cannot delete records at {}", client_->brokers());
  if (const auto error = rd_kafka_event_error(event.get()))
    return kafka::kafka_status(error, what, rd_kafka_event_error_string(event.get()));
  const rd_kafka_topic_partition_list_t* deleted =
      rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event.get()));
  for (int i = 0; i < deleted->cnt; ++i) {
    const rd_kafka_topic_partition_t& each = deleted->elems[i];
    if (each.err != RD_KAFKA_RESP_ERR_NO_ERROR)
      return kafka::kafka_status(
          each.err, fmt::format("{}: topic '{}' partition {}", what, each.topic, each.partition));
  }
  return Status::ok();
}

}  // namespace tidegate::library
