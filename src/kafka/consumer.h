// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/executor.h"
#include "dataflow/operator.h"
#include "kafka/client.h"
#include "kafka/client_properties.h"
#include "tidegate/status.h"

namespace tidegate::kafka {

/// The client of a source, shared by the readers of its partitions. Each partition has a queue of
/// its own, filled by librdkafka's threads. Partitions are started and stopped one by one, without
/// a group: who reads what is the job's decision, and positions live in its epochs. Thread-safe.
class Consumer : public std::enable_shared_from_this<Consumer> {
 public:
  /// It fails when all brokers are gone for `outage_timeout`. `executor` outlives it.
  static Result<std::shared_ptr<Consumer>> make(const ClientProperties& properties,
                                                std::chrono::milliseconds outage_timeout,
                                                Executor& executor);

  Client& client() { return *client_; }

  /// Fills the queue that is returned with the messages of a partition from `offset` on (kEarliest:
  /// from the first). `waker` is called when something comes into the empty queue, and when
  /// failure() is set. A partition has one Fetch at a time.
  class Fetch;
  Result<std::unique_ptr<Fetch>> fetch(const std::string& topic, std::int32_t partition,
                                       std::int64_t offset, Waker waker);

  /// Why nothing will come any more; ok while something may.
  Status failure() const;

  /// Stores `offset` in the group, without waiting.
  void commit(const std::string& topic, std::int32_t partition, std::int64_t offset);
  /// Commits that have failed since the last call. An epoch is safe without them: the group's copy
  /// is for people and their tools.
  std::int64_t take_failed_commits() { return failed_commits_.exchange(0); }

 private:
  Consumer(std::chrono::milliseconds outage_timeout, Executor& executor);
  void watch_outage();
  void wait_for_brokers();
  void fail(Status failure);

  const std::chrono::milliseconds outage_timeout_;
  Executor& executor_;
  std::atomic<std::int64_t> failed_commits_{0};
  std::atomic<bool> watching_{false};
  std::atomic<bool> failed_{false};
  mutable std::mutex mutex_;  // over the rest but the client
  Status failure_;
  std::map<std::pair<std::string, std::int32_t>, Waker> wakers_;  // by partition being fetched
  std::unique_ptr<Client> client_;
};

/// One partition that is being fetched; ends with its destruction.
class Consumer::Fetch {
 public:
  /// Only by Consumer::fetch(), which has entered the waker.
  Fetch(std::shared_ptr<Consumer> consumer, TopicPtr topic, std::int32_t partition, Waker waker);
  ~Fetch();
  Fetch(const Fetch&) = delete;
  Fetch& operator=(const Fetch&) = delete;

  rd_kafka_queue_t* queue() const { return queue_.get(); }

 private:
  friend class Consumer;
  static void on_message(rd_kafka_t* handle, void* fetch);

  std::shared_ptr<Consumer> consumer_;
  TopicPtr topic_;
  std::int32_t partition_;
  Waker waker_;
  QueuePtr queue_;
  bool started_ = false;
};

}  // namespace tidegate::kafka
