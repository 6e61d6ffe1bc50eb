// SPDX-License-Identifier: Apache-2.0
#include "library/thread_producer.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/failpoints.h"
#include "base/log.h"
#include "kafka/handles.h"

namespace tidegate::library {

namespace {

using std::chrono::milliseconds;

/// So often in a row others may have fenced us (the broker does it as well when a transaction has
/// taken too long) before it counts as a second process with the same id.
constexpr int kMostFenced = 3;

kafka::ClientProperties producer_properties(const ThreadProducer::Options& options) {
  kafka::ClientProperties properties = options.client;
  const std::string timeout = std::to_string(options.transaction_timeout.count());
  std::erase_if(properties.settings, [](const auto& setting) {
    return setting.first.starts_with("group.") || setting.first.starts_with("transaction") ||
           setting.first == "delivery.timeout.ms" || setting.first == "enable.idempotence";
  });
  properties.settings.emplace_back("transactional.id", options.transactional_id);
  properties.settings.emplace_back("transaction.timeout.ms", timeout);
  properties.settings.emplace_back("delivery.timeout.ms", timeout);
  return properties;
}

bool is_fenced(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR__FENCED || error == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
         error == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

bool is_no_member(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
         error == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
         error == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
}

}  // namespace

ThreadProducer::ThreadProducer(const Options& options)
    : id_(options.transactional_id),
      timeout_(options.transaction_timeout),
      properties_(producer_properties(options)) {}

Status ThreadProducer::connect() {
  if (client_ != nullptr) return Status::ok();
  outstanding_ = 0;
  undelivered_ = Status::ok();
  kafka::Client::Events events;
  events.delivered = [this](const rd_kafka_message_t& message) { delivered(message); };
  TG_ASSIGN_OR_RETURN(
      client_, kafka::Client::make(kafka::Client::Role::kProducer, properties_, std::move(events)));
  Status connected =
      failure_of("cannot begin transactions",
                 rd_kafka_init_transactions(client_->handle(), static_cast<int>(timeout_.count())));
  if (!connected.is_ok()) drop();
  return connected;
}

void ThreadProducer::drop() {
  topics_.clear();
  client_.reset();
}

void ThreadProducer::abandon() {
  if (client_ == nullptr) return;
  // Readers of committed messages wait for the transaction, so it is not left open where that can
  // be avoided.
  constexpr int kAbortMs = 5'000;
  if (client_->fatal().is_ok())
    kafka::ErrorPtr(rd_kafka_abort_transaction(client_->handle(), kAbortMs));
  drop();
}

Status ThreadProducer::begin() {
  first_offsets_.clear();
  closed_connections_ = client_->closed_connections();
  return failure_of("cannot begin a transaction", rd_kafka_begin_transaction(client_->handle()));
}

Status ThreadProducer::send(const std::string& name, kafka::Outgoing& message) {
  auto topic = topics_.find(name);
  if (topic == topics_.end()) {
    topic = topics_.emplace(name, client_->topic(name)).first;
    if (topic->second == nullptr) {
      topics_.erase(topic);
      return error(ErrorCode::kInvalidOption, "'{}' is not a topic's name", name);
    }
  }
  constexpr milliseconds kWait{100};
  while (true) {
    TG_RETURN_IF_ERROR(undelivered_);
    const Result<bool> sent = kafka::produce(*client_, topic->second.get(), message);
    if (!sent.is_ok()) {
      TG_RETURN_IF_ERROR(failure_of("cannot write", nullptr));  // what made the producer fail
      return sent.status();
    }
    if (*sent) break;
    client_->serve_for(kWait);
  }
  ++outstanding_;
  constexpr std::int64_t kServeEvery = 256;
  if (outstanding_ % kServeEvery == 0) client_->serve();
  return Status::ok();
}

Status ThreadProducer::wait_for_deliveries() {
  // Without waiting for more to come.
  if (outstanding_ > 0) rd_kafka_flush(client_->handle(), static_cast<int>(timeout_.count()));
  constexpr milliseconds kWait{100};
  while (outstanding_ > 0 && undelivered_.is_ok()) client_->serve_for(kWait);
  return undelivered_;
}

void ThreadProducer::delivered(const rd_kafka_message_t& message) {
  --outstanding_;
  const char* topic = rd_kafka_topic_name(message.rkt);
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const auto [first, is_new] =
        first_offsets_.try_emplace({topic, message.partition}, message.offset);
    if (!is_new) first->second = std::min(first->second, message.offset);
    return;
  }
  if (!undelivered_.is_ok()) return;
  undelivered_ = failure_of("cannot write", nullptr);
  if (!undelivered_.is_ok()) return;
  const std::string what = fmt::format("topic '{}' partition {}", topic, message.partition);
  undelivered_ = kafka::kafka_status(message.err, what, rd_kafka_message_errstr(&message));
  const bool is_final = undelivered_.code() == ErrorCode::kRecordTooLarge ||
                        undelivered_.code() == ErrorCode::kTopicNotFound;
  if (!is_final)
    undelivered_ = error(ErrorCode::kDeliveryFailed, "{}: a message was not delivered: {}{}", what,
                         rd_kafka_err2str(message.err), client_->trouble());
}

Status ThreadProducer::commit(const rd_kafka_topic_partition_list_t& offsets,
                              const GroupMember& member) {
  TG_RETURN_IF_ERROR(wait_for_deliveries());
  TG_FAILPOINT("library.before-offsets");
  TG_RETURN_IF_ERROR(send_offsets(offsets, member));
  TG_FAILPOINT("library.before-commit");
  TG_RETURN_IF_ERROR(failure_of(
      "cannot commit the transaction",
      rd_kafka_commit_transaction(client_->handle(), static_cast<int>(timeout_.count()))));
  TG_FAILPOINT("library.after-commit");
  fenced_in_a_row_ = 0;
  // A request that went down with its connection was sent again on another, but the first one may
  // arrive later still, and would then act on a later transaction of this producer.
  if (client_->closed_connections() != closed_connections_ && TG_PROTECTED("late-requests")) drop();
  return Status::ok();
}

Status ThreadProducer::send_offsets(const rd_kafka_topic_partition_list_t& offsets,
                                    const GroupMember& member) {
  // Without these the broker would not check who we are.
  TG_CHECK(offsets.cnt > 0 && member.generation >= 0 && !member.member_id.empty(),
           "offsets={} generation={}", offsets.cnt, member.generation);
  rd_kafka_consumer_group_metadata_t* group = rd_kafka_consumer_group_metadata_new_with_genid(
      member.group.c_str(), member.generation, member.member_id.c_str(),
      member.instance_id.empty() ? nullptr : member.instance_id.c_str());
  rd_kafka_error_t* failed = rd_kafka_send_offsets_to_transaction(
      client_->handle(), &offsets, group, static_cast<int>(timeout_.count()));
  rd_kafka_consumer_group_metadata_destroy(group);
  if (failed != nullptr && is_no_member(rd_kafka_error_code(failed))) {
    const kafka::ErrorPtr owner(failed);
    return Status(ErrorCode::kServiceRefused,
                  fmt::format("group '{}' at {}: this process is no member any more as of "
                              "generation {} ({})",
                              member.group, client_->brokers(), member.generation,
                              rd_kafka_error_string(failed)),
                  "Its tasks belong to others now; it has to join again.");
  }
  return failure_of("cannot write offsets", failed);
}

std::optional<std::int64_t> ThreadProducer::first_offset(const TopicPartition& partition) const {
  const auto found = first_offsets_.find(partition);
  if (found == first_offsets_.end()) return std::nullopt;
  return found->second;
}

Status ThreadProducer::failure_of(std::string_view what, rd_kafka_error_t* failed) {
  const kafka::ErrorPtr owner(failed);
  char reason[512] = "";
  rd_kafka_resp_err_t code = rd_kafka_fatal_error(client_->handle(), reason, sizeof reason);
  const bool fatal = code != RD_KAFKA_RESP_ERR_NO_ERROR;
  if (!fatal) {
    if (failed == nullptr) return Status::ok();
    code = rd_kafka_error_code(failed);
  }
  const std::string place =
      fmt::format("transactions '{}' at {}: {}", id_, client_->brokers(), what);
  if (is_fenced(code)) {
    if (++fenced_in_a_row_ < kMostFenced)
      return error(ErrorCode::kServiceUnreachable, "{}: the broker has ended the transaction",
                   place);
    return Status(ErrorCode::kServiceRefused,
                  fmt::format("{}: another process uses the same transactional id", place),
                  "Give each instance a --state-dir of its own, and do not copy it.");
  }
  // What else is fatal is about this producer only: a lost sequence, a transaction the coordinator
  // does not know.
  const char* text = fatal ? reason : rd_kafka_error_string(failed);
  const bool is_forbidden = code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED ||
                            code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED ||
                            code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
                            code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
                            code == RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT;
  if (!is_forbidden &&
      (fatal || kafka::is_passing(code) || rd_kafka_error_is_retriable(failed) != 0 ||
       rd_kafka_error_txn_requires_abort(failed) != 0))
    return error(ErrorCode::kServiceUnreachable, "{}: {}{}", place, text, client_->trouble());
  return kafka::kafka_status(code, place, text);
}

}  // namespace tidegate::library
