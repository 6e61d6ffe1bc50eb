// SPDX-License-Identifier: Apache-2.0
#include "library/group_description.h"

#include <utility>

#include "base/check.h"
#include "library/administer.h"

namespace tidegate::library {

namespace {

GroupDescription::Member member_of(const rd_kafka_MemberDescription_t* described) {
  GroupDescription::Member member;
  member.id = rd_kafka_MemberDescription_consumer_id(described);
  member.client_id = rd_kafka_MemberDescription_client_id(described);
  const rd_kafka_MemberAssignment_t* assignment = rd_kafka_MemberDescription_assignment(described);
  const rd_kafka_topic_partition_list_t* list =
      assignment == nullptr ? nullptr : rd_kafka_MemberAssignment_partitions(assignment);
  for (int i = 0; list != nullptr && i < list->cnt; ++i)
    member.partitions.push_back({list->elems[i].topic, list->elems[i].partition});
  return member;
}

/// The coordinator of a group may be another broker by now, or about to be.
Status status_of(rd_kafka_resp_err_t failed, const std::string& what, const char* reason) {
  if (!kafka::is_passing(failed)) return kafka::kafka_status(failed, what, reason);
  return Status(ErrorCode::kServiceUnreachable, fmt::format("{}: {}", what, reason),
                "Try again in a moment.");
}

}  // namespace

Result<std::unique_ptr<GroupDescription>> GroupDescription::make(
    const kafka::ClientProperties& client, std::string group, std::chrono::milliseconds timeout) {
  std::unique_ptr<GroupDescription> made(new GroupDescription(std::move(group), timeout));
  kafka::ClientProperties properties = client;
  std::erase_if(properties.settings, [](const auto& setting) {
    return setting.first.starts_with("group.") || setting.first.starts_with("transaction");
  });
  TG_ASSIGN_OR_RETURN(made->client_,
                      kafka::Client::make(kafka::Client::Role::kConsumer, properties, {}));
  return made;
}

Result<std::vector<GroupDescription::Member>> GroupDescription::members() {
  const char* names[] = {group_.c_str()};
  const AdminEventPtr event =
      administer(client_->handle(), timeout_,
                 [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                   rd_kafka_DescribeConsumerGroups(client_->handle(), names, 1, options, queue);
                 });
  if (event == nullptr) return client_->unreachable(timeout_);
  const std::string what =
      fmt::format("cannot ask about group '{}' at {}", group_, client_->brokers());
  if (const auto failed = rd_kafka_event_error(event.get()))
    return status_of(failed, what, rd_kafka_event_error_string(event.get()));
  std::size_t count = 0;
  const rd_kafka_ConsumerGroupDescription_t** groups =
      rd_kafka_DescribeConsumerGroups_result_groups(
          rd_kafka_event_DescribeConsumerGroups_result(event.get()), &count);
  if (count != 1) return error(ErrorCode::kServiceUnreachable, "{}: no answer about it", what);
  if (const rd_kafka_error_t* failed = rd_kafka_ConsumerGroupDescription_error(groups[0]))
    return status_of(rd_kafka_error_code(failed), what, rd_kafka_error_string(failed));
  if (rd_kafka_ConsumerGroupDescription_state(groups[0]) != RD_KAFKA_CONSUMER_GROUP_STATE_STABLE)
    return Status(ErrorCode::kServiceUnreachable,
                  fmt::format("group '{}' is settling which instance has what", group_),
                  "Try again in a moment.");
  std::vector<Member> members;
  for (std::size_t i = 0; i < rd_kafka_ConsumerGroupDescription_member_count(groups[0]); ++i)
    members.push_back(member_of(rd_kafka_ConsumerGroupDescription_member(groups[0], i)));
  return members;
}

}  // namespace tidegate::library
