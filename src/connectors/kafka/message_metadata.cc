// SPDX-License-Identifier: Apache-2.0
#include "connectors/kafka/message_metadata.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/builder_time.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>

#include <array>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/options.h"
#include "tidegate/headers.h"
#include "types/arrow_status.h"

namespace tidegate::kafka {

namespace {

using Messages = std::span<rd_kafka_message_t* const>;
using Rows = std::span<const std::int32_t>;

constexpr std::string_view kWhat = "Kafka metadata";

constexpr std::array<std::string_view, 8> kNames = {"topic",     "partition",      "offset",
                                                    "timestamp", "timestamp-type", "headers",
                                                    "key",       "leader-epoch"};

bool is_headers_type(const LogicalType& type) {
  return type.kind() == TypeKind::kMap && type.children()[0].type.is_character() &&
         type.children()[1].type.is_bytes();
}

Result<ArrayPtr> finish(arrow::ArrayBuilder& builder) {
  TG_ASSIGN_ARROW_OR_RETURN(ArrayPtr array, builder.Finish(), kWhat);
  return array;
}

template <typename Builder, typename ValueOf>
Result<ArrayPtr> fixed_column(Builder& builder, Messages messages, Rows rows, ValueOf value_of) {
  TG_RETURN_IF_ARROW_ERROR(builder.Reserve(static_cast<std::int64_t>(rows.size())), kWhat);
  for (const std::int32_t row : rows)
    builder.UnsafeAppend(value_of(*messages[static_cast<std::size_t>(row)]));
  return finish(builder);
}

template <typename Builder, typename ValueOf>
Result<ArrayPtr> bytes_column(Builder& builder, Messages messages, Rows rows, ValueOf value_of) {
  for (const std::int32_t row : rows)
    TG_RETURN_IF_ARROW_ERROR(builder.Append(value_of(*messages[static_cast<std::size_t>(row)])),
                             kWhat);
  return finish(builder);
}

/// Milliseconds to the unit of a timestamp of this precision.
std::int64_t scale_of(const LogicalType& type) {
  if (!type.is_timestamp() || type.precision() <= 3) return 1;
  return type.precision() <= 6 ? 1'000 : 1'000'000;
}

Result<ArrayPtr> timestamp_column(const LogicalType& type, Messages messages, Rows rows) {
  const std::int64_t scale = scale_of(type);
  const auto value_of = [scale](const rd_kafka_message_t& message) {
    std::int64_t value = 0;
    const std::int64_t ms = rd_kafka_message_timestamp(&message, nullptr);
    if (__builtin_mul_overflow(ms, scale, &value))
      value = ms < 0 ? std::numeric_limits<std::int64_t>::min()
                     : std::numeric_limits<std::int64_t>::max();
    return value;
  };
  if (!type.is_timestamp()) {
    arrow::Int64Builder builder;
    return fixed_column(builder, messages, rows, value_of);
  }
  arrow::TimestampBuilder builder(type.arrow_type(), arrow::default_memory_pool());
  return fixed_column(builder, messages, rows, value_of);
}

std::string_view timestamp_type_of(const rd_kafka_message_t& message) {
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  rd_kafka_message_timestamp(&message, &type);
  switch (type) {
    case RD_KAFKA_TIMESTAMP_CREATE_TIME:
      return "CreateTime";
    case RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME:
      return "LogAppendTime";
    case RD_KAFKA_TIMESTAMP_NOT_AVAILABLE:
      break;
  }
  return "NoTimestampType";
}

/// A map holds each name once; of headers with the same name the last one counts, as in Flink.
Status append_headers(const rd_kafka_message_t& message, arrow::StringBuilder& names,
                      arrow::BinaryBuilder& values) {
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return Status::ok();
  std::vector<std::pair<std::string_view, std::string_view>> entries;
  std::vector<bool> is_null;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    std::size_t at = 0;
    while (at < entries.size() && entries[at].first != name) ++at;
    if (at == entries.size()) {
      entries.emplace_back();
      is_null.push_back(false);
    }
    entries[at] = {name, value == nullptr
                             ? std::string_view()
                             : std::string_view(static_cast<const char*>(value), size)};
    is_null[at] = value == nullptr;
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    TG_RETURN_IF_ARROW_ERROR(names.Append(entries[i].first), kWhat);
    if (is_null[i]) {
      TG_RETURN_IF_ARROW_ERROR(values.AppendNull(), kWhat);
    } else {
      TG_RETURN_IF_ARROW_ERROR(values.Append(entries[i].second), kWhat);
    }
  }
  return Status::ok();
}

/// All of them, in order.
Headers all_headers(const rd_kafka_message_t& message) {
  Headers all;
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return all;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    std::optional<std::string> bytes;
    if (value != nullptr) bytes.emplace(static_cast<const char*>(value), size);
    all.add(name, std::move(bytes));
  }
  return all;
}

