// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "connectors/kafka/epoch_transactions.h"
#include "connectors/kafka/table_options.h"
#include "dataflow/connector.h"
#include "dataflow/sink.h"

namespace tidegate::kafka {

/// Writes rows to a topic. At-least-once: an epoch ends when all its messages are acknowledged.
/// Exactly-once: the messages are part of the epoch, and commit_all() writes them in a transaction
/// (docs/adr/0008-kafka-exactly-once.md).
class KafkaSink final : public Sink {
 public:
  static Result<std::shared_ptr<Sink>> make(const ConnectorRequest& request,
                                            TableKind kind = TableKind::kAppend);

  SinkGuarantee guarantee() const override;
  int parallelism() const override { return settings_.parallelism; }
  Status open() override;
  Result<std::unique_ptr<SinkWriter>> open_writer(OperatorContext& context) override;
  std::optional<LogTopics> join_transaction() override;
  Status commit_all(EpochId epoch, std::span<const std::string> committables) override;

 private:
  KafkaSink(const ConnectorRequest& request, SinkSettings settings, MessageFormats formats);
  bool is_transactional() const {
    return settings_.guarantee == SinkSettings::Guarantee::kExactlyOnce;
  }

  const ConnectorRequest request_;
  const SinkSettings settings_;
  const MessageFormats formats_;
  bool joins_ = false;  // the transactions of the mode
  std::int32_t partition_count_ = 0;
  std::unique_ptr<EpochTransactions> transactions_;  // of an exactly-once sink that is open
};

}  // namespace tidegate::kafka
