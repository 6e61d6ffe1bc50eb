// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "connectors/kafka/message_encoder.h"
#include "connectors/kafka/row_check.h"
#include "connectors/kafka/table_options.h"
#include "connectors/kafka/upsert_buffer.h"
#include "dataflow/sink.h"
#include "kafka/message_journal.h"

namespace tidegate::kafka {

/// What a task of an exactly-once sink prepared for an epoch, as bytes:
///   version | run | prepared at (ms since 1970) | id size | id | topic size | topic | journal
struct PreparedMessages {
  std::int64_t run = 0;
  std::int64_t prepared_ms = 0;
  std::string_view id;  ///< of the transactions
  std::string_view topic;
  std::string_view journal;

  std::string to_string() const;
  /// Points into `committable`. kStateCorrupt for what to_string() did not make.
  static Result<PreparedMessages> parse(std::string_view committable);
};

/// The writer of an exactly-once sink: encodes, and keeps the messages for the epoch. Nothing goes
/// to a broker before the epoch is durable.
class TransactionalWriter final : public SinkWriter {
 public:
  /// Makes a committable of the messages of an epoch.
  using Wrap = std::function<std::string(std::string_view journal)>;
  /// `settings` outlive it.
  TransactionalWriter(const SinkSettings& settings, Wrap wrap, std::int32_t partition_count,
                      std::unique_ptr<MessageEncoder> encoder, OperatorContext& context);

  Result<Progress> write(Batch batch) override;
  Result<std::string> prepare(EpochId epoch) override;

 private:
  Status take(std::int64_t row);
  Status add(Outgoing& message);

  const SinkSettings& settings_;
  const Wrap wrap_;
  const std::int32_t partition_count_;
  const std::unique_ptr<MessageEncoder> encoder_;
  const RowCheck check_;
  std::int32_t next_partition_;
  MessageJournal journal_;
  std::optional<UpsertBuffer> kept_;
};

}  // namespace tidegate::kafka
