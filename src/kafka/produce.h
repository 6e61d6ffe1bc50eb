// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "kafka/client.h"
#include "kafka/handles.h"
#include "tidegate/status.h"

namespace tidegate::kafka {

/// A message on its way to a topic. Its bytes belong to somebody else.
struct Outgoing {
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;  ///< none: a tombstone
  std::int64_t timestamp_ms = 0;          ///< 0: the time of sending
  std::int32_t partition = RD_KAFKA_PARTITION_UA;
  HeadersPtr headers;  ///< null: none
};

/// Gives a copy of `message` to the producer, which takes over its headers. False when there is no
/// room for it now. kRecordTooLarge, and what librdkafka refuses at once. Never blocks.
Result<bool> produce(const Client& client, rd_kafka_topic_t* topic, Outgoing& message);

/// The error for a message that no client or broker takes.
Status message_too_large(std::string_view topic, std::size_t bytes);

}  // namespace tidegate::kafka
