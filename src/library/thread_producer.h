// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kafka/client.h"
#include "kafka/produce.h"
#include "library/assigner.h"
#include "tidegate/status.h"

namespace tidegate::library {

/// Makes one transaction after the other. After any doubt about one it goes on with a new producer
/// of the same id, which fences the old one, so that whatever of the old one's requests is still on
/// its way has no effect any more.
///
/// Errors of kind kUnavailable: whether the transaction took effect is unknown; connect() settles
/// it, and then somebody has to look. After other errors it did not. Not thread-safe. Everything
/// blocks.
class ThreadProducer {
 public:
  struct Options {
    kafka::ClientProperties client;
    std::string transactional_id;
    std::chrono::milliseconds transaction_timeout{15'000};
  };
  explicit ThreadProducer(const Options& options);

  /// Makes a producer when there is none. No transaction that was begun before is open then, nor
  /// can take effect later.
  Status connect();
  bool is_connected() const { return client_ != nullptr; }

  Status begin();
  /// Takes a copy of the message, and its headers.
  Status send(const std::string& topic, kafka::Outgoing& message);
  /// Ends the transaction, with these positions of the member's group in it. kServiceRefused when
  /// the member is no longer one, or others use the transactional id as well.
  Status commit(const rd_kafka_topic_partition_list_t& offsets, const GroupMember& member);
  /// Throws the open transaction away, and the producer with it.
  void abandon();

  /// The offset of the first message that the last transaction has in this partition.
  std::optional<std::int64_t> first_offset(const TopicPartition& partition) const;

 private:
  Status send_offsets(const rd_kafka_topic_partition_list_t& offsets, const GroupMember& member);
  Status wait_for_deliveries();
  void delivered(const rd_kafka_message_t& message);
  void drop();
  /// Ours for an error of a transaction call, which is given back.
  Status failure_of(std::string_view what, rd_kafka_error_t* failed);

  const std::string id_;
  const std::chrono::milliseconds timeout_;
  kafka::ClientProperties properties_;
  int fenced_in_a_row_ = 0;

  std::int64_t outstanding_ = 0;
  std::int64_t closed_connections_ = 0;  // when the transaction began
  Status undelivered_;
  std::map<std::string, kafka::TopicPtr, std::less<>> topics_;
  std::map<TopicPartition, std::int64_t> first_offsets_;
  std::unique_ptr<kafka::Client> client_;  // null: to be connected
};

}  // namespace tidegate::library
