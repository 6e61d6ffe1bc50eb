// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "kafka/client_properties.h"
#include "kafka/handles.h"
#include "tidegate/status.h"

namespace tidegate::kafka {

/// One librdkafka client with its threads, and what it reports about itself. Making one contacts
/// nobody. Thread-safe but for on_ready().
class Client {
 public:
  enum class Role : std::uint8_t { kConsumer, kProducer };

  /// What serve() passes on; all optional.
  struct Events {
    /// A message of a producer has arrived (message.err is 0) or will never arrive.
    std::function<void(const rd_kafka_message_t& message)> delivered;
    std::function<void()> all_brokers_down;
    std::function<void(rd_kafka_resp_err_t error)> offsets_committed;
    /// Of a consumer that subscribes: partitions are assigned or revoked, as the code says. Must
    /// end with rd_kafka_assign().
    std::function<void(rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t& partitions)>
        rebalanced;
  };

  /// kUnknownOption and kInvalidOption name properties that librdkafka does not take.
  static Result<std::unique_ptr<Client>> make(Role role, const ClientProperties& properties,
                                              Events events);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  rd_kafka_t* handle() const { return handle_.get(); }
  const std::string& brokers() const { return brokers_; }

  /// Calls the events that have come in. Never blocks.
  void serve();
  /// Waits up to `wait` for events, and calls them. Blocks.
  void serve_for(std::chrono::milliseconds wait);
  /// `ready` will be called, on a thread of librdkafka's, when there is something for serve(). It
  /// must not call librdkafka. Once, before the client is used.
  void on_ready(std::function<void()> ready);

  /// The topic by name, in librdkafka's table of topics. Cheap after the first time.
  TopicPtr topic(const std::string& name) const;

  /// What the brokers know of `topic`; null: of all topics. Blocks until a broker has answered, and
  /// longer while the topic is being made. kServiceUnreachable, kServiceRefused, kTopicNotFound.
  Result<MetadataPtr> metadata(rd_kafka_topic_t* topic, std::chrono::milliseconds timeout);

  /// Asks until there is an answer or an error that will not pass, or `timeout` is over. `question`
  /// waits up to wait_ms. `what` says what cannot be done: "cannot find offsets". Blocks.
  using Question = std::function<rd_kafka_resp_err_t(int wait_ms)>;
  Status ask(std::string_view what, std::chrono::milliseconds timeout, const Question& question);

  /// The last thing that went wrong with a connection, as " (WHAT)", or "".
  std::string trouble() const;
  /// kServiceUnreachable with the last thing that went wrong with a connection.
  Status unreachable(std::chrono::milliseconds timeout) const;
  /// The error after which a producer can send nothing any more; ok when there is none.
  Status fatal() const;
  /// How many connections of a producer have been closed, from either side. What was sent on them
  /// may still reach a broker.
  std::int64_t closed_connections() const {
    return closed_connections_.load(std::memory_order_acquire);
  }

  /// A consumer stops fetching for a partition while more than this is queued for it.
  struct QueueLimits {
    std::int64_t messages = 0;
    std::int64_t bytes = 0;
  };
  const QueueLimits& queue_limits() const { return queue_limits_; }
  /// librdkafka before 2.2 looks only once a second whether a full queue has room again. This makes
  /// it look now. Cheap, but not for every message.
  void look_for_room() const;

 private:
  Client() = default;
  static void on_error(rd_kafka_t* handle, int error, const char* reason, void* client);
  static void on_delivered(rd_kafka_t* handle, const rd_kafka_message_t* message, void* client);
  static void on_committed(rd_kafka_t* handle, rd_kafka_resp_err_t error,
                           rd_kafka_topic_partition_list_t* offsets, void* client);
  static void on_ready_event(rd_kafka_t* handle, void* client);
  static int on_close(int socket, void* client);
  static void on_rebalanced(rd_kafka_t* handle, rd_kafka_resp_err_t what,
                            rd_kafka_topic_partition_list_t* partitions, void* client);
  Result<ConfPtr> make_conf(Role role, const ClientProperties& properties);
  Result<MetadataPtr> ask_metadata(rd_kafka_topic_t* topic, std::chrono::milliseconds timeout);

  std::string brokers_;
  std::string user_, password_;  // for look_for_room()
  bool looks_by_itself_ = false;
  QueueLimits queue_limits_;
  std::atomic<std::int64_t> closed_connections_{0};
  Events events_;
  std::function<void()> ready_;
  mutable std::mutex mutex_;  // over the two below
  std::string trouble_;
  rd_kafka_resp_err_t trouble_code_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  QueuePtr main_queue_;
  HandlePtr handle_;  // goes first: its threads use the rest
};

}  // namespace tidegate::kafka
