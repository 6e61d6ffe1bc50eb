// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tidegate/status.h"
#include "types/batch.h"

namespace tidegate {

/// Turns the rows of one split into a watermark. One generator per split.
class WatermarkGenerator {
 public:
  virtual ~WatermarkGenerator() = default;
  /// The (exclusive) watermark after a row of this event time; must never go back.
  virtual EventTime on_row(EventTime time) = 0;
};

/// How a source tells event time: where it stands in a row, and how far rows may be out of order.
/// A value; part of the plan.
struct WatermarkStrategy {
  enum class Kind : std::uint8_t {
    kNone,             ///< no event time
    kBoundedDisorder,  ///< max event time - delay (+1 ms when `inclusive`)
    kCustom,           ///< `custom` makes a generator per split
  };
  Kind kind = Kind::kNone;
  /// The column of event time (a timestamp, or BIGINT milliseconds), or -1 for attached times.
  int column = -1;
  /// When set: computes the event time of every row of a batch instead (the program's function).
  std::function<Status(const Batch& batch, EventTime* times)> extract;
  std::int64_t delay_ms = 0;
  /// Flink SQL's rule: the watermark W = max - delay means that W itself is not expected any more,
  /// so the exclusive one is W + 1 ms.
  bool inclusive = false;
  std::function<std::unique_ptr<WatermarkGenerator>()> custom;
  /// A split without rows for this long stops holding back the others; 0: never.
  std::int64_t idle_timeout_ms = 0;
  /// Splits further than this ahead of the slowest wait for it; 0: no alignment.
  std::int64_t max_drift_ms = 0;
};

/// The steps of event time that some operator can tell apart: watermarks matter only when they
/// pass a point phase + n * step. A source need not announce (nor cut a batch for) anything finer.
/// step 1 means every millisecond; step 0 means time does not matter.
///
/// Two things make a source cut a batch: a row that is already behind the announced watermark
/// (always), and, if `orders_rows`, a row that makes the watermark pass a point (behind that row).
/// Windows, joins and sorts need only the first: a row that is not late goes to windows that no
/// earlier watermark has touched, so it may stand before or after it. Event-time timers of user
/// code need the second: what a timer does to state is seen by every row behind it.
struct TimeGrain {
  std::int64_t step_ms = 1;
  std::int64_t phase_ms = 0;
  bool orders_rows = false;

  /// The coarsest grain that is fine enough for both.
  static TimeGrain combine(TimeGrain a, TimeGrain b);
  /// The largest point of the grain that is <= time; time itself when step is 1.
  EventTime floor(EventTime time) const;
};

}  // namespace tidegate
