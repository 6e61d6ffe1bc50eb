// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tidegate/status.h"
#include "tidegate/time.h"
#include "types/batch.h"

namespace tidegate {

/// The event times of the rows of a batch in milliseconds, from a column (TIMESTAMP, TIMESTAMP_LTZ
/// of any precision, or BIGINT ms) or attached. Points into the batch where it can.
class EventTimes {
 public:
  /// `column` -1: attached times; kInvalidPlan when the batch has none.
  Status read(const Batch& batch, int column);

  /// A time within each slice, from a BIGINT column of ends of slices.
  Status read_slice_ends(const Batch& batch, int column);

  /// One per row; of a row without time, anything.
  std::span<const EventTime> times() const { return times_; }
  bool has_nulls() const { return nulls_ != nullptr; }
  bool is_null(std::int64_t row) const;

 private:
  void convert(const EventTime* values, std::int64_t num_rows, std::int64_t units_per_ms);

  std::span<const EventTime> times_;
  std::shared_ptr<arrow::Array> nulls_;  // the column, when some of it is null
  std::vector<EventTime> converted_;
};

}  // namespace tidegate
