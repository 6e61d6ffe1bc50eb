// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>

namespace tidegate {

/// A point in event time: milliseconds since 1970-01-01T00:00:00Z. Plain integer, so that columns
/// of it are columns of int64.
using EventTime = std::int64_t;

/// Watermarks are exclusive: t says "no more rows with event time below t are expected".
inline constexpr EventTime kMinWatermark = std::numeric_limits<EventTime>::min();
/// Sent when an input has ended: every window closes.
inline constexpr EventTime kMaxWatermark = std::numeric_limits<EventTime>::max();

/// Number of an epoch of a job, from 1.
using EpochId = std::uint64_t;

/// A timestamp in a user's struct: milliseconds since 1970-01-01T00:00:00Z.
struct Timestamp {
  std::int64_t ms = 0;

  constexpr Timestamp() = default;
  constexpr explicit Timestamp(std::int64_t ms_since_1970) : ms(ms_since_1970) {}
  friend constexpr auto operator<=>(Timestamp, Timestamp) = default;
  friend constexpr Timestamp operator+(Timestamp t, std::chrono::milliseconds d) {
    return Timestamp(t.ms + d.count());
  }
  friend constexpr std::chrono::milliseconds operator-(Timestamp a, Timestamp b) {
    return std::chrono::milliseconds(a.ms - b.ms);
  }
};

}  // namespace tidegate
