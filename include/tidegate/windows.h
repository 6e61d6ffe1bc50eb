// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

#include "tidegate/time.h"

namespace tidegate {

using std::chrono::milliseconds;

/// A window as a value: which windows a row belongs to. Made by the functions below.
struct Window {
  enum class Kind : std::uint8_t { kTumbling, kHopping, kCumulating, kSession, kCount, kGlobal };
  Kind kind = Kind::kTumbling;
  milliseconds size{0};    ///< tumbling, hopping: length; cumulating: the longest; session: the gap
  milliseconds slide{0};   ///< hopping: distance of starts; cumulating: step
  milliseconds offset{0};  ///< starts lie at offset + n * size (or slide), in UTC since 1970
  std::int64_t count = 0;  ///< count windows: rows per window
};

/// Windows of `size` side by side: [start, start + size).
constexpr Window tumbling(milliseconds size, milliseconds offset = milliseconds(0)) {
  return {Window::Kind::kTumbling, size, size, offset, 0};
}
/// Windows of `size` that begin every `slide`.
constexpr Window hopping(milliseconds size, milliseconds slide,
                         milliseconds offset = milliseconds(0)) {
  return {Window::Kind::kHopping, size, slide, offset, 0};
}
/// Windows that begin every `max_size` and end every `step` until they are `max_size` long.
constexpr Window cumulating(milliseconds max_size, milliseconds step,
                            milliseconds offset = milliseconds(0)) {
  return {Window::Kind::kCumulating, max_size, step, offset, 0};
}
/// Windows that end when a key has no row for `gap`.
constexpr Window session(milliseconds gap) {
  return {Window::Kind::kSession, gap, milliseconds(0), milliseconds(0), 0};
}
/// A window that event time does not end.
struct RowWindow {
  Window window;
};
/// Windows of `rows` rows of a key; a result with the last of them.
constexpr RowWindow count_window(std::int64_t rows) {
  return {{Window::Kind::kCount, milliseconds(0), milliseconds(0), milliseconds(0), rows}};
}
/// A result with every `slide` rows of a key, over the last `rows` of them.
struct SlidingRowWindow {
  Window window;
  std::int64_t slide = 1;
};
constexpr SlidingRowWindow count_window(std::int64_t rows, std::int64_t slide) {
  return {count_window(rows).window, slide};
}
/// One window for everything; its result comes at the end of a bounded input.
constexpr RowWindow global_window() {
  return {{Window::Kind::kGlobal, milliseconds(0), milliseconds(0), milliseconds(0), 0}};
}

/// How long after its end a window takes late rows.
struct Grace {
  milliseconds duration{0};
};
constexpr Grace grace(milliseconds duration) { return {duration}; }

/// When a window's result is emitted.
enum class Emit : std::uint8_t {
  kOnClose,        ///< once, when it closes: the watermark reaches end + grace
  kOnEndAndLate,   ///< when the watermark reaches its end, and again with each late update within
                   ///< the grace (Flink's allowed lateness)
  kOnEveryUpdate,  ///< with each update until it closes (Kafka Streams without suppress)
  kOnEpoch,        ///< at the end of each epoch in which it changed (Spark's update mode)
};

/// A window that rows have come to: [start, end). Windows of rows cover all of time.
struct WindowSpan {
  Timestamp start{kMinWatermark};
  Timestamp end{kMaxWatermark};
  /// The instant behind which no row comes to it: the millisecond before its end; the end itself
  /// of a session (rows exactly a gap apart are one session) and of windows by the clock.
  Timestamp last{kMaxWatermark};
};

/// What a trigger says of a window after a row or a timer.
enum class TriggerResult : std::uint8_t {
  kContinue,      ///< nothing
  kFire,          ///< a result; rows stay
  kPurge,         ///< rows go, without a result
  kFireAndPurge,  ///< a result, then rows go
};

}  // namespace tidegate
