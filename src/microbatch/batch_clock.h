// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace tidegate {

/// The wall clock of a job that runs in batches: it stands still within each, so that a batch that
/// is run again sees the same time. Durations are the real ones.
class BatchClock final : public Clock {
 public:
  explicit BatchClock(const Clock& real) : real_(real), batch_ms_(real.wall_ms()) {}
  std::int64_t wall_ms() const override { return batch_ms_.load(std::memory_order_acquire); }
  std::int64_t monotonic_ns() const override { return real_.monotonic_ns(); }

  void set_batch_ms(std::int64_t wall_ms) { batch_ms_.store(wall_ms, std::memory_order_release); }
  const Clock& real() const { return real_; }

 private:
  const Clock& real_;
  std::atomic<std::int64_t> batch_ms_;
};

}  // namespace tidegate
