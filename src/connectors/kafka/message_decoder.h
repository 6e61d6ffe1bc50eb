// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "connectors/kafka/message_metadata.h"
#include "connectors/kafka/table_options.h"
#include "dataflow/connector.h"
#include "formats/format.h"
#include "tidegate/status.h"
#include "types/batch.h"

namespace tidegate::kafka {

/// A message that could not be decoded.
struct BadMessage {
  std::size_t message;  ///< index within the call
  Status reason;
};

/// Messages to rows: columns of the value, of the key and of what stands beside them, with the
/// time of the message attached to each row. One per reader.
class MessageDecoder {
 public:
  static Result<std::unique_ptr<MessageDecoder>> make(const ConnectorRequest& request,
                                                      const MessageFormats& formats);

  /// The rows of `messages`, in order. Those without a value (tombstones) are counted; they give a
  /// -D with nothing but the key in an upsert table, whose other rows are +U, and else none. Bad
  /// ones give none and are appended to `bad`, in order.
  Result<Batch> decode(std::span<rd_kafka_message_t* const> messages, std::vector<BadMessage>& bad);
  /// Messages without a value since the decoder was made.
  std::int64_t num_tombstones() const { return num_tombstones_; }

 private:
  enum class Part : std::uint8_t { kValue, kKey, kMetadata };
  /// Where an output column comes from: column `index` of what the part gives.
  struct Origin {
    Part part;
    std::size_t index;
  };
  static constexpr std::int32_t kNoKey = -1;
  static constexpr std::int32_t kBadKey = -2;

  MessageDecoder() = default;
  Status decode_values(std::span<rd_kafka_message_t* const> messages);
  Status decode_values_singly();
  /// Puts the rows of tombstones between those of `values`.
  Status add_deletes(std::span<rd_kafka_message_t* const> messages, Batch& values);
  Status decode_keys(std::span<rd_kafka_message_t* const> messages);
  /// The row of the key for each row of `rows_`, and only rows whose key is good.
  Result<Batch> join_keys(Batch values, std::vector<ArrayPtr>& key_columns);
  Result<ArrayPtr> key_column(const ArrayPtr& keys, std::span<const std::int32_t> rows) const;
  Status attach_times(std::span<rd_kafka_message_t* const> messages, Batch& batch) const;

  std::vector<Origin> origins_;
  std::unique_ptr<Decoder> value_;
  bool value_is_changelog_ = false;
  bool upsert_ = false;
  std::unique_ptr<Decoder> key_;  // null: no column of the key is read
  bool key_may_be_null_ = true;
  std::vector<MessageMetadata> metadata_;
  std::int64_t num_tombstones_ = 0;

  // Of the call under way; kept for their memory.
  std::vector<std::string_view> texts_;
  std::vector<std::int32_t> text_message_;  // the message of each text
  std::vector<std::int32_t> rows_;          // the message of each row
  std::vector<std::int32_t> key_rows_;      // the key's row of each message, kNoKey or kBadKey
  std::vector<BadMessage> bad_values_;
  std::vector<BadMessage> bad_keys_;
};

}  // namespace tidegate::kafka
