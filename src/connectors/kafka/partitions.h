// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "connectors/kafka/table_options.h"
#include "dataflow/source.h"
#include "kafka/client.h"
#include "tidegate/status.h"

/// Which partitions there are, and where to begin and end in them. Everything here that takes a
/// client blocks.
namespace tidegate::kafka {

/// An offset that says "the first record there is", since that may move until it is read.
inline constexpr std::int64_t kEarliest = RD_KAFKA_OFFSET_BEGINNING;

/// A partition to read, as a split: the id is "clicks-0", the payload "clicks 0 START STOP".
struct PartitionSplit {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t start = kEarliest;
  std::optional<std::int64_t> stop;  ///< the first offset that is not read; none: read for ever

  Split to_split() const;
  /// kStateCorrupt when the payload is not what to_split() made.
  static Result<PartitionSplit> from_split(const Split& split);
};

/// "42" or "earliest": where a reader goes on.
std::string offset_text(std::int64_t offset);
/// kStateCorrupt for anything that offset_text() does not make.
Result<std::int64_t> parse_offset(std::string_view text);

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
