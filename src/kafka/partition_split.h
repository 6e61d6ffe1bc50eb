// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dataflow/source.h"
#include "tidegate/status.h"

/// How a partition that is read, and the place in it, stand in epochs.
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

/// The offset that a position begins with: "42" or "42 MORE".
Result<std::int64_t> offset_of_position(std::string_view position);

}  // namespace tidegate::kafka
