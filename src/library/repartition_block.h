// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tidegate/status.h"
#include "tidegate/time.h"
#include "types/batch.h"
#include "types/schema.h"

namespace tidegate::library {

/// "No row with event time below `watermark` comes behind the first `row` rows."
struct TimeMark {
  std::int64_t row = 0;
  EventTime watermark = kMinWatermark;
  friend bool operator==(const TimeMark&, const TimeMark&) = default;
};

/// What one upstream task says to one partition of a repartition topic: rows, and how far event
/// time had come where among them. A message of the topic:
///
///   "TGRB" | version | CRC-32C of the rest | upstream task | upstream tasks | sequence | flags |
///   rows | marks | (row | watermark) ... | an Arrow IPC record batch, LZ4
///
/// Numbers are varints but for the checksum and the watermarks, which have 4 and 8 bytes. The
/// record batch holds the columns, and behind them row kinds and event times where there are any.
struct RepartitionBlock {
  int upstream = 0;            ///< the partition of the task that wrote it
  int upstreams = 1;           ///< how many such tasks there are
  std::uint64_t sequence = 0;  ///< of this upstream task in this partition, from 1
  Batch rows;
  std::vector<TimeMark> marks;  ///< in order; the last one may stand behind all rows
  bool idle = false;            ///< says nothing about time from here on
  bool ended = false;           ///< nothing follows
};

Result<std::string> encode_block(const RepartitionBlock& block, const Schema& schema);
/// Trusts nothing: kStateCorrupt, or kStateVersion for another version. Columns may share memory
/// with a copy of `bytes`.
Result<RepartitionBlock> decode_block(std::string_view bytes, const Schema& schema);

}  // namespace tidegate::library
