// SPDX-License-Identifier: Apache-2.0
#include "kafka/produce.h"

#include <cstddef>

#include "base/check.h"

namespace tidegate::kafka {

Status message_too_large(std::string_view topic, std::size_t bytes) {
  return Status(ErrorCode::kRecordTooLarge,
                fmt::format("topic '{}': a message of {} bytes is too large", topic, bytes),
                "Raise properties.max.request.size, and max.message.bytes of the topic.");
}

Result<bool> produce(const Client& client, rd_kafka_topic_t* topic, Outgoing& message) {
  rd_kafka_vu_t arguments[7];
  std::size_t count = 0;
  const auto next = [&](rd_kafka_vtype_t type) -> auto& {
    arguments[count].vtype = type;
    return arguments[count++].u;
  };
  const auto add_bytes = [&](rd_kafka_vtype_t type, const std::optional<std::string_view>& bytes) {
    if (!bytes) return;
    auto& memory = next(type).mem;
    memory.ptr = const_cast<char*>(bytes->data());
    memory.size = bytes->size();
  };
  next(RD_KAFKA_VTYPE_RKT).rkt = topic;
  next(RD_KAFKA_VTYPE_MSGFLAGS).i = RD_KAFKA_MSG_F_COPY;
  next(RD_KAFKA_VTYPE_PARTITION).i32 = message.partition;
  add_bytes(RD_KAFKA_VTYPE_VALUE, message.value);
  add_bytes(RD_KAFKA_VTYPE_KEY, message.key);
  if (message.timestamp_ms > 0) next(RD_KAFKA_VTYPE_TIMESTAMP).i64 = message.timestamp_ms;
  if (message.headers != nullptr) next(RD_KAFKA_VTYPE_HEADERS).headers = message.headers.get();

  const ErrorPtr failed(rd_kafka_produceva(client.handle(), arguments, count));
  if (failed == nullptr) {
    static_cast<void>(message.headers.release());  // taken over
    return true;
  }
  const rd_kafka_resp_err_t code = rd_kafka_error_code(failed.get());
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) return false;
  if (code == RD_KAFKA_RESP_ERR__FATAL) return client.fatal();
  if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
    return message_too_large(rd_kafka_topic_name(topic), message.value ? message.value->size() : 0);
  return kafka_status(code, fmt::format("topic '{}'", rd_kafka_topic_name(topic)),
                      rd_kafka_error_string(failed.get()));
}

}  // namespace tidegate::kafka
