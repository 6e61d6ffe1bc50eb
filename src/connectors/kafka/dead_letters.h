// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "base/executor.h"
#include "connectors/kafka/table_options.h"
#include "dataflow/source.h"
#include "kafka/client.h"
#include "kafka/produce.h"
#include "tidegate/status.h"

namespace tidegate::kafka {

/// A message that could not be decoded, as it goes to a topic: key, value and time as they were,
/// and besides its headers tidegate.topic, tidegate.partition, tidegate.offset and tidegate.reason.
/// Its bytes are the message's.
Outgoing dead_letter(const rd_kafka_message_t& message, const Status& reason);

/// Checks that the topic of dead letters is there. Blocks.
Status check_letter_topic(Client& client, const SourceSettings& settings);

/// Sends messages that could not be decoded to a topic, at once. Shared by the readers of a source;
/// thread-safe.
class DeadLetters : public std::enable_shared_from_this<DeadLetters> {
 public:
  /// The letters of one reader.
  struct Tally {
    std::atomic<std::int64_t> outstanding{0};
    Waker waker;  ///< called when outstanding has become 0
  };

  /// Checks that the topic is there. Blocks. `context` outlives it.
  static Result<std::shared_ptr<DeadLetters>> make(const SourceSettings& settings,
                                                   SourceContext& context);

  /// Takes a copy of `message`. Never blocks: what the producer has no room for waits here.
  void send(const rd_kafka_message_t& message, const Status& reason,
            const std::shared_ptr<Tally>& tally);
  /// The first failure of a delivery; then what is outstanding may stay so.
  Status failure() const;

 private:
  struct Letter;

  DeadLetters(std::string topic, Executor& executor);
  void serve();
  bool produce(Letter& letter);
  void delivered(const rd_kafka_message_t& message);

  const std::string topic_name_;
  Executor& executor_;
  mutable std::mutex mutex_;  // over the rest but the client
  Status failure_;
  std::deque<std::unique_ptr<Letter>> waiting_;
  std::unique_ptr<Client> client_;
};

}  // namespace tidegate::kafka
