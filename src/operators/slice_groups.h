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

  /// By first row. Rows without time are in none.
  std::span<const Group> groups() const { return groups_; }
  /// All rows are in one slice.
  bool is_one() const { return one_; }
  /// The group of a row, -1 without time; only when not is_one().
  std::int32_t group_of(std::int64_t row) const {
    return group_of_row_[static_cast<std::size_t>(row)];
  }

 private:
  bool all_in_slice(std::span<const EventTime> times, EventTime slice_end) const;
  void assign(const EventTimes& times);
  std::int32_t group_for(EventTime slice_end);
  void collect_rows();

  SlicedWindow window_;
  bool one_ = false;
  std::vector<Group> groups_;
  std::vector<std::int32_t> group_of_row_;
  std::vector<std::int32_t> rows_;  // of all groups, one group behind the other
  std::vector<std::size_t> ends_;
  std::unordered_map<EventTime, std::int32_t> by_slice_;
};

}  // namespace tidegate
