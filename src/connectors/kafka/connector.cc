// SPDX-License-Identifier: Apache-2.0

#include "dataflow/connector.h"

#include "connectors/kafka/sink.h"
#include "connectors/kafka/source.h"
#include "connectors/kafka/table_options.h"

namespace tidegate {

void register_connector_kafka(ConnectorRegistry& registry);
void register_connector_kafka(ConnectorRegistry& registry) {
  Connector connector;
  connector.name = "kafka";
  connector.description =
      "Topics of Apache Kafka: read by partition, written at least or exactly once.";
  connector.options = kafka::option_specs(kafka::TableKind::kAppend);
  connector.takes_format = true;
  connector.make_source = [](const ConnectorRequest& request) {
    return kafka::KafkaSource::make(request, kafka::TableKind::kAppend);
  };
  connector.make_sink = [](const ConnectorRequest& request) {
    return kafka::KafkaSink::make(request, kafka::TableKind::kAppend);
  };
  registry.add(std::move(connector));

  Connector upsert;
  upsert.name = "upsert-kafka";
  upsert.description =
      "Topics of Apache Kafka as tables: the last message of a key is its row, and one without a "
      "value deletes it. Needs a PRIMARY KEY.";
  upsert.options = kafka::option_specs(kafka::TableKind::kUpsert);
  upsert.takes_format = true;
  upsert.takes_changes = true;
  upsert.gives_upserts = true;
  upsert.make_source = [](const ConnectorRequest& request) {
    return kafka::KafkaSource::make(request, kafka::TableKind::kUpsert);
  };
  upsert.make_sink = [](const ConnectorRequest& request) {
    return kafka::KafkaSink::make(request, kafka::TableKind::kUpsert);
  };
  registry.add(std::move(upsert));
}

}  // namespace tidegate
