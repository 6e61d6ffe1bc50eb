// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <atomic>
#include <chrono>

namespace tidegate {
namespace {

class SystemClock final : public Clock {
 public:
  std::int64_t wall_ms() const override {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  }
  std::int64_t monotonic_ns() const override {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  }
};

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

VirtualClock::VirtualClock(std::int64_t start_ms) : now_ms_(start_ms) {}

std::int64_t VirtualClock::wall_ms() const { return now_ms_.load(std::memory_order_acquire); }

std::int64_t VirtualClock::monotonic_ns() const { return wall_ms() * 1'000'000; }

void VirtualClock::advance_to_ms(std::int64_t wall_ms) {
  std::int64_t now = now_ms_.load(std::memory_order_relaxed);
  while (now < wall_ms && !now_ms_.compare_exchange_weak(now, wall_ms)) {
  }
}

}  // namespace tidegate
