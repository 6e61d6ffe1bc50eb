// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <span>
#include <string>

#include "dataflow/connector.h"
#include "tidegate/status.h"
#include "types/column.h"
#include "types/logical_type.h"

namespace tidegate::kafka {

/// What a message carries beside its key and value, as a column:
///   topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP_LTZ(3), timestamp-type STRING,
///   headers MAP<STRING, BYTES> or BYTES (tidegate/headers.h), key BYTES (NULL when there is none),
///   leader-epoch INT (NULL where librdkafka, before 2.1, or the broker does not say).
/// A partition may also be a BIGINT, a timestamp a TIMESTAMP or a BIGINT of milliseconds.
class MessageMetadata {
 public:
  /// kInvalidPlan when there is no such metadata or it cannot be of the column's type.
  static Result<MessageMetadata> make(const MetadataColumn& column,
                                      const ConnectorRequest& request);

  /// One value per row; row r is of messages[rows[r]].
  Result<ArrayPtr> column(std::span<rd_kafka_message_t* const> messages,
                          std::span<const std::int32_t> rows) const;

 private:
  enum class Kind : std::uint8_t {
    kTopic,
    kPartition,
    kOffset,
    kTimestamp,
    kTimestampType,
    kHeaders,
    kKey,
    kLeaderEpoch,
  };
  MessageMetadata(Kind kind, LogicalType type) : kind_(kind), type_(std::move(type)) {}

  Kind kind_;
  LogicalType type_;
};

}  // namespace tidegate::kafka
