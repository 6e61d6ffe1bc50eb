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
  connector.options = kafka::option_specs();
  connector.takes_format = true;
  connector.make_source = &kafka::KafkaSource::make;
  connector.make_sink = &kafka::KafkaSink::make;
  registry.add(std::move(connector));
}

}  // namespace tidegate
