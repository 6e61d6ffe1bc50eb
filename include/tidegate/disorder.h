// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <utility>

#include "tidegate/untyped.h"
#include "tidegate/windows.h"

namespace tidegate {

/// How a source's rows may be out of order.
struct Disorder {
  milliseconds delay{0};
  milliseconds idle{0};
  milliseconds drift{0};
  std::function<std::function<EventTime(EventTime)>()> custom{};

  /// A split without rows for this long stops holding back the others.
  Disorder idle_after(milliseconds timeout) && {
    idle = timeout;
    return std::move(*this);
  }
  /// Splits that are further ahead of the slowest than this wait for it.
  Disorder aligned_within(milliseconds drift_limit) && {
    drift = drift_limit;
    return std::move(*this);
  }
};
/// Rows of a split come at most `delay` after a row of later event time.
inline Disorder bounded_disorder(milliseconds delay) { return {.delay = delay}; }
/// Rows of a split come in the order of event time.
inline Disorder monotonic() { return {}; }
/// A watermark of one's own: `make` is called per split and returns a function from the event time
/// of each row, in order, to the watermark after it (exclusive; it must never go back).
inline Disorder custom_watermark(std::function<std::function<EventTime(EventTime)>()> make) {
  return {.custom = std::move(make)};
}

inline untyped::TimeSpec time_spec(Disorder disorder) {
  untyped::TimeSpec time;
  time.delay = disorder.delay;
  time.idle_timeout = disorder.idle;
  time.max_drift = disorder.drift;
  time.custom = std::move(disorder.custom);
  return time;
}

}  // namespace tidegate
