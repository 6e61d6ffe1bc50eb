// SPDX-License-Identifier: Apache-2.0
#include "windows/sliced_window.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"

namespace tidegate {
namespace {

constexpr std::int64_t kMaxSizeMs = std::int64_t{1} << 60;

Status check_size(std::string_view what, std::int64_t ms) {
  if (ms > 0 && ms <= kMaxSizeMs) return Status::ok();
  return error(ErrorCode::kInvalidArgument, "the {} of a window is {} ms; it must be positive",
               what, ms);
}

}  // namespace

EventTime floor_time(EventTime time, std::int64_t step_ms, std::int64_t phase_ms) {
  std::int64_t rest = (time % step_ms - phase_ms % step_ms) % step_ms;
  if (rest < 0) rest += step_ms;
  return time - rest;
}

Result<SlicedWindow> SlicedWindow::make(const Window& window) {
  SlicedWindow made;
  made.size_ = window.size.count();
  made.step_ = window.slide.count();
  made.offset_ = window.offset.count() % kMaxSizeMs;
  switch (window.kind) {
    case Window::Kind::kTumbling:
      TG_RETURN_IF_ERROR(check_size("size", made.size_));
      made.step_ = made.size_;
      made.slice_ = made.size_;
      return made;
    case Window::Kind::kHopping:
      TG_RETURN_IF_ERROR(check_size("size", made.size_));
      TG_RETURN_IF_ERROR(check_size("slide", made.step_));
      made.slice_ = std::gcd(made.size_, made.step_);
      return made;
    case Window::Kind::kCumulating:
      TG_RETURN_IF_ERROR(check_size("maximum size", made.size_));
      TG_RETURN_IF_ERROR(check_size("step", made.step_));
      if (made.size_ % made.step_ != 0) {
        return error(ErrorCode::kInvalidArgument,
                     "the maximum size of a cumulating window is {} ms; it must be a multiple of "
                     "its step, {} ms",
                     made.size_, made.step_);
      }
      made.slice_ = made.step_;
      made.cumulating_ = true;
      return made;
    default:
      return error(ErrorCode::kInternal, "a window of kind {} is not made of slices",
                   static_cast<int>(window.kind));
  }
}

EventTime SlicedWindow::slice_end(EventTime time) const {
  return floor_time(std::clamp(time, -kMaxEventTime, kMaxEventTime), slice_, offset_) + slice_;
}

EventTime SlicedWindow::first_window_end(EventTime slice_end) const {
  if (cumulating_) return slice_end;
  return window_end_at_or_below(slice_end - 1) + step_;
}

EventTime SlicedWindow::last_window_end(EventTime slice_end) const {
  if (cumulating_) return floor_time(slice_end - slice_, size_, offset_) + size_;
  return window_end_at_or_below(slice_end - slice_ + size_);
}

EventTime SlicedWindow::window_start(EventTime window_end) const {
  return cumulating_ ? floor_time(window_end - step_, size_, offset_) : window_end - size_;
}

EventTime SlicedWindow::window_end_at_or_below(EventTime time) const {
  // Ends of sliding windows lie at offset + size + n * step; of cumulating ones size is a multiple
  // of the step.
  const EventTime within =
      std::clamp(time, -2 * kMaxEventTime + 4 * kMaxSizeMs, 2 * (kMaxEventTime - 2 * kMaxSizeMs));
  return floor_time(within, step_, (offset_ % step_ + size_ % step_) % step_);
}

EventTime SlicedWindow::window_end_above(EventTime time) const {
  return window_end_at_or_below(time) + step_;
}

}  // namespace tidegate
