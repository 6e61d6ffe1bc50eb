// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "connectors/kafka/table_options.h"
#include "dataflow/connector.h"
#include "dataflow/sink.h"

namespace tidegate::kafka {

/// Writes rows to a topic. At-least-once: an epoch ends when all its messages are acknowledged.
/// Exactly-once will be a writer that wraps each epoch in a transaction; its seams are prepare()
/// and commit().
class KafkaSink final : public Sink {
 public:
  static Result<std::shared_ptr<Sink>> make(const ConnectorRequest& request);

  SinkGuarantee guarantee() const override { return SinkGuarantee::kAtLeastOnce; }
  int parallelism() const override { return settings_.parallelism; }
  Status open() override;
  Result<std::unique_ptr<SinkWriter>> open_writer(OperatorContext& context) override;

 private:
  KafkaSink(const ConnectorRequest& request, SinkSettings settings, MessageFormats formats);

  const ConnectorRequest request_;
  const SinkSettings settings_;
  const MessageFormats formats_;
  std::int32_t partition_count_ = 0;
};

}  // namespace tidegate::kafka
