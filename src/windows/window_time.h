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

/// Whether a window of this end is closed, which is when a row is late for it.
constexpr bool window_is_closed(EventTime end, std::int64_t grace_ms, EventTime watermark) {
  // end + grace may overflow for what only the maximum watermark closes.
  return watermark == kMaxWatermark || (watermark >= end && watermark - grace_ms >= end);
}

/// The windows that a row of this time belongs to, by rising end. Tumbling, hopping and cumulating;
/// a session's first guess is [time, time + gap).
Status assign_windows(const Window& window, EventTime time, std::vector<TimeSpan>& out);

/// Session windows merge when they overlap or touch, as in Flink and Kafka Streams.
constexpr bool sessions_merge(TimeSpan a, TimeSpan b) {
  return a.start <= b.end && b.start <= a.end;
}

}  // namespace tidegate
