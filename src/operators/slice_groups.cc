// SPDX-License-Identifier: Apache-2.0
#include "operators/slice_groups.h"

namespace tidegate {

void SliceGroups::split(const EventTimes& times) {
  groups_.clear();
  one_ = false;
  if (times.times().empty()) return;
  if (!times.has_nulls()) {
    const EventTime slice_end = window_.slice_end(times.times().front());
    if (all_in_slice(times.times(), slice_end)) {
      one_ = true;
      groups_.push_back({slice_end, {}});
      return;
    }
  }
  assign(times);
  collect_rows();
}

bool SliceGroups::all_in_slice(std::span<const EventTime> times, EventTime slice_end) const {
  // One comparison per row: times before the slice wrap around to large distances.
  const auto start = static_cast<std::uint64_t>(slice_end - window_.slice_width_ms());
  const auto width = static_cast<std::uint64_t>(window_.slice_width_ms());
  std::uint64_t outside = 0;
  for (EventTime time : times) {
    outside |= static_cast<std::uint64_t>(static_cast<std::uint64_t>(time) - start >= width);
  }
  return outside == 0;
}

void SliceGroups::assign(const EventTimes& times) {
  const auto width = static_cast<std::uint64_t>(window_.slice_width_ms());
  std::uint64_t start = 0;
  std::int32_t group = -1;
  group_of_row_.resize(times.times().size());
  by_slice_.clear();
  for (std::size_t row = 0; row < times.times().size(); ++row) {
    if (times.is_null(static_cast<std::int64_t>(row))) {
      group_of_row_[row] = -1;
      continue;
    }
    const EventTime time = times.times()[row];
    if (group < 0 || static_cast<std::uint64_t>(time) - start >= width) {
      const EventTime slice_end = window_.slice_end(time);
      start = static_cast<std::uint64_t>(slice_end - window_.slice_width_ms());
      group = group_for(slice_end);
    }
    group_of_row_[row] = group;
  }
}

std::int32_t SliceGroups::group_for(EventTime slice_end) {
  const auto next = static_cast<std::int32_t>(groups_.size());
  const auto [found, is_new] = by_slice_.try_emplace(slice_end, next);
  if (is_new) groups_.push_back({slice_end, {}});
  return found->second;
}

void SliceGroups::collect_rows() {
  ends_.assign(groups_.size() + 1, 0);
  for (std::int32_t group : group_of_row_) {
    if (group >= 0) ++ends_[static_cast<std::size_t>(group) + 1];
  }
  for (std::size_t g = 1; g < ends_.size(); ++g) ends_[g] += ends_[g - 1];
  rows_.resize(ends_.back());
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    groups_[g].rows = std::span(rows_).subspan(ends_[g], ends_[g + 1] - ends_[g]);
  }
  for (std::size_t row = 0; row < group_of_row_.size(); ++row) {
    const std::int32_t group = group_of_row_[row];
    if (group >= 0)
      rows_[ends_[static_cast<std::size_t>(group)]++] = static_cast<std::int32_t>(row);
  }
}

}  // namespace tidegate
