// SPDX-License-Identifier: Apache-2.0
#include "library/range_assigner.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/log.h"
#include "kafka/client.h"
#include "kafka/handles.h"
#include "library/group_description.h"

namespace tidegate::library {

namespace {

constexpr int kPollMs = 100;
constexpr char kAddressMark = '@';
constexpr std::chrono::milliseconds kDescriptionTimeout{10'000};
/// How long a member that leaves waits for the group to hear of it.
constexpr std::int64_t kGoodbyeMs = 5'000;

kafka::ClientProperties member_properties(const MembershipOptions& options) {
  kafka::ClientProperties properties = options.client;
  std::erase_if(properties.settings, [&](const auto& setting) {
    return setting.first.starts_with("group.") || setting.first.starts_with("transaction") ||
           setting.first == "partition.assignment.strategy" ||
           (setting.first == "client.id" && !options.address.empty());
  });
  const auto add_default = [&](const char* name, std::string value) {
    if (properties.find(name).empty()) properties.settings.emplace_back(name, std::move(value));
  };
  add_default("session.timeout.ms", std::to_string(options.session_timeout.count()));
  add_default("heartbeat.interval.ms", std::to_string(std::clamp<std::int64_t>(
                                           options.session_timeout.count() / 3, 100, 3'000)));
  properties.settings.emplace_back("group.id", options.application_id);
  properties.settings.emplace_back("partition.assignment.strategy", "range");
  // All that a member can tell the others by way of librdkafka.
  if (!options.address.empty())
    properties.settings.emplace_back("client.id",
                                     options.application_id + kAddressMark + options.address);
  if (!options.instance_id.empty())
    properties.settings.emplace_back("group.instance.id", options.instance_id);
  return properties;
}

bool take_text(std::string_view& in, std::string& text) {
  const std::size_t end = in.find('\0');
  if (end == std::string_view::npos) return false;
  text = in.substr(0, end);
  in.remove_prefix(end + 1);
  return true;
}

/// librdkafka tells the generation only in the form that it hands between its own objects:
/// "CGMDv2:" | generation, i32 | group | member, each with a zero byte behind.
Result<GroupMember> current_member(const kafka::Client& client, const std::string& instance_id) {
  constexpr std::string_view kMagic = "CGMDv2:";
  rd_kafka_consumer_group_metadata_t* metadata = rd_kafka_consumer_group_metadata(client.handle());
  TG_CHECK(metadata != nullptr, "a consumer without a group");
  void* buffer = nullptr;
  std::size_t size = 0;
  const kafka::ErrorPtr failed(rd_kafka_consumer_group_metadata_write(metadata, &buffer, &size));
  rd_kafka_consumer_group_metadata_destroy(metadata);
  const std::string bytes(static_cast<const char*>(buffer), failed == nullptr ? size : 0);
  rd_kafka_mem_free(nullptr, buffer);

  GroupMember member;
  member.instance_id = instance_id;
  std::string_view in = bytes;
  bool fits = in.starts_with(kMagic);
  if (fits) {
    in.remove_prefix(kMagic.size());
    fits = in.size() >= sizeof(member.generation);
  }
  if (fits) {
    std::memcpy(&member.generation, in.data(), sizeof(member.generation));
    in.remove_prefix(sizeof(member.generation));
    fits = take_text(in, member.group) && take_text(in, member.member_id);
  }
  if (!fits)
    return error(ErrorCode::kNotSupported, "library mode with librdkafka {}",
                 rd_kafka_version_str());
  return member;
}

class RangeAssigner final : public Assigner {
 public:
  explicit RangeAssigner(const MembershipOptions& options) : options_(options) {}
  ~RangeAssigner() override { leave(); }

  Status open();
  Status join(AssignmentListener& listener) override;
  void leave() override;
  Result<std::vector<MemberShare>> shares() override;

 private:
  void serve();
  void poll();
  void rebalanced(rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t& partitions);
  void assigned(const rd_kafka_topic_partition_list_t& partitions);
  void revoked();
  void fail(Status status);
  void say_goodbye();
  bool leaves();

  const MembershipOptions options_;
  std::unique_ptr<kafka::Client> client_;
  std::unique_ptr<GroupDescription> description_;
  AssignmentListener* listener_ = nullptr;

  // Of the serving thread.
  std::optional<Assignment> fresh_;  // to be told
  bool has_assignment_ = false;      // told
  bool failed_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool leaves_ = false;
  bool serving_ = false;
};

Status RangeAssigner::open() {
  kafka::Client::Events events;
  events.rebalanced = [this](rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t& list) {
    rebalanced(what, list);
  };
  TG_ASSIGN_OR_RETURN(client_, kafka::Client::make(kafka::Client::Role::kConsumer,
                                                   member_properties(options_), std::move(events)));
  rd_kafka_poll_set_consumer(client_->handle());
  TG_ASSIGN_OR_RETURN(description_, GroupDescription::make(options_.client, options_.application_id,
                                                           kDescriptionTimeout));
  return Status::ok();
}

Result<std::vector<MemberShare>> RangeAssigner::shares() {
  TG_ASSIGN_OR_RETURN(std::vector<GroupDescription::Member> members, description_->members());
  const std::string before = options_.application_id + kAddressMark;
  std::vector<MemberShare> shares;
  for (GroupDescription::Member& member : members) {
    std::string address;
    if (member.client_id.starts_with(before)) address = member.client_id.substr(before.size());
    shares.push_back({std::move(member.id), std::move(address), std::move(member.partitions)});
  }
  return shares;
}

Status RangeAssigner::join(AssignmentListener& listener) {
  listener_ = &listener;
  const kafka::PartitionsPtr topics(rd_kafka_topic_partition_list_new(1));
  for (const std::string& topic : options_.topics)
    rd_kafka_topic_partition_list_add(topics.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  const auto error = rd_kafka_subscribe(client_->handle(), topics.get());
  TG_RETURN_IF_ERROR(kafka::kafka_status(
      error,
      fmt::format("cannot join group '{}' at {}", options_.application_id, client_->brokers())));
  {
    const std::lock_guard lock(mutex_);
    serving_ = true;
  }
  options_.executor->submit_blocking([this] { serve(); });
  return Status::ok();
}

void RangeAssigner::leave() {
  std::unique_lock lock(mutex_);
  leaves_ = true;
  changed_.wait(lock, [&] { return !serving_; });
}

bool RangeAssigner::leaves() {
  const std::lock_guard lock(mutex_);
  return leaves_;
}

void RangeAssigner::serve() {
  while (!leaves() && !failed_) poll();
  say_goodbye();
  client_.reset();
  const std::lock_guard lock(mutex_);
  serving_ = false;
  changed_.notify_all();
}

void RangeAssigner::poll() {
  rd_kafka_message_t* message = rd_kafka_consumer_poll(client_->handle(), kPollMs);
  if (message != nullptr) {
    const rd_kafka_resp_err_t code = message->err;
    const std::string reason = code ? rd_kafka_message_errstr(message) : "";
    rd_kafka_message_destroy(message);
    const bool is_final = code == RD_KAFKA_RESP_ERR__FATAL ||
                          code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
                          code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
                          code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED ||
                          code == RD_KAFKA_RESP_ERR__AUTHENTICATION;
    const std::string what =
        fmt::format("group '{}' at {}", options_.application_id, client_->brokers());
    if (code == RD_KAFKA_RESP_ERR__FATAL &&
        rd_kafka_fatal_error(client_->handle(), nullptr, 0) == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
      return fail(
          Status(ErrorCode::kServiceRefused,
                 fmt::format("{}: another process has come as '{}'", what, options_.instance_id),
                 "Give each instance a library.group-instance-id of its own."));
    if (is_final) return fail(kafka::kafka_status(code, what, reason));
    if (code)
      log_warning("library.membership", {{"group", options_.application_id}, {"error", reason}});
  }
  // Only now: a group that moves on while an assignment is being taken in would not say so.
  if (fresh_) {
    has_assignment_ = true;
    listener_->on_assigned(*std::exchange(fresh_, std::nullopt));
  }
}

void RangeAssigner::rebalanced(rd_kafka_resp_err_t what,
                               rd_kafka_topic_partition_list_t& partitions) {
  if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    assigned(partitions);
    // Nothing is read by this consumer, so it is told that it reads nothing.
    const kafka::PartitionsPtr none(rd_kafka_topic_partition_list_new(1));
    rd_kafka_assign(client_->handle(), none.get());
  } else {
    revoked();
    rd_kafka_assign(client_->handle(), nullptr);
  }
}

void RangeAssigner::assigned(const rd_kafka_topic_partition_list_t& partitions) {
  Result<GroupMember> member = current_member(*client_, options_.instance_id);
  if (!member.is_ok()) return fail(std::move(member).status());
  if (member->generation < 0 || member->member_id.empty()) return;  // lost again already
  Assignment assignment{*std::move(member), {}};
  for (int i = 0; i < partitions.cnt; ++i)
    assignment.partitions.push_back({partitions.elems[i].topic, partitions.elems[i].partition});
  std::ranges::sort(assignment.partitions);
  fresh_ = std::move(assignment);
}

void RangeAssigner::revoked() {
  fresh_.reset();
  if (!std::exchange(has_assignment_, false)) return;
  if (rd_kafka_assignment_lost(client_->handle()) != 0) {
    listener_->on_lost();
  } else {
    listener_->on_revoked();
  }
}

void RangeAssigner::fail(Status status) {
  if (failed_) return;
  failed_ = true;
  if (std::exchange(has_assignment_, false)) listener_->on_lost();
  listener_->on_failed(status);
}

void RangeAssigner::say_goodbye() {
  if (failed_) return;
  if (options_.instance_id.empty()) {
    rd_kafka_unsubscribe(client_->handle());
    const std::int64_t end_ns = system_clock().monotonic_ns() + kGoodbyeMs * 1'000'000;
    // The revocation is served here; then the group is told, and the member id goes.
    constexpr int kLastPolls = 3;  // while the request is on its way
    for (int last = 0; last < kLastPolls && system_clock().monotonic_ns() < end_ns;) {
      rd_kafka_message_t* message = rd_kafka_consumer_poll(client_->handle(), kPollMs);
      if (message != nullptr) rd_kafka_message_destroy(message);
      const Result<GroupMember> member = current_member(*client_, options_.instance_id);
      if (!has_assignment_ && (!member.is_ok() || member->member_id.empty())) ++last;
    }
  }
  // A static member does not tell the group, which keeps its place.
  if (std::exchange(has_assignment_, false)) listener_->on_revoked();
}

}  // namespace

Result<std::unique_ptr<Assigner>> make_range_assigner(const MembershipOptions& options) {
  TG_CHECK(options.executor != nullptr, "an assigner needs an executor");
  if (options.application_id.empty())
    return error(ErrorCode::kInvalidArgument, "a group needs an application id");
  auto assigner = std::make_unique<RangeAssigner>(options);
  TG_RETURN_IF_ERROR(assigner->open());
  return std::unique_ptr<Assigner>(std::move(assigner));
}

}  // namespace tidegate::library
