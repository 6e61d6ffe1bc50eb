// SPDX-License-Identifier: Apache-2.0
#include "connectors/kafka/source.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "connectors/kafka/message_decoder.h"
#include "connectors/kafka/partition_reader.h"
#include "connectors/kafka/partitions.h"

namespace tidegate::kafka {

namespace {

/// The projected columns, with the row time and the key where these are among them.
SchemaPtr projected(const Schema& table, const std::vector<int>& projection) {
  const auto position = [&](int column) {
    const auto found = std::find(projection.begin(), projection.end(), column);
    return found == projection.end() ? -1 : static_cast<int>(found - projection.begin());
  };
  std::vector<Field> fields;
  for (int column : projection) fields.push_back(table.field(column));
  auto schema = std::make_shared<Schema>(std::move(fields));
  if (table.rowtime && position(*table.rowtime) >= 0) schema->rowtime = position(*table.rowtime);
  for (int column : table.primary_key) schema->primary_key.push_back(position(column));
  if (std::count(schema->primary_key.begin(), schema->primary_key.end(), -1) > 0)
    schema->primary_key.clear();
  return schema;
}

}  // namespace

Result<std::shared_ptr<Source>> KafkaSource::make(const ConnectorRequest& request, TableKind kind) {
  TG_ASSIGN_OR_RETURN(MessageFormats formats, read_formats(request, kind));
  TG_ASSIGN_OR_RETURN(SourceSettings settings, read_source_settings(request, formats));
  // Finds what is wrong with formats and metadata now, not when the first split is opened.
  TG_RETURN_IF_ERROR(MessageDecoder::make(request, formats).status());
  return std::shared_ptr<Source>(new KafkaSource(request, std::move(settings), std::move(formats)));
}

KafkaSource::KafkaSource(const ConnectorRequest& request, SourceSettings settings,
                         MessageFormats formats)
    : request_(request),
      settings_(std::move(settings)),
      formats_(std::move(formats)),
      schema_(projected(*request.schema, request.projection)) {}

Status KafkaSource::open(SourceContext& context) {
  TG_ASSIGN_OR_RETURN(
      consumer_, Consumer::make(settings_.client, settings_.outage_timeout, context.executor()));
  TG_ASSIGN_OR_RETURN(const std::vector<PartitionSplit> partitions,
                      list_partitions(consumer_->client(), settings_));
  if (settings_.key_partitioner == KeyPartitioner::kMurmur2)
    key_partitions_ = static_cast<std::int32_t>(partitions.size());
  if (settings_.error_policy == RecordErrorPolicy::kDeadLetter) {
    if (keeps_letters_) return check_letter_topic(consumer_->client(), settings_);
    TG_ASSIGN_OR_RETURN(letters_, DeadLetters::make(settings_, context));
  }
  return Status::ok();
}

Result<Discovery> KafkaSource::discover(const std::vector<std::string>& known) {
  found_.insert(known.begin(), known.end());
  const bool first = found_.empty() && !looked_;
  SourceSettings settings = settings_;
  if (looked_) settings.connect_timeout = settings.outage_timeout;
  TG_ASSIGN_OR_RETURN(std::vector<PartitionSplit> partitions,
                      list_partitions(consumer_->client(), settings));
  std::erase_if(partitions, [&](const PartitionSplit& partition) {
    return found_.count(partition.to_split().id) > 0;
  });
  // What is new later is read from its beginning: all of it was written while the job was there.
  if (first) TG_RETURN_IF_ERROR(set_starts(consumer_->client(), settings, partitions));
  TG_RETURN_IF_ERROR(set_stops(consumer_->client(), settings, partitions));
  Discovery discovery;
  discovery.complete = settings_.discovery_interval == std::chrono::milliseconds(0);
  for (const PartitionSplit& partition : partitions) {
    discovery.splits.push_back(partition.to_split());
    found_.insert(discovery.splits.back().id);
  }
  looked_ = true;
  return discovery;
}

Result<std::unique_ptr<SplitReader>> KafkaSource::open_split(
    const Split& split, const std::optional<std::string>& position, SourceContext& context) {
  TG_CHECK(consumer_ != nullptr, "source '{}' is not open", context.source_name());
  TG_ASSIGN_OR_RETURN(PartitionSplit partition, PartitionSplit::from_split(split));
  std::int64_t offset = partition.start;
  if (position) {
    TG_ASSIGN_OR_RETURN(offset, offset_of_position(*position));
  }
  TG_ASSIGN_OR_RETURN(auto decoder, MessageDecoder::make(request_, formats_));
  PartitionReader::Shared shared{consumer_,
                                 letters_,
                                 keeps_letters_ ? settings_.dead_letter_topic : "",
                                 settings_.error_policy,
                                 settings_.commits_offsets,
                                 key_partitions_};
  return PartitionReader::open(std::move(shared), std::move(partition), offset, std::move(decoder),
                               context);
}

std::vector<int> KafkaSource::split_key() const {
  std::vector<int> key;
  if (settings_.key_partitioner == KeyPartitioner::kNone) return key;
  for (const int column : formats_.key_columns) {
    const auto found = std::find(request_.projection.begin(), request_.projection.end(), column);
    if (found == request_.projection.end()) return {};
    key.push_back(static_cast<int>(found - request_.projection.begin()));
  }
  return key;
}

std::optional<LogTopics> KafkaSource::log_topics() const {
  return LogTopics{settings_.topics, client_options(request_.options), settings_.client.brokers};
}

// Offsets stand for rows: some of them belong to marks and to records that are gone.
Result<BatchEnd> KafkaSource::plan_end(const Split& split,
                                       const std::optional<std::string>& position,
                                       std::int64_t max_rows) {
  TG_ASSIGN_OR_RETURN(const PartitionSplit partition, PartitionSplit::from_split(split));
  if (partition.stop && max_rows == 0) return BatchEnd{};
  std::int64_t begin = partition.start;
  if (position) {
    TG_ASSIGN_OR_RETURN(begin, offset_of_position(*position));
  }
  TG_ASSIGN_OR_RETURN(const OffsetRange there,
                      offsets_there(consumer_->client(), settings_, partition));
  if (begin < 0) begin = there.first;
  std::int64_t end = std::max(begin, there.end);
  if (max_rows > 0) end = std::min(end, begin + max_rows);
  if (partition.stop && end >= *partition.stop)
    return BatchEnd{std::nullopt, std::max<std::int64_t>(*partition.stop - begin, 1)};
  return BatchEnd{offset_text(end), end - begin};
}

}  // namespace tidegate::kafka
