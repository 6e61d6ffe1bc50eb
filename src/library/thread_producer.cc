// SPDX-License-Identifier: Apache-2.0
#include "library/thread_producer.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/failpoints.h"

namespace tidegate::library {

namespace {

/// The broker fences as well when a transaction has taken too long.
constexpr int kMostFenced = 3;

struct GroupDeleter {
  void operator()(rd_kafka_consumer_group_metadata_t* group) const {
    rd_kafka_consumer_group_metadata_destroy(group);
  }
};

kafka::TransactionalProducer::Options producer_options(const ThreadProducer::Options& options) {
  kafka::TransactionalProducer::Options producer;
  producer.client = options.client;
  const std::string timeout = std::to_string(options.transaction_timeout.count());
  auto& settings = producer.client.settings;
  std::erase_if(settings, [](const auto& setting) {
    return setting.first.starts_with("group.") || setting.first.starts_with("transaction") ||
           setting.first == "delivery.timeout.ms" || setting.first == "enable.idempotence";
  });
  settings.emplace_back("transactional.id", options.transactional_id);
  settings.emplace_back("transaction.timeout.ms", timeout);
  settings.emplace_back("delivery.timeout.ms", timeout);
  producer.id = options.transactional_id;
  producer.timeout = options.transaction_timeout;
  producer.most_fenced = kMostFenced;
  producer.fenced = "another process uses the same transactional id";
  producer.remedy = "Give each instance a --state-dir of its own, and do not copy it.";
  return producer;
}

}  // namespace

ThreadProducer::ThreadProducer(const Options& options) : producer_(producer_options(options)) {}

Status ThreadProducer::commit(const rd_kafka_topic_partition_list_t& offsets,
                              const GroupMember& member) {
  // Without these the broker would not check who we are.
  TG_CHECK(offsets.cnt > 0 && member.generation >= 0 && !member.member_id.empty(),
           "offsets={} generation={}", offsets.cnt, member.generation);
  TG_RETURN_IF_ERROR(producer_.flush());
  TG_FAILPOINT("library.before-offsets");
  const std::unique_ptr<rd_kafka_consumer_group_metadata_t, GroupDeleter> group(
      rd_kafka_consumer_group_metadata_new_with_genid(
          member.group.c_str(), member.generation, member.member_id.c_str(),
          member.instance_id.empty() ? nullptr : member.instance_id.c_str()));
  TG_RETURN_IF_ERROR(producer_.send_offsets(offsets, *group));
  TG_FAILPOINT("library.before-commit");
  TG_RETURN_IF_ERROR(producer_.commit());
  TG_FAILPOINT("library.after-commit");
  if (producer_.lost_connection() && TG_PROTECTED("late-requests")) producer_.drop();
  return Status::ok();
}

std::optional<std::int64_t> ThreadProducer::first_offset(const TopicPartition& partition) const {
  const auto& offsets = producer_.first_offsets();
  const auto found = offsets.find({partition.topic, partition.partition});
  if (found == offsets.end()) return std::nullopt;
  return found->second;
}

}  // namespace tidegate::library
