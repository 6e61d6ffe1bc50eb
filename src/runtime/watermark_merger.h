// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include "tidegate/time.h"

namespace tidegate {

/// What one of several inputs says about event time.
struct InputTime {
  EventTime watermark = kMinWatermark;
  bool idle = false;
  bool ended = false;
};

/// What all of them say together.
struct MergedTime {
  EventTime watermark = kMinWatermark;
  bool idle = false;  ///< every input that has not ended is idle, and there is one
};

/// The watermark of several inputs: the minimum over those that are neither idle nor ended. When
/// nobody is left to hold time back it is the maximum over the idle ones, so that the outcome does
/// not depend on the order in which they fell silent. `previous` is never gone behind.
template <typename Inputs>
MergedTime merge_times(const Inputs& inputs, EventTime previous) {
  EventTime lowest_active = kMaxWatermark;
  EventTime highest_idle = kMinWatermark;
  bool any_active = false;
  bool any_idle = false;
  for (const InputTime& input : inputs) {
    if (input.ended) continue;
    if (input.idle) {
      any_idle = true;
      highest_idle = std::max(highest_idle, input.watermark);
    } else {
      any_active = true;
      lowest_active = std::min(lowest_active, input.watermark);
    }
  }
  MergedTime merged;
  merged.idle = any_idle && !any_active;
  merged.watermark = any_active ? lowest_active : highest_idle;
  merged.watermark = std::max(merged.watermark, previous);
  return merged;
}

}  // namespace tidegate
