// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "connectors/kafka/table_options.h"
#include "kafka/client.h"
#include "kafka/partition_split.h"
#include "tidegate/status.h"

/// Which partitions there are, and where to begin and end in them. Everything here that takes a
/// client blocks.
namespace tidegate::kafka {

/// The partitions of the topics that the settings name, sorted by topic and partition.
/// kTopicNotFound when a named topic is not there.
Result<std::vector<PartitionSplit>> list_partitions(Client& client, const SourceSettings& settings);

/// The offsets of a partition's first record and behind its last one.
struct OffsetRange {
  std::int64_t first = 0;
  std::int64_t end = 0;
};
Result<OffsetRange> offsets_there(Client& client, const SourceSettings& settings,
                                  const PartitionSplit& partition);

/// Sets `start` of all partitions by the rule.
Status set_starts(Client& client, const SourceSettings& settings,
                  std::vector<PartitionSplit>& partitions);
/// Sets `stop` of all partitions by the rule.
Status set_stops(Client& client, const SourceSettings& settings,
                 std::vector<PartitionSplit>& partitions);

}  // namespace tidegate::kafka
