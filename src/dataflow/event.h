// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <variant>

#include "tidegate/time.h"
#include "types/batch.h"

namespace tidegate {

/// "No more rows with event time below `time` are expected on this channel."
struct Watermark {
  EventTime time = kMinWatermark;
};

/// Ends an epoch. Nothing that came before it belongs to a later epoch.
struct Barrier {
  EpochId epoch = 0;
  /// The job stops after this epoch without draining: no maximum watermark follows.
  bool stops = false;
  /// All input has been read: windows that the clock would close soon are closed before it.
  bool at_end = false;
};

/// The channel has nothing to say about time until its next batch or watermark (`idle` true), or
/// speaks again.
struct Idle {
  bool idle = true;
};

/// The channel has ended; nothing follows.
struct End {};

/// Everything that flows through a channel.
using Event = std::variant<Batch, Watermark, Barrier, Idle, End>;

}  // namespace tidegate