Result<ArrayPtr> headers_column(const LogicalType& type, Messages messages, Rows rows) {
  if (type.is_bytes()) {
    arrow::BinaryBuilder builder;
    return bytes_column(builder, messages, rows, [bytes = std::string()](const auto& m) mutable {
      bytes.clear();
      Codec<Headers>::write(bytes, all_headers(m));
      return std::string_view(bytes);
    });
  }
  auto* pool = arrow::default_memory_pool();
  auto names = std::make_shared<arrow::StringBuilder>(pool);
  auto values = std::make_shared<arrow::BinaryBuilder>(pool);
  arrow::MapBuilder builder(pool, names, values, type.arrow_type());
  for (const std::int32_t row : rows) {
    TG_RETURN_IF_ARROW_ERROR(builder.Append(), kWhat);
    TG_RETURN_IF_ERROR(append_headers(*messages[static_cast<std::size_t>(row)], *names, *values));
  }
  return finish(builder);
}

Result<ArrayPtr> leader_epoch_column(Messages messages, Rows rows) {
  arrow::Int32Builder builder;
  for (const std::int32_t row : rows) {
#if RD_KAFKA_VERSION >= 0x020100ff
    const std::int32_t epoch =
        rd_kafka_message_leader_epoch(messages[static_cast<std::size_t>(row)]);
#else
    static_cast<void>(messages), static_cast<void>(row);
    const std::int32_t epoch = -1;
#endif
    TG_RETURN_IF_ARROW_ERROR(epoch < 0 ? builder.AppendNull() : builder.Append(epoch), kWhat);
  }
  return finish(builder);
}

Result<ArrayPtr> key_column(Messages messages, Rows rows) {
  arrow::BinaryBuilder builder;
  for (const std::int32_t row : rows) {
    const rd_kafka_message_t& message = *messages[static_cast<std::size_t>(row)];
    if (message.key == nullptr) {
      TG_RETURN_IF_ARROW_ERROR(builder.AppendNull(), kWhat);
    } else {
      TG_RETURN_IF_ARROW_ERROR(
          builder.Append(static_cast<const char*>(message.key), static_cast<int>(message.key_len)),
          kWhat);
    }
  }
  return finish(builder);
}

}  // namespace

Result<MessageMetadata> MessageMetadata::make(const MetadataColumn& column,
                                              const ConnectorRequest& request) {
  const Field& field = request.schema->field(column.column);
  std::size_t at = 0;
  while (at < kNames.size() && kNames[at] != column.key) ++at;
  if (at == kNames.size()) {
    const std::string nearest =
        nearest_name(column.key, std::vector<std::string>(kNames.begin(), kNames.end()));
    return error(ErrorCode::kInvalidPlan, "column '{}': a Kafka message has no metadata '{}'{}",
                 field.name, column.key,
                 nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest));
  }
  const auto kind = static_cast<Kind>(at);
  const LogicalType& type = field.type;
  const bool is_long = type.kind() == TypeKind::kBigInt;
  bool fits = false;
  switch (kind) {
    case Kind::kTopic:
    case Kind::kTimestampType:
      fits = type.is_character();
      break;
    case Kind::kPartition:
      fits = is_long || type.kind() == TypeKind::kInt;
      break;
    case Kind::kOffset:
      fits = is_long;
      break;
    case Kind::kTimestamp:
      fits = is_long || type.is_timestamp();
      break;
    case Kind::kHeaders:
      fits = is_headers_type(type) || type.kind() == TypeKind::kVarbinary;
      break;
    case Kind::kKey:
      fits = type.is_bytes() && type.nullable();
      break;
    case Kind::kLeaderEpoch:
      fits = type.kind() == TypeKind::kInt && type.nullable();
      break;
  }
  if (!fits)
    return error(ErrorCode::kInvalidPlan, "column '{}': Kafka's metadata '{}' cannot be a {}",
                 field.name, column.key, type.to_string());
  return MessageMetadata(kind, type);
}

Result<ArrayPtr> MessageMetadata::column(Messages messages, Rows rows) const {
  switch (kind_) {
    case Kind::kTopic: {
      arrow::StringBuilder builder;
      return bytes_column(builder, messages, rows, [](const rd_kafka_message_t& m) {
        return std::string_view(rd_kafka_topic_name(m.rkt));
      });
    }
    case Kind::kPartition: {
      const auto value_of = [](const rd_kafka_message_t& m) { return m.partition; };
      if (type_.kind() == TypeKind::kBigInt) {
        arrow::Int64Builder builder;
        return fixed_column(builder, messages, rows, value_of);
      }
      arrow::Int32Builder builder;
      return fixed_column(builder, messages, rows, value_of);
    }
    case Kind::kOffset: {
      arrow::Int64Builder builder;
      return fixed_column(builder, messages, rows,
                          [](const rd_kafka_message_t& m) { return m.offset; });
    }
    case Kind::kTimestamp:
      return timestamp_column(type_, messages, rows);
    case Kind::kTimestampType: {
      arrow::StringBuilder builder;
      return bytes_column(builder, messages, rows, timestamp_type_of);
    }
    case Kind::kHeaders:
      return headers_column(type_, messages, rows);
    case Kind::kKey:
      return key_column(messages, rows);
    case Kind::kLeaderEpoch:
      return leader_epoch_column(messages, rows);
  }
  return error(ErrorCode::kInternal, "unknown Kafka metadata");
}

}  // namespace tidegate::kafka
