// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "dataflow/event.h"
#include "runtime/activation.h"
#include "runtime/job.h"

namespace tidegate {

/// A bounded queue of events from one task to another. What the producer pushes is always taken,
/// but it should stop while has_credit() is false; only batches use credit up.
///
/// The consumer takes the whole queue over at once, so the lock is rarely taken by both.
class Channel {
 public:
  Channel(ChannelLimits limits, Activation& producer, Activation& consumer);
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// Producer: appends, and wakes the consumer if it may have gone to rest.
  void push(Event event);
  bool has_credit() const { return used_.load(std::memory_order_relaxed) < kCapacity; }
  /// Producer: wants to be woken when half of the capacity is free. False when there is credit.
  bool await_credit();

  /// Consumer: true when pop() will find something.
  bool has_event() const {
    return next_ < taken_.size() || queued_.load(std::memory_order_acquire);
  }
  /// Consumer: the next event, if any; gives its credit back.
  bool pop(Event& event);

 private:
  struct Entry {
    Event event;
    std::int64_t cost = 0;
  };

  // Rows and bytes are both counted as shares of the whole, and the larger share is the cost.
  static constexpr std::int64_t kCapacity = std::int64_t{1} << 30;
  std::int64_t cost_of(const Event& event) const;
  void give_back(std::int64_t cost);

  const ChannelLimits limits_;
  Activation& producer_;
  Activation& consumer_;

  std::mutex mutex_;
  std::vector<Entry> queue_;  // under mutex_

  // The consumer's own.
  std::vector<Entry> taken_;
  std::size_t next_ = 0;

  alignas(64) std::atomic<std::int64_t> used_{0};
  std::atomic<bool> queued_{false};        // queue_ is not empty
  std::atomic<bool> wants_credit_{false};  // the producer rests until there is some
};

}  // namespace tidegate
