// SPDX-License-Identifier: Apache-2.0
#include "connectors/kafka/dead_letters.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace tidegate::kafka {

struct DeadLetters::Letter {
  std::string key, value;
  bool has_key = false;
  bool has_value = false;
  std::int64_t timestamp_ms = 0;
  HeadersPtr headers;
  std::shared_ptr<Tally> tally;
};

namespace {

void add_header(rd_kafka_headers_t* headers, const char* name, std::string_view value) {
  rd_kafka_header_add(headers, name, -1, value.data(), static_cast<ssize_t>(value.size()));
}

}  // namespace

Outgoing dead_letter(const rd_kafka_message_t& message, const Status& reason) {
  Outgoing letter;
  if (message.key != nullptr)
    letter.key.emplace(static_cast<const char*>(message.key), message.key_len);
  if (message.payload != nullptr)
    letter.value.emplace(static_cast<const char*>(message.payload), message.len);
  letter.timestamp_ms = std::max<std::int64_t>(rd_kafka_message_timestamp(&message, nullptr), 0);
  rd_kafka_headers_t* headers = nullptr;
  letter.headers.reset(rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR
                           ? rd_kafka_headers_copy(headers)
                           : rd_kafka_headers_new(4));
  add_header(letter.headers.get(), "tidegate.topic", rd_kafka_topic_name(message.rkt));
  add_header(letter.headers.get(), "tidegate.partition", std::to_string(message.partition));
  add_header(letter.headers.get(), "tidegate.offset", std::to_string(message.offset));
  add_header(letter.headers.get(), "tidegate.reason", reason.message());
  return letter;
}

Status check_letter_topic(Client& client, const SourceSettings& settings) {
  const TopicPtr topic = client.topic(settings.dead_letter_topic);
  if (topic == nullptr)
    return error(ErrorCode::kInvalidOption,
                 "option 'dead-letter.topic': '{}' is not a topic's name",
                 settings.dead_letter_topic);
  return client.metadata(topic.get(), settings.connect_timeout).status();
}

DeadLetters::DeadLetters(std::string topic, Executor& executor)
    : topic_name_(std::move(topic)), executor_(executor) {}

Result<std::shared_ptr<DeadLetters>> DeadLetters::make(const SourceSettings& settings,
                                                       SourceContext& context) {
  std::shared_ptr<DeadLetters> letters(
      new DeadLetters(settings.dead_letter_topic, context.executor()));
  Client::Events events;
  events.delivered = [raw = letters.get()](const rd_kafka_message_t& message) {
    raw->delivered(message);
  };
  TG_ASSIGN_OR_RETURN(letters->client_,
                      Client::make(Client::Role::kProducer, settings.client, std::move(events)));
  const std::weak_ptr<DeadLetters> weak = letters;
  const auto serve = [weak, &executor = letters->executor_] {
    executor.submit([weak] {
      if (const auto letters = weak.lock()) letters->serve();
    });
  };
  letters->client_->on_ready(serve);
  serve();  // there is no call for what came before
  TG_RETURN_IF_ERROR(check_letter_topic(*letters->client_, settings));
  return letters;
}

void DeadLetters::send(const rd_kafka_message_t& message, const Status& reason,
                       const std::shared_ptr<Tally>& tally) {
  Outgoing made = dead_letter(message, reason);
  auto letter = std::make_unique<Letter>();
  letter->has_key = made.key.has_value();
  letter->key = made.key.value_or("");
  letter->has_value = made.value.has_value();
  letter->value = made.value.value_or("");
  letter->timestamp_ms = made.timestamp_ms;
  letter->headers = std::move(made.headers);
  letter->tally = tally;
  ++tally->outstanding;
  const std::lock_guard lock(mutex_);
  if (!waiting_.empty() || !produce(*letter)) waiting_.push_back(std::move(letter));
}

/// False when the producer has no room.
bool DeadLetters::produce(Letter& letter) {
  // Comes back with the delivery report.
  auto* tally = new std::shared_ptr<Tally>(letter.tally);
  rd_kafka_vu_t arguments[8];
  std::size_t count = 0;
  const auto next = [&](rd_kafka_vtype_t type) -> auto& {
    arguments[count].vtype = type;
    return arguments[count++].u;
  };
  next(RD_KAFKA_VTYPE_TOPIC).cstr = topic_name_.c_str();
  next(RD_KAFKA_VTYPE_MSGFLAGS).i = RD_KAFKA_MSG_F_COPY;
  next(RD_KAFKA_VTYPE_OPAQUE).ptr = tally;
  auto& value = next(RD_KAFKA_VTYPE_VALUE).mem;
  value.ptr = letter.has_value ? letter.value.data() : nullptr;
  value.size = letter.value.size();
  if (letter.has_key) {
    auto& key = next(RD_KAFKA_VTYPE_KEY).mem;
    key.ptr = letter.key.data();
    key.size = letter.key.size();
  }
  if (letter.timestamp_ms > 0) next(RD_KAFKA_VTYPE_TIMESTAMP).i64 = letter.timestamp_ms;
  next(RD_KAFKA_VTYPE_HEADERS).headers = letter.headers.get();
  const ErrorPtr failed(rd_kafka_produceva(client_->handle(), arguments, count));
  if (failed == nullptr) {
    static_cast<void>(letter.headers.release());  // taken over
    return true;
  }
  delete tally;
  const rd_kafka_resp_err_t code = rd_kafka_error_code(failed.get());
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) return false;
  if (failure_.is_ok())
    failure_ = kafka_status(code, fmt::format("dead letter for topic '{}'", topic_name_),
                            rd_kafka_error_string(failed.get()));
  letter.tally->waker.wake();
  return true;
}

void DeadLetters::serve() {
  client_->serve();
  const std::lock_guard lock(mutex_);
  while (!waiting_.empty() && produce(*waiting_.front())) waiting_.pop_front();
}

void DeadLetters::delivered(const rd_kafka_message_t& message) {
  const std::unique_ptr<std::shared_ptr<Tally>> tally(
      static_cast<std::shared_ptr<Tally>*>(message._private));
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const std::lock_guard lock(mutex_);
    if (failure_.is_ok())
      failure_ = error(ErrorCode::kDeliveryFailed, "dead letter for topic '{}': {}", topic_name_,
                       rd_kafka_err2str(message.err));
  } else if ((*tally)->outstanding.fetch_sub(1) > 1) {
    return;
  }
  (*tally)->waker.wake();
}

Status DeadLetters::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace tidegate::kafka
