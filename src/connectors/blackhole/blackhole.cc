// SPDX-License-Identifier: Apache-2.0
// The connector 'blackhole': takes every row and forgets it. For measuring.

#include "base/check.h"
#include "dataflow/connector.h"

namespace tidegate {

namespace {

class BlackholeWriter final : public SinkWriter {
 public:
  Result<Progress> write(Batch) override { return Progress::kDone; }
  Result<std::string> prepare(EpochId) override { return std::string(); }
};

class BlackholeSink final : public Sink {
 public:
  // Nothing can appear twice where nothing appears.
  SinkGuarantee guarantee() const override { return SinkGuarantee::kTransactional; }
  Result<std::unique_ptr<SinkWriter>> open_writer(OperatorContext&) override {
    return std::make_unique<BlackholeWriter>();
  }
};

}  // namespace

void register_connector_blackhole(ConnectorRegistry& registry) {
  Connector connector;
  connector.name = "blackhole";
  connector.description = "Takes every row and forgets it.";
  connector.takes_changes = true;
  connector.ignores_update_before = true;
  connector.takes_partitions = true;  // and does not care
  connector.make_sink = [](const ConnectorRequest&) -> Result<std::shared_ptr<Sink>> {
    return std::make_shared<BlackholeSink>();
  };
  registry.add(std::move(connector));
}

}  // namespace tidegate
