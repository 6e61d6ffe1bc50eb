// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "dataflow/watermark_strategy.h"
#include "runtime/epoch_planner.h"
#include "tidegate/status.h"
#include "types/batch.h"
#include "types/schema.h"

namespace tidegate {

/// The event times and the watermark of one split. The watermark follows every row; batches are
/// cut where operators could tell the difference (see TimeGrain), so that results do not depend on
/// how the reader cut them.
class WatermarkAssigner {
 public:
  /// Rows, and the watermark behind them (not floored to the grain).
  struct Piece {
    Batch batch;
    EventTime watermark = kMinWatermark;
  };

  /// `strategy` and `schema` must outlive it. The watermark and the largest event time of a
  /// restored split, else kMinWatermark for both.
  WatermarkAssigner(const WatermarkStrategy& strategy, TimeGrain grain, const Schema& schema,
                    EventTime watermark = kMinWatermark, EventTime max_time = kMinWatermark);

  /// Appends the pieces of `batch` in order, with Batch::event_times set. kNullKey when a row has
  /// no event time; `first_row` is the number of the batch's first row in the split, for that
  /// message.
  Status assign(Batch batch, std::int64_t first_row, std::vector<Piece>& pieces);

  /// Keeps count of event times from now on. With `stands_still` rows do not move the watermark
  /// (so nothing is cut), and those without an event time say nothing.
  void collect_times(bool stands_still);
  /// What was counted since the last call; its rows are not.
  SourceRead take_times() { return std::exchange(times_, {}); }

  /// The source itself knows that event time has come this far.
  void raise(EventTime watermark);

  EventTime watermark() const { return watermark_; }
  EventTime max_time() const { return max_time_; }

 private:
  void count(std::span<const EventTime> times);
  Status set_event_times(Batch& batch, std::int64_t first_row) const;
  Status times_from_column(Batch& batch, std::int64_t first_row) const;
  EventTime watermark_at(EventTime time) const;
  EventTime point_after(EventTime point) const;
  bool needs_cuts(EventTime min_time, EventTime reached) const;
  void cut(const Batch& batch, std::span<const EventTime> times, std::vector<Piece>& pieces);

  const WatermarkStrategy& strategy_;
  const TimeGrain grain_;
  const Schema& schema_;
  std::unique_ptr<WatermarkGenerator> generator_;
  EventTime watermark_;
  EventTime max_time_;
  bool counts_ = false;
  bool stands_still_ = false;
  SourceRead times_;
};

}  // namespace tidegate
