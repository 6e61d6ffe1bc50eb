// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "kafka/produce.h"
#include "kafka/transactional_producer.h"
#include "library/assigner.h"
#include "tidegate/status.h"

namespace tidegate::library {

/// The producer of a stream thread: its transactions hold positions of the group, as a member of
/// it. Errors as of TransactionalProducer, and kServiceRefused when the process is no member any
/// more, or others use the transactional id as well.
class ThreadProducer {
 public:
  struct Options {
    kafka::ClientProperties client;
    std::string transactional_id;
    std::chrono::milliseconds transaction_timeout{15'000};
  };
  explicit ThreadProducer(const Options& options);

  Status connect() { return producer_.connect(); }
  bool is_connected() const { return producer_.is_connected(); }
  Status begin() { return producer_.begin(); }
  Status send(const std::string& topic, kafka::Outgoing& message) {
    return producer_.send(topic, message);
  }
  /// Ends the transaction, with these positions of the member's group in it.
  Status commit(const rd_kafka_topic_partition_list_t& offsets, const GroupMember& member);
  void abandon() { producer_.abandon(); }

  /// The offset of the first message that the last transaction has in this partition.
  std::optional<std::int64_t> first_offset(const TopicPartition& partition) const;

 private:
  kafka::TransactionalProducer producer_;
};

}  // namespace tidegate::library
