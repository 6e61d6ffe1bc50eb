// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "kafka/client.h"
#include "kafka/client_properties.h"
#include "kafka/handles.h"
#include "kafka/produce.h"
#include "tidegate/status.h"

namespace tidegate::kafka {

/// Makes one transaction after the other. After any doubt about one, abandon() and connect() make a
/// new producer of the same id, which fences the old one, so that whatever of the old one's
/// requests is still on its way has no effect any more.
///
/// Errors of kind kUnavailable: whether the transaction took effect is unknown; connect() settles
/// it, and then somebody has to look. After other errors it did not. Not thread-safe. Everything
/// blocks.
class TransactionalProducer {
 public:
  struct Options {
    ClientProperties client;               ///< with the transactional id and the time-outs
    std::string id;                        ///< the transactional id
    std::chrono::milliseconds timeout{0};  ///< of each call
    /// So often in a row others may fence this producer (the broker does it as well when a
    /// transaction has taken too long) before it is somebody else.
    int most_fenced = 1;
    std::string fenced;  ///< what it then says: "another run of the job has taken over"
    std::string remedy;
  };
  explicit TransactionalProducer(Options options);

  /// Makes a producer when there is none. No transaction that was begun before is open then, nor
  /// can take effect later.
  Status connect();
  bool is_connected() const { return client_ != nullptr; }

  Status begin();
  /// Takes a copy of the message, and its headers.
  Status send(const std::string& topic, Outgoing& message);
  /// Waits until all messages have arrived.
  Status flush();
  /// Puts positions of a group into the transaction. kServiceRefused when the group does not know
  /// the member (any more).
  Status send_offsets(const rd_kafka_topic_partition_list_t& offsets,
                      const rd_kafka_consumer_group_metadata_t& group);
  /// Ends the transaction. Whoever begins another one asks lost_connection() first.
  Status commit();
  /// Throws the open transaction away, and the producer with it.
  void abandon();
  /// Throws the producer away: there is no open transaction, or others have ended it.
  void drop();

  /// A connection was closed since begin(). A request that went down with it was sent again on
  /// another, but the first one may arrive later still, and would then act on a later transaction
  /// of this producer.
  bool lost_connection() const;
  /// The offset of the first message that the last transaction has in each partition.
  using FirstOffsets = std::map<std::pair<std::string, std::int32_t>, std::int64_t, std::less<>>;
  const FirstOffsets& first_offsets() const { return first_offsets_; }

 private:
  Result<rd_kafka_topic_t*> topic(const std::string& name);
  void delivered(const rd_kafka_message_t& message);
  /// Ours for an error of a transaction call, which is given back.
  Status failure_of(std::string_view what, rd_kafka_error_t* failed);

  const Options options_;
  int fenced_in_a_row_ = 0;
  std::int64_t outstanding_ = 0;
  std::int64_t closed_connections_ = 0;  // when the transaction began
  Status undelivered_;
  std::map<std::string, TopicPtr, std::less<>> topics_;
  FirstOffsets first_offsets_;
  std::unique_ptr<Client> client_;  // null: to be connected
};

}  // namespace tidegate::kafka
