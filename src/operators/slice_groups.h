// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "operators/event_times.h"
#include "windows/sliced_window.h"

namespace tidegate {

/// The rows of a batch by the slice that their time is in. Reused from batch to batch.
class SliceGroups {
 public:
  struct Group {
    EventTime slice_end = 0;
    std::span<const std::int32_t> rows;  ///< rising; not set when is_one()
  };

  explicit SliceGroups(SlicedWindow window) : window_(window) {}

  void split(const EventTimes& times);

  /// Rows without time are in none.
  std::span<const Group> groups() const { return groups_; }
  /// All rows are in one slice.
  bool is_one() const { return one_; }
  /// The group of a row, -1 without time; only when not is_one().
  std::int32_t group_of(std::int64_t row) const {
    return group_of_row_[static_cast<std::size_t>(row)];
  }

 private:
  // Batches that span at most this many slices take the way without look-ups.
  static constexpr std::uint64_t kMostSlices = 1024;

  /// Numbers the slices from the first one on, with one multiplication per row; false when the rows
  /// are too far apart for it.
  bool number_slices(std::span<const EventTime> times);
  /// Groups of those slices that have rows.
  void keep_groups_with_rows(EventTime first_slice_end, std::size_t slices);
  void look_up_slices(const EventTimes& times);
  std::int32_t group_for(EventTime slice_end);
  void collect_rows();

  SlicedWindow window_;
  bool one_ = false;
  std::vector<Group> groups_;
  std::vector<std::int32_t> group_of_row_;
  std::vector<std::int32_t> rows_;  // of all groups, one group behind the other
  std::vector<std::size_t> ends_;
  std::vector<std::int32_t> group_of_slice_;
  std::unordered_map<EventTime, std::int32_t> by_slice_;
};

}  // namespace tidegate
