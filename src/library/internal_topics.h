// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kafka/client.h"
#include "library/assigner.h"
#include "tidegate/status.h"

namespace tidegate::library {

/// A topic that belongs to the application.
struct InternalTopic {
  std::string name;
  int partitions = 1;
  std::vector<std::pair<std::string, std::string>> configs;
};

/// Of rows between subtopologies: kept until they are consumed and purged.
InternalTopic repartition_topic(std::string name, int partitions);
/// Of the state of a subtopology's tasks: kept until a newer base makes it superfluous.
InternalTopic changelog_topic(std::string name, int partitions);

/// Makes and tends the topics of an application. Everything blocks. Not thread-safe.
class InternalTopics {
 public:
  struct Options {
    kafka::ClientProperties client;
    int replication_factor = -1;  ///< -1: the broker's default
    std::chrono::milliseconds timeout{60'000};
  };
  static Result<std::unique_ptr<InternalTopics>> connect(const Options& options);

  /// Makes those that are not there, and waits until all can be used. kStateMismatch when one is
  /// there with another number of partitions.
  Status create(const std::vector<InternalTopic>& topics);
  /// kTopicNotFound when there is no such topic.
  Result<int> partition_count(const std::string& topic);

  struct Position {
    TopicPartition partition;
    std::int64_t offset = 0;
  };
  /// Deletes the records in front of these offsets.
  Status delete_records(const std::vector<Position>& positions);

 private:
  explicit InternalTopics(const Options& options) : options_(options) {}

  const Options options_;
  std::unique_ptr<kafka::Client> client_;
};

}  // namespace tidegate::library
