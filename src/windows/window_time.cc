// SPDX-License-Identifier: Apache-2.0
#include "windows/window_time.h"

#include <algorithm>

#include "base/check.h"
#include "windows/sliced_window.h"

namespace tidegate {

Status assign_windows(const Window& window, EventTime time, std::vector<TimeSpan>& out) {
  if (window.kind == Window::Kind::kSession) {
    const EventTime start = std::clamp(time, -kMaxEventTime, kMaxEventTime);
    out.push_back({start, start + window.size.count()});
    return Status::ok();
  }
  TG_ASSIGN_OR_RETURN(const SlicedWindow rules, SlicedWindow::make(window));
  const EventTime slice_end = rules.slice_end(time);
  const EventTime last = rules.last_window_end(slice_end);
  for (EventTime end = rules.first_window_end(slice_end); end <= last;
       end = rules.next_window_end(end)) {
    out.push_back({rules.window_start(end), end});
  }
  return Status::ok();
}

}  // namespace tidegate
