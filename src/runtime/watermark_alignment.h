// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <mutex>
#include <vector>

#include "runtime/activation.h"
#include "tidegate/time.h"

namespace tidegate {

/// Keeps the splits of one source from running further apart than `max_drift_ms`: those in front
/// wait for the slowest one, in whichever task that is.
class WatermarkAlignment {
 public:
  WatermarkAlignment(std::int64_t max_drift_ms, int parallelism)
      : max_drift_ms_(max_drift_ms), tasks_(static_cast<std::size_t>(parallelism)) {}

  void set_task(int subtask, Activation& task) { of(subtask).task = &task; }

  /// The lowest watermark of the splits of a subtask that are neither idle nor ended, or
  /// kMaxWatermark; `waits`: some of its splits wait for others. Wakes those who may go on.
  void publish(int subtask, EventTime lowest, bool waits) {
    const std::lock_guard lock(mutex_);
    const EventTime before = lowest_of_all();
    of(subtask).lowest = lowest;
    of(subtask).waits = waits;
    if (lowest_of_all() <= before) return;
    for (PerTask& task : tasks_) {
      if (task.waits && task.task != nullptr) task.task->wake();
    }
  }

  /// Splits whose watermark is above this wait.
  EventTime limit() const {
    const std::lock_guard lock(mutex_);
    const EventTime lowest = lowest_of_all();
    return lowest > kMaxWatermark - max_drift_ms_ ? kMaxWatermark : lowest + max_drift_ms_;
  }

 private:
  struct PerTask {
    EventTime lowest = kMinWatermark;
    bool waits = false;
    Activation* task = nullptr;
  };

  PerTask& of(int subtask) { return tasks_[static_cast<std::size_t>(subtask)]; }

  EventTime lowest_of_all() const {
    EventTime lowest = kMaxWatermark;
    for (const PerTask& task : tasks_) lowest = std::min(lowest, task.lowest);
    return lowest;
  }

  const std::int64_t max_drift_ms_;
  mutable std::mutex mutex_;
  std::vector<PerTask> tasks_;
};

}  // namespace tidegate
