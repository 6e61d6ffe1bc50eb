// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connectors/kafka/table_options.h"
#include "dataflow/connector.h"
#include "formats/format.h"
#include "kafka/handles.h"
#include "kafka/produce.h"
#include "tidegate/status.h"
#include "types/batch.h"

namespace tidegate::kafka {

/// Rows to messages: key, value, time and headers. One per writer.
class MessageEncoder {
 public:
  /// kInvalidPlan for metadata that cannot be written.
  static Result<std::unique_ptr<MessageEncoder>> make(const ConnectorRequest& request,
                                                      const MessageFormats& formats);

  /// The batch that encode() takes rows from. kNotSupported when it takes rows back and neither the
  /// format nor the key can say so.
  Status start(Batch batch);
  std::int64_t num_rows() const { return batch_.num_rows(); }

  /// A row as a message; its bytes are valid until the next call.
  Result<Outgoing> encode(std::int64_t row);

 private:
  MessageEncoder() = default;
  std::int64_t timestamp_of(std::int64_t row) const;
  Result<HeadersPtr> headers_of(std::int64_t row) const;
  Result<HeadersPtr> packed_headers_of(std::int64_t row) const;
  std::int32_t partition_of(std::int64_t row) const;

  std::vector<int> value_columns_, key_columns_;
  std::unique_ptr<Encoder> value_, key_;
  std::string value_format_;
  bool changelog_ = false;
  bool upsert_ = false;  // a row that is taken back is a message without a value
  int timestamp_column_ = -1;
  std::int64_t timestamp_units_per_ms_ = 1;
  int headers_column_ = -1;
  bool headers_are_packed_ = false;  // as tidegate/headers.h does
  int partition_column_ = -1;
  bool partition_is_long_ = false;

  Batch batch_, value_batch_, key_batch_;
  std::string value_text_, key_text_;
};

}  // namespace tidegate::kafka
