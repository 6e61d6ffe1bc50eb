// SPDX-License-Identifier: Apache-2.0
#include "kafka/transactional_producer.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/clock.h"

namespace tidegate::kafka {

namespace {

using std::chrono::milliseconds;

bool is_fenced(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR__FENCED || error == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
         error == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

bool is_no_member(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
         error == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
         error == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
}

bool is_forbidden(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED ||
         error == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED ||
         error == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
         error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
         error == RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT;
}

}  // namespace

TransactionalProducer::TransactionalProducer(Options options) : options_(std::move(options)) {}

Status TransactionalProducer::connect() {
  if (client_ != nullptr) return Status::ok();
  outstanding_ = 0;
  undelivered_ = Status::ok();
  Client::Events events;
  events.delivered = [this](const rd_kafka_message_t& message) { delivered(message); };
  TG_ASSIGN_OR_RETURN(client_,
                      Client::make(Client::Role::kProducer, options_.client, std::move(events)));
  constexpr milliseconds kPause{100};
  const std::int64_t end_ns =
      system_clock().monotonic_ns() + options_.timeout.count() * std::int64_t{1'000'000};
  ErrorPtr failed;
  while (true) {
    failed.reset(
        rd_kafka_init_transactions(client_->handle(), static_cast<int>(options_.timeout.count())));
    // A coordinator moves, or has just begun, or is still ending what was left open.
    if (failed == nullptr || rd_kafka_error_is_retriable(failed.get()) == 0 ||
        system_clock().monotonic_ns() >= end_ns)
      break;
    client_->serve_for(kPause);
  }
  Status connected = failure_of("cannot begin transactions", failed.release());
  if (!connected.is_ok()) drop();
  return connected;
}

void TransactionalProducer::drop() {
  topics_.clear();
  client_.reset();
}

void TransactionalProducer::abandon() {
  if (client_ == nullptr) return;
  // Readers of committed messages wait for the transaction, so it is not left open where that can
  // be avoided.
  constexpr int kAbortMs = 5'000;
  if (client_->fatal().is_ok()) ErrorPtr(rd_kafka_abort_transaction(client_->handle(), kAbortMs));
  drop();
}

Status TransactionalProducer::begin() {
  first_offsets_.clear();
  closed_connections_ = client_->closed_connections();
  return failure_of("cannot begin a transaction", rd_kafka_begin_transaction(client_->handle()));
}

bool TransactionalProducer::lost_connection() const {
  return client_->closed_connections() != closed_connections_;
}

Result<rd_kafka_topic_t*> TransactionalProducer::topic(const std::string& name) {
  if (const auto known = topics_.find(name); known != topics_.end()) return known->second.get();
  TopicPtr topic = client_->topic(name);
  if (topic == nullptr) return error(ErrorCode::kInvalidOption, "'{}' is not a topic's name", name);
  return topics_.emplace(name, std::move(topic)).first->second.get();
}

Status TransactionalProducer::send(const std::string& name, Outgoing& message) {
  TG_ASSIGN_OR_RETURN(rd_kafka_topic_t* const to, topic(name));
  constexpr milliseconds kWait{100};
  while (true) {
    TG_RETURN_IF_ERROR(undelivered_);
    const Result<bool> sent = produce(*client_, to, message);
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

Status TransactionalProducer::flush() {
  // Without waiting for more to come.
  if (outstanding_ > 0)
    rd_kafka_flush(client_->handle(), static_cast<int>(options_.timeout.count()));
  constexpr milliseconds kWait{100};
  while (outstanding_ > 0 && undelivered_.is_ok()) client_->serve_for(kWait);
  return undelivered_;
}

void TransactionalProducer::delivered(const rd_kafka_message_t& message) {
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
  undelivered_ = kafka_status(message.err, what, rd_kafka_message_errstr(&message));
  const bool is_final = undelivered_.code() == ErrorCode::kRecordTooLarge ||
                        undelivered_.code() == ErrorCode::kTopicNotFound;
  if (!is_final)
    undelivered_ = error(ErrorCode::kDeliveryFailed, "{}: a message was not delivered: {}{}", what,
                         rd_kafka_err2str(message.err), client_->trouble());
}

Status TransactionalProducer::send_offsets(const rd_kafka_topic_partition_list_t& offsets,
                                           const rd_kafka_consumer_group_metadata_t& group) {
  rd_kafka_error_t* failed = rd_kafka_send_offsets_to_transaction(
      client_->handle(), &offsets, &group, static_cast<int>(options_.timeout.count()));
  if (failed != nullptr && is_no_member(rd_kafka_error_code(failed))) {
    const ErrorPtr owner(failed);
    return Status(ErrorCode::kServiceRefused,
                  fmt::format("transactions '{}' at {}: this process is no member of the group any "
                              "more ({})",
                              options_.id, client_->brokers(), rd_kafka_error_string(failed)),
                  "What it owned belongs to others now; it has to join again.");
  }
  return failure_of("cannot write offsets", failed);
}

Status TransactionalProducer::commit() {
  TG_RETURN_IF_ERROR(failure_of(
      "cannot commit the transaction",
      rd_kafka_commit_transaction(client_->handle(), static_cast<int>(options_.timeout.count()))));
  fenced_in_a_row_ = 0;
  return Status::ok();
}

Status TransactionalProducer::failure_of(std::string_view what, rd_kafka_error_t* failed) {
  const ErrorPtr owner(failed);
  char reason[512] = "";
  rd_kafka_resp_err_t code = rd_kafka_fatal_error(client_->handle(), reason, sizeof reason);
  const bool fatal = code != RD_KAFKA_RESP_ERR_NO_ERROR;
  if (!fatal) {
    if (failed == nullptr) return Status::ok();
    code = rd_kafka_error_code(failed);
  }
  const std::string place =
      fmt::format("transactions '{}' at {}: {}", options_.id, client_->brokers(), what);
  if (is_fenced(code)) {
    if (++fenced_in_a_row_ < options_.most_fenced)
      return error(ErrorCode::kServiceUnreachable, "{}: the broker has ended the transaction",
                   place);
    return Status(ErrorCode::kServiceRefused, fmt::format("{}: {}", place, options_.fenced),
                  options_.remedy);
  }
  // What else is fatal is about this producer only: a lost sequence, a transaction the coordinator
  // does not know.
  const char* text = fatal ? reason : rd_kafka_error_string(failed);
  if (!is_forbidden(code) &&
      (fatal || is_passing(code) || rd_kafka_error_is_retriable(failed) != 0 ||
       rd_kafka_error_txn_requires_abort(failed) != 0))
    return error(ErrorCode::kServiceUnreachable, "{}: {}{}", place, text, client_->trouble());
  return kafka_status(code, place, text);
}

}  // namespace tidegate::kafka
