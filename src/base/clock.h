// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

namespace tidegate {

/// The only source of time. Everything that asks what time it is takes a Clock, so that a run can
/// be simulated with virtual time. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Milliseconds since 1970; may jump when the machine's clock is set. This is processing time.
  virtual std::int64_t wall_ms() const = 0;
  /// Nanoseconds since some start; never goes back. For durations and time-outs.
  virtual std::int64_t monotonic_ns() const = 0;
};

/// The machine's clock; lives for the whole process.
const Clock& system_clock();

/// Time that stands still until it is told to move. For tests and simulation. Thread-safe.
class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(std::int64_t start_ms = 0);
  std::int64_t wall_ms() const override;
  std::int64_t monotonic_ns() const override;
  /// Never moves back: an earlier time leaves the clock as it is.
  void advance_to_ms(std::int64_t wall_ms);

 private:
  std::atomic<std::int64_t> now_ms_;
};

}  // namespace tidegate
