// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataflow/source.h"
#include "kafka/consumer.h"
#include "library/repartition_block.h"
#include "runtime/watermark_merger.h"
#include "types/schema.h"

namespace tidegate::library {

struct RepartitionSourceSpec {
  std::string topic;
  SchemaPtr schema;
  std::int32_t partition = 0;
  int upstreams = 1;  ///< tasks that write to the topic
};

/// Puts the blocks of all upstream tasks together: event time is where the slowest of them is, one
/// that has said nothing yet included, so that none makes the rows of another late. Each block is
/// checked to come once and in its place.
class BlockMerger {
 public:
  BlockMerger(RepartitionSourceSpec spec, std::int64_t first_offset);
  /// Goes on at a position(). kStateCorrupt.
  Status seek(std::string_view position);

  /// The message at `offset`. Only while needs_block().
  Status take(std::int64_t offset, std::string_view bytes);
  bool needs_block() const { return !open_; }
  /// The next rows of the block, up to where event time moves.
  Polled next();
  /// Every upstream task has ended.
  bool ended() const;
  /// The offset to go on at, "OFFSET ...": with what is known of each upstream task.
  std::string position() const;
  std::int64_t offset() const { return offset_; }

 private:
  struct Upstream {
    std::uint64_t sequence = 0;
    InputTime time;
  };

  Status check(const RepartitionBlock& block) const;
  void close();

  RepartitionSourceSpec spec_;
  std::int64_t offset_;  // of the open block, else of the next message
  std::vector<Upstream> upstreams_;
  EventTime watermark_ = kMinWatermark;
  bool open_ = false;
  RepartitionBlock block_;
  std::size_t marks_passed_ = 0;
  std::int64_t rows_passed_ = 0;
};

/// The beginning of a subtopology: one partition of a repartition topic. `consumer` is shared by
/// all of a process.
std::shared_ptr<Source> make_repartition_source(RepartitionSourceSpec spec,
                                                std::shared_ptr<kafka::Consumer> consumer);

}  // namespace tidegate::library
