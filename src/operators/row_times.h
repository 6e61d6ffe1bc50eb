// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tidegate/status.h"
#include "tidegate/time.h"
#include "types/batch.h"

namespace tidegate {

/// Event times of the rows of a batch, from where the operator was told to look. Holds until the
/// next read(), as long as the batch does.
class RowTimes {
 public:
  /// `column`: a BIGINT column of milliseconds or a timestamp column (finer ones are rounded down);
  /// -1: the times attached to the rows. kInvalidPlan when there are none, kTypeMismatch when the
  /// column is of another type.
  Status read(const Batch& batch, int column);

  EventTime operator[](std::int64_t row) const { return times_[static_cast<std::size_t>(row)]; }
  bool has_nulls() const { return nulls_ != nullptr; }
  bool is_null(std::int64_t row) const {
    return nulls_ != nullptr &&
           (nulls_[(null_offset_ + row) >> 3] >> ((null_offset_ + row) & 7) & 1) == 0;
  }

 private:
  std::span<const EventTime> times_;
  std::vector<EventTime> own_times_;     // where they had to be converted
  const std::uint8_t* nulls_ = nullptr;  // validity bitmap of the column
  std::int64_t null_offset_ = 0;
};

}  // namespace tidegate
