// SPDX-License-Identifier: Apache-2.0
#include "connectors/kafka/message_encoder.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_nested.h>
#include <arrow/array/array_primitive.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <utility>

#include "base/check.h"
#include "connectors/kafka/message_metadata.h"
#include "tidegate/headers.h"

namespace tidegate::kafka {

namespace {

Result<std::unique_ptr<Encoder>> make_part(const Format& format, const SchemaPtr& schema,
                                           const Options& options) {
  if (!format.make_encoder)
    return error(ErrorCode::kNotSupported, "format '{}' cannot be written to messages",
                 format.name);
  return format.make_encoder(schema, options);
}

Batch part_of(const Batch& batch, const std::vector<int>& columns) {
  std::vector<std::shared_ptr<arrow::Array>> chosen;
  for (int column : columns) chosen.push_back(batch.column(column));
  return batch.with_columns(std::move(chosen));
}

}  // namespace

Result<std::unique_ptr<MessageEncoder>> MessageEncoder::make(const ConnectorRequest& request,
                                                             const MessageFormats& formats) {
  std::unique_ptr<MessageEncoder> encoder(new MessageEncoder());
  for (const MetadataColumn& metadata : request.metadata) {
    // Checks the type as well.
    TG_RETURN_IF_ERROR(MessageMetadata::make(metadata, request).status());
    const Field& field = request.schema->field(metadata.column);
    if (metadata.key == "timestamp") {
      encoder->timestamp_column_ = metadata.column;
      const bool is_timestamp = field.type.is_timestamp() && field.type.precision() > 3;
      encoder->timestamp_units_per_ms_ = !is_timestamp                 ? 1
                                         : field.type.precision() <= 6 ? 1'000
                                                                       : 1'000'000;
    } else if (metadata.key == "headers") {
      encoder->headers_column_ = metadata.column;
      encoder->headers_are_packed_ = field.type.is_bytes();
    } else if (metadata.key == "partition") {
      encoder->partition_column_ = metadata.column;
      encoder->partition_is_long_ = field.type.kind() == TypeKind::kBigInt;
    } else {
      return Status(ErrorCode::kInvalidPlan,
                    fmt::format("column '{}': Kafka's metadata '{}' cannot be written", field.name,
                                metadata.key),
                    "Declare the column VIRTUAL.");
    }
  }
  encoder->value_columns_ = formats.value_columns;
  TG_ASSIGN_OR_RETURN(encoder->value_,
                      make_part(*formats.value, formats.value_schema, formats.value_options));
  if (formats.key != nullptr) {
    encoder->key_columns_ = formats.key_columns;
    TG_ASSIGN_OR_RETURN(encoder->key_,
                        make_part(*formats.key, formats.key_schema, formats.key_options));
  }
  encoder->value_format_ = formats.value->name;
  encoder->changelog_ = formats.value->changelog;
  encoder->upsert_ = formats.kind == TableKind::kUpsert;
  return encoder;
}

Status MessageEncoder::start(Batch batch) {
  if (!changelog_ && !upsert_) {
    const std::span<const RowKind> kinds = batch.row_kinds();
    const auto takes_back =
        std::find_if(kinds.begin(), kinds.end(), [](RowKind kind) { return !row_kind_adds(kind); });
    if (takes_back != kinds.end())
      return Status(ErrorCode::kNotSupported,
                    fmt::format("a row of kind {} cannot be written in format '{}'",
                                row_kind_symbol(*takes_back), value_format_),
                    "Write such rows in a changelog format, or to a sink that updates by key.");
  }
  value_batch_ = part_of(batch, value_columns_);
  if (key_ != nullptr) key_batch_ = part_of(batch, key_columns_);
  batch_ = std::move(batch);
  return Status::ok();
}

Result<Outgoing> MessageEncoder::encode(std::int64_t row) {
  Outgoing message;
  if (!upsert_ || row_kind_adds(batch_.row_kind(row))) {
    value_text_.clear();
    TG_RETURN_IF_ERROR(value_->encode_message(value_batch_, row, value_text_));
    message.value = value_text_;
  }
  if (key_ != nullptr) {
    key_text_.clear();
    TG_RETURN_IF_ERROR(key_->encode_message(key_batch_, row, key_text_));
    message.key = key_text_;
  }
  message.timestamp_ms = timestamp_of(row);
  if (headers_column_ >= 0) {
    TG_ASSIGN_OR_RETURN(message.headers,
                        headers_are_packed_ ? packed_headers_of(row) : headers_of(row));
  }
  if (partition_column_ >= 0) message.partition = partition_of(row);
  return message;
}

std::int64_t MessageEncoder::timestamp_of(std::int64_t row) const {
  std::int64_t time = 0;
  if (timestamp_column_ >= 0) {
    // BIGINT and timestamps have the same layout.
    const arrow::Array& column = *batch_.column(timestamp_column_);
    if (column.IsValid(row))
      time = column.data()->GetValues<std::int64_t>(1)[row] / timestamp_units_per_ms_;
  } else if (const auto times = batch_.event_times(); !times.empty()) {
    time = times[static_cast<std::size_t>(row)];
  }
  return std::max<std::int64_t>(time, 0);  // Kafka has no times before 1970
}

/// RD_KAFKA_PARTITION_UA: the row does not say.
std::int32_t MessageEncoder::partition_of(std::int64_t row) const {
  const arrow::Array& column = *batch_.column(partition_column_);
  if (column.IsNull(row)) return RD_KAFKA_PARTITION_UA;
  const std::int64_t partition = partition_is_long_
                                     ? column.data()->GetValues<std::int64_t>(1)[row]
                                     : std::int64_t{column.data()->GetValues<std::int32_t>(1)[row]};
  if (partition < 0) return RD_KAFKA_PARTITION_UA;
  return static_cast<std::int32_t>(
      std::min<std::int64_t>(partition, std::numeric_limits<std::int32_t>::max()));
}

namespace {

Status add_header(rd_kafka_headers_t* headers, std::string_view name,
                  const std::optional<std::string_view>& value) {
  const rd_kafka_resp_err_t failed = rd_kafka_header_add(
      headers, name.data(), static_cast<ssize_t>(name.size()), value ? value->data() : nullptr,
      value ? static_cast<ssize_t>(value->size()) : 0);
  return failed == RD_KAFKA_RESP_ERR_NO_ERROR
             ? Status::ok()
             : kafka_status(failed, fmt::format("header '{}'", name));
}

}  // namespace

Result<HeadersPtr> MessageEncoder::packed_headers_of(std::int64_t row) const {
  const auto& column = static_cast<const arrow::BinaryArray&>(*batch_.column(headers_column_));
  if (column.IsNull(row)) return HeadersPtr();
  std::string_view bytes = column.GetView(row);
  Headers all;
  if (!bytes.empty() && (!Codec<Headers>::read(bytes, all) || !bytes.empty()))
    return error(ErrorCode::kMalformedRecord,
                 "headers as BYTES that tidegate/headers.h has not written");
  if (all.entries.empty()) return HeadersPtr();
  HeadersPtr headers(rd_kafka_headers_new(all.entries.size()));
  for (const auto& [name, value] : all.entries)
    TG_RETURN_IF_ERROR(add_header(headers.get(), name, value));
  return headers;
}

Result<HeadersPtr> MessageEncoder::headers_of(std::int64_t row) const {
  const auto& maps = static_cast<const arrow::MapArray&>(*batch_.column(headers_column_));
  if (maps.IsNull(row)) return HeadersPtr();
  const auto& names = static_cast<const arrow::StringArray&>(*maps.keys());
  const auto& values = static_cast<const arrow::BinaryArray&>(*maps.items());
  HeadersPtr headers(rd_kafka_headers_new(static_cast<std::size_t>(maps.value_length(row))));
  for (std::int64_t i = maps.value_offset(row); i < maps.value_offset(row + 1); ++i) {
    const std::string_view name = names.GetView(i);
    std::optional<std::string_view> value;
    if (values.IsValid(i)) value = values.GetView(i);
    TG_RETURN_IF_ERROR(add_header(headers.get(), name, value));
  }
  return headers;
}

}  // namespace tidegate::kafka
