// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "tidegate/status.h"
#include "tidegate/time.h"
#include "tidegate/windows.h"

namespace tidegate {

/// A stretch of event time: [start, end).
struct TimeSpan {
  EventTime start = 0;
  EventTime end = 0;
  friend auto operator<=>(const TimeSpan&, const TimeSpan&) = default;
};

/// All windows that end at or before this are closed, which is when a row is late for them:
/// watermark - grace, without overflow.
constexpr EventTime closed_end(EventTime watermark, std::int64_t grace_ms) {
  if (watermark == kMaxWatermark) return kMaxWatermark;
  return watermark < kMinWatermark + grace_ms ? kMinWatermark : watermark - grace_ms;
}

/// Whether a window of this end is closed.
constexpr bool window_is_closed(EventTime end, std::int64_t grace_ms, EventTime watermark) {
  return end <= closed_end(watermark, grace_ms);
}

/// The windows that a row of this time belongs to, by rising end. Tumbling, hopping and cumulating;
/// a session's first guess is [time, time + gap).
Status assign_windows(const Window& window, EventTime time, std::vector<TimeSpan>& out);

/// Session windows merge when they overlap or touch, as in Flink and Kafka Streams.
constexpr bool sessions_merge(TimeSpan a, TimeSpan b) {
  return a.start <= b.end && b.start <= a.end;
}

}  // namespace tidegate
