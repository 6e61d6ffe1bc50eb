// SPDX-License-Identifier: Apache-2.0
#include "operators/slice_groups.h"

#include <algorithm>

namespace tidegate {

void SliceGroups::split(const EventTimes& times) {
  groups_.clear();
  one_ = false;
  if (times.times().empty()) return;
  if (times.has_nulls() || !number_slices(times.times())) look_up_slices(times);
  if (!one_) collect_rows();
}

bool SliceGroups::number_slices(std::span<const EventTime> times) {
  EventTime earliest = times.front();
  EventTime latest = times.front();
  for (EventTime time : times) {
    earliest = std::min(earliest, time);
    latest = std::max(latest, time);
  }
  const auto width = static_cast<std::uint64_t>(window_.slice_width_ms());
  const EventTime first = window_.slice_end(earliest);
  const EventTime begin = first - window_.slice_width_ms();
  // Times that slice_end() has to clamp are far from anything else, unless all are.
  if (earliest < begin || latest >= kMaxEventTime) return false;
  const auto span = static_cast<std::uint64_t>(latest - begin);
  if (span < width) {
    one_ = true;
    groups_.push_back({first, {}});
    return true;
  }
  constexpr std::uint64_t kExact = std::uint64_t{1} << 32;
  if (span >= kExact || span / width >= kMostSlices) return false;
  // distance / width as a product with the reciprocal, exact below 2^32.
  const std::uint64_t reciprocal = ~std::uint64_t{0} / width + 1;
  group_of_row_.resize(times.size());
  for (std::size_t row = 0; row < times.size(); ++row) {
    const auto distance = static_cast<std::uint64_t>(times[row] - begin);
    group_of_row_[row] =
        static_cast<std::int32_t>(static_cast<unsigned __int128>(distance) * reciprocal >> 64);
  }
  keep_groups_with_rows(first, static_cast<std::size_t>(span / width) + 1);
  return true;
}

void SliceGroups::keep_groups_with_rows(EventTime first_slice_end, std::size_t slices) {
  group_of_slice_.assign(slices, -1);
  for (std::int32_t slice : group_of_row_) group_of_slice_[static_cast<std::size_t>(slice)] = 0;
  for (std::size_t slice = 0; slice < slices; ++slice) {
    if (group_of_slice_[slice] < 0) continue;
    group_of_slice_[slice] = static_cast<std::int32_t>(groups_.size());
    groups_.push_back(
        {first_slice_end + static_cast<EventTime>(slice) * window_.slice_width_ms(), {}});
  }
  if (groups_.size() == slices) return;
  for (std::int32_t& slice : group_of_row_)
    slice = group_of_slice_[static_cast<std::size_t>(slice)];
}

void SliceGroups::look_up_slices(const EventTimes& times) {
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
    // One comparison: times before the slice wrap around to large distances.
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
