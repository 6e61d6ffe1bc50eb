// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "tidegate/status.h"
#include "tidegate/time.h"
#include "tidegate/windows.h"

namespace tidegate {

/// Event times further from 1970 than this are treated as if they were this: sums of times and
/// window sizes then never overflow. Some 146 million years.
inline constexpr EventTime kMaxEventTime = EventTime{1} << 62;

/// The largest phase + n * step that is <= time.
EventTime floor_time(EventTime time, std::int64_t step_ms, std::int64_t phase_ms);

/// The rules of tumbling, hopping and cumulating windows. Time is cut into slices of equal width,
/// such that every window is made of whole slices: a row belongs to one slice, and a slice to all
/// windows with first_window_end() <= end <= last_window_end(). Slices and windows are named by
/// their (exclusive) ends. Works the same before 1970. A value.
class SlicedWindow {
 public:
  /// kInvalidArgument when sizes are not positive, longer than 36 million years, or (cumulating)
  /// the longest is not a multiple of the step; kInternal for windows that are not made of slices.
  static Result<SlicedWindow> make(const Window& window);

  std::int64_t slice_width_ms() const { return slice_; }
  /// True when every window is one slice and every slice one window.
  bool is_tumbling() const { return slice_ == size_ && step_ == size_; }
  /// True when windows that begin together grow (cumulate), false when they slide.
  bool is_cumulating() const { return cumulating_; }
  /// Distance of the ends of windows.
  std::int64_t step_ms() const { return step_; }

  /// The end of the slice that a row of this time belongs to.
  EventTime slice_end(EventTime time) const;

  /// The most windows that hold one slice.
  std::int64_t windows_per_slice() const { return (size_ + step_ - 1) / step_; }

  /// The windows that hold a slice; none (first > last) in the gaps of windows that slide by more
  /// than their size.
  EventTime first_window_end(EventTime slice_end) const;
  EventTime last_window_end(EventTime slice_end) const;
  bool has_window(EventTime slice_end) const {
    return first_window_end(slice_end) <= last_window_end(slice_end);
  }

  EventTime window_start(EventTime window_end) const;
  EventTime next_window_end(EventTime window_end) const { return window_end + step_; }
  /// The first slice of a window.
  EventTime first_slice_end(EventTime window_end) const {
    return window_start(window_end) + slice_;
  }
  /// The smallest end of a window > / the largest <= `time`.
  EventTime window_end_above(EventTime time) const;
  EventTime window_end_at_or_below(EventTime time) const;

 private:
  SlicedWindow() = default;

  std::int64_t size_ = 0;  // of a window, of the longest one when cumulating
  std::int64_t step_ = 0;  // between ends of windows
  std::int64_t slice_ = 0;
  std::int64_t offset_ = 0;  // starts lie at offset + n * step (cumulating: n * size)
  bool cumulating_ = false;
};

}  // namespace tidegate
