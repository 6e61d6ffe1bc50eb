// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "connectors/kafka/message_encoder.h"
#include "connectors/kafka/row_check.h"
#include "connectors/kafka/table_options.h"
#include "connectors/kafka/upsert_buffer.h"
#include "dataflow/sink.h"
#include "kafka/client.h"

namespace tidegate::kafka {

/// The producer of one task. Delivery reports are served on the task's thread; librdkafka's threads
/// only wake the task when it waits for some.
class KafkaWriter final : public SinkWriter {
 public:
  static Result<std::unique_ptr<SinkWriter>> make(const SinkSettings& settings,
                                                  std::int32_t partition_count,
                                                  std::unique_ptr<MessageEncoder> encoder,
                                                  OperatorContext& context);

  /// Without a guarantee nobody has waited for the last messages; they get a few seconds.
  ~KafkaWriter() override;

  Result<Progress> write(Batch batch) override;
  Result<Progress> resume() override;
  Result<Progress> flush() override;
  Result<std::string> prepare(EpochId epoch) override;

 private:
  KafkaWriter(const SinkSettings& settings, std::int32_t partition_count,
              std::unique_ptr<MessageEncoder> encoder, OperatorContext& context);
  /// Sends the batch from row_ on; kBlocked when the producer's queue is full.
  Result<Progress> send_rows();
  Result<bool> send_row();
  Result<bool> try_send_row();
  Result<Progress> send_kept();
  /// The same as `send`, which it calls again once there may be room; false when there is none.
  template <typename Send>
  Result<bool> send_or_wait(const Send& send);
  /// False when the producer has no room.
  Result<bool> send(Outgoing& message);
  std::int32_t choose_partition();
  Result<Progress> wait_for_deliveries();
  void delivered(const rd_kafka_message_t& message);

  const std::string topic_name_;
  const SinkSettings::Partitioner partitioner_;
  const bool waits_for_delivery_;
  const std::int32_t partition_count_;
  const std::unique_ptr<MessageEncoder> encoder_;
  const RowCheck check_;
  const Waker waker_;
  std::optional<UpsertBuffer> kept_;
  std::int32_t next_partition_;
  std::int64_t row_ = 0;
  bool flushing_ = false;
  std::int64_t outstanding_ = 0;
  Status failure_;
  std::atomic<bool> waits_{false};  // the task sleeps until something is delivered
  std::unique_ptr<Client> client_;
  TopicPtr topic_;
};

}  // namespace tidegate::kafka
