// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

#include "tidegate/time.h"
#include "tidegate/windows.h"

/// Evictors take rows out of a window before or after its function has seen them, as in Flink.
namespace tidegate {

/// A row of a window, and its event time (in windows of processing time: when it came).
template <typename T>
struct WindowRow {
  T row{};
  Timestamp time;
};

/// What an evictor may know beside the window.
struct EvictorTime {
  Timestamp watermark;
  Timestamp processing_time;
};

/// An evictor over rows of T, in the order of arrival; what it takes out is gone from the window:
///   struct NoTests {
///     void before(std::vector<WindowRow<T>>& rows, const WindowSpan&, const EvictorTime&) const;
///     void after(std::vector<WindowRow<T>>& rows, const WindowSpan&, const EvictorTime&) const;
///   };  // one of the two, or both: before and after the function is called
template <typename E, typename T>
concept EvictsBefore = requires(const E& evictor, std::vector<WindowRow<T>>& rows,
                                const WindowSpan& window, const EvictorTime& time) {
  evictor.before(rows, window, time);
};
template <typename E, typename T>
concept EvictsAfter = requires(const E& evictor, std::vector<WindowRow<T>>& rows,
                               const WindowSpan& window, const EvictorTime& time) {
  evictor.after(rows, window, time);
};
template <typename E, typename T>
concept EvictorOf = std::copy_constructible<E> &&(EvictsBefore<E, T> || EvictsAfter<E, T>);

/// Whether rows go before or after the function has seen them.
enum class Evict : std::uint8_t { kBefore, kAfter };

/// An evictor that decides by a function of the rows, on one side of the call.
template <typename F>
struct SimpleEvictor {
  F evict;
  Evict when = Evict::kBefore;
  template <typename T>
  void before(std::vector<WindowRow<T>>& rows, const WindowSpan&, const EvictorTime&) const {
    if (when == Evict::kBefore) evict(rows);
  }
  template <typename T>
  void after(std::vector<WindowRow<T>>& rows, const WindowSpan&, const EvictorTime&) const {
    if (when == Evict::kAfter) evict(rows);
  }
};

/// Keeps the last `count` rows that came.
inline auto keep_last(std::int64_t count, Evict when = Evict::kBefore) {
  const auto evict = [count](auto& rows) {
    const std::int64_t more = std::ssize(rows) - std::max<std::int64_t>(count, 0);
    if (more > 0) rows.erase(rows.begin(), rows.begin() + more);
  };
  return SimpleEvictor<decltype(evict)>{evict, when};
}

/// Keeps the rows of the last `duration` before the newest one.
inline auto keep_newest(milliseconds duration, Evict when = Evict::kBefore) {
  const auto evict = [duration](auto& rows) {
    if (rows.empty()) return;
    const auto newest = std::max_element(
        rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
    const Timestamp cutoff(newest->time.ms - duration.count());
    std::erase_if(rows, [&](const auto& row) { return row.time <= cutoff; });
  };
  return SimpleEvictor<decltype(evict)>{evict, when};
}

/// Keeps the rows that are nearer than `threshold` to the last one: distance(row, last) says how
/// far they are.
template <typename F>
auto keep_near(double threshold, F distance, Evict when = Evict::kBefore) {
  const auto evict = [threshold, distance](auto& rows) {
    if (rows.empty()) return;
    const auto last = rows.back().row;
    std::erase_if(rows, [&](const auto& row) { return distance(row.row, last) >= threshold; });
  };
  return SimpleEvictor<decltype(evict)>{evict, when};
}

}  // namespace tidegate
