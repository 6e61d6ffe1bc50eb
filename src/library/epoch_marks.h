// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kafka/client.h"
#include "kafka/handles.h"
#include "library/assigner.h"
#include "tidegate/status.h"
#include "tidegate/time.h"

namespace tidegate::library {

/// The last epoch of a task that was committed, as the group of the application knows it: the
/// offset that the group has in the task's partition of the changelog is the epoch, and its
/// metadata the run. Written in the epoch's transaction, it is what the broker checks a former
/// owner by, and what says afterwards whether a transaction took effect.
struct EpochMark {
  std::uint64_t run = 0;
  EpochId epoch = 0;

  friend bool operator==(const EpochMark&, const EpochMark&) = default;
};

void add_mark(rd_kafka_topic_partition_list_t& offsets, const TopicPartition& changelog,
              const EpochMark& mark);

/// Asks about marks. Thread-safe. Everything blocks.
class EpochMarks {
 public:
  static Result<std::unique_ptr<EpochMarks>> make(const kafka::ClientProperties& client,
                                                  const std::string& group,
                                                  std::chrono::milliseconds timeout);

  /// The marks of these partitions, in order; none where no epoch has one (yet, or any more:
  /// brokers forget them after a week without epochs). Waits for transactions that may change them.
  /// kStateMismatch when the group is not ours.
  Result<std::vector<std::optional<EpochMark>>> read(const std::vector<TopicPartition>& changelogs);
  /// Where the partition ends, open transactions included.
  Result<std::int64_t> end_of(const TopicPartition& partition);

 private:
  EpochMarks(std::string group, std::chrono::milliseconds timeout)
      : group_(std::move(group)), timeout_(timeout) {}

  const std::string group_;
  const std::chrono::milliseconds timeout_;
  std::unique_ptr<kafka::Client> client_;
  std::unique_ptr<kafka::Client> uncommitted_;  // sees what open transactions have written
};

}  // namespace tidegate::library
