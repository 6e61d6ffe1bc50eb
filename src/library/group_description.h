// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "kafka/client.h"
#include "library/assigner.h"
#include "tidegate/status.h"

namespace tidegate::library {

/// Asks brokers about the members of a group. Thread-safe. Blocks.
class GroupDescription {
 public:
  static Result<std::unique_ptr<GroupDescription>> make(const kafka::ClientProperties& client,
                                                        std::string group,
                                                        std::chrono::milliseconds timeout);

  struct Member {
    std::string id;
    std::string client_id;
    std::vector<TopicPartition> partitions;  ///< assigned
  };
  /// kServiceUnreachable also while the group is settling who has what.
  Result<std::vector<Member>> members();

 private:
  GroupDescription(std::string group, std::chrono::milliseconds timeout)
      : group_(std::move(group)), timeout_(timeout) {}

  const std::string group_;
  const std::chrono::milliseconds timeout_;
  std::unique_ptr<kafka::Client> client_;
};

}  // namespace tidegate::library
