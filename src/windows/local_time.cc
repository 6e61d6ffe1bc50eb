// SPDX-License-Identifier: Apache-2.0
#include "windows/local_time.h"

#include <algorithm>

#include "types/civil_time.h"
#include "windows/sliced_window.h"

namespace tidegate {
namespace {

// Clocks go back by at most this long (but for moves of the date line, all before 1970), at whole
// quarters of an hour.
constexpr std::int64_t kLongestStepBackS = 3 * 3600;
constexpr std::int64_t kQuarterS = 900;

bool is_limit(EventTime time) { return time <= -kMaxEventTime || time >= kMaxEventTime; }

}  // namespace

EventTime LocalTime::to_local(EventTime time) const {
  if (is_utc() || is_limit(time)) return time;
  return time + zone_.offset_seconds(floor_div(time, kMsPerSecond)) * kMsPerSecond;
}

EventTime LocalTime::to_utc(EventTime local) const {
  if (is_utc() || is_limit(local)) return local;
  const std::int64_t seconds = floor_div(local, kMsPerSecond);
  return zone_.to_utc_seconds(seconds) * kMsPerSecond + floor_mod(local, kMsPerSecond);
}

EventTime LocalTime::watermark_to_local(EventTime watermark) const {
  if (is_utc() || is_limit(watermark)) return watermark;
  const EventTime local = to_local(watermark);
  const std::int64_t now = floor_div(watermark, kMsPerSecond);
  const std::int64_t offset = zone_.offset_seconds(now);
  for (std::int64_t ahead = kQuarterS; ahead <= kLongestStepBackS; ahead += kQuarterS) {
    if (zone_.offset_seconds(now + ahead) >= offset) continue;
    std::int64_t before = now + ahead - kQuarterS;
    std::int64_t after = now + ahead;
    while (after - before > 1) {
      const std::int64_t middle = before + (after - before) / 2;
      (zone_.offset_seconds(middle) < offset ? after : before) = middle;
    }
    return std::min(local, (after + zone_.offset_seconds(after)) * kMsPerSecond);
  }
  return local;
}

EventTime LocalTime::watermark_to_utc(EventTime local) const {
  EventTime time = to_utc(local);
  if (is_utc() || is_limit(local)) return time;
  // In the hour that clocks show twice it is the second time that counts.
  for (EventTime reached = watermark_to_local(time); reached < local;
       reached = watermark_to_local(time)) {
    time += local - reached;
  }
  return time;
}

}  // namespace tidegate
