// SPDX-License-Identifier: Apache-2.0
#include "connectors/kafka/sink.h"

#include <utility>

#include "base/check.h"
#include "connectors/kafka/client.h"
#include "connectors/kafka/message_encoder.h"
#include "connectors/kafka/writer.h"

namespace tidegate::kafka {

Result<std::shared_ptr<Sink>> KafkaSink::make(const ConnectorRequest& request) {
  TG_ASSIGN_OR_RETURN(MessageFormats formats, read_formats(request));
  TG_ASSIGN_OR_RETURN(SinkSettings settings, read_sink_settings(request));
  TG_RETURN_IF_ERROR(MessageEncoder::make(request, formats).status());
  // As Java's default; a property of the user's comes later and wins.
  settings.client.settings.emplace(settings.client.settings.begin(), "partitioner",
                                   "murmur2_random");
  return std::shared_ptr<Sink>(new KafkaSink(request, std::move(settings), std::move(formats)));
}

KafkaSink::KafkaSink(const ConnectorRequest& request, SinkSettings settings, MessageFormats formats)
    : request_(request), settings_(std::move(settings)), formats_(std::move(formats)) {}

Status KafkaSink::open() {
  TG_ASSIGN_OR_RETURN(const auto client,
                      Client::make(Client::Role::kProducer, settings_.client, {}));
  const TopicPtr topic = client->topic(settings_.topic);
  if (topic == nullptr)
    return error(ErrorCode::kInvalidOption, "option 'topic': '{}' is not a topic's name",
                 settings_.topic);
  TG_ASSIGN_OR_RETURN(const MetadataPtr metadata,
                      client->metadata(topic.get(), settings_.connect_timeout));
  partition_count_ = metadata->topics[0].partition_cnt;
  return Status::ok();
}

Result<std::unique_ptr<SinkWriter>> KafkaSink::open_writer(OperatorContext& context) {
  TG_CHECK(partition_count_ > 0, "sink '{}' is not open", context.operator_name());
  TG_ASSIGN_OR_RETURN(auto encoder, MessageEncoder::make(request_, formats_));
  return KafkaWriter::make(settings_, partition_count_, std::move(encoder), context);
}

}  // namespace tidegate::kafka
