// SPDX-License-Identifier: Apache-2.0
#include "operators/event_times.h"

#include <arrow/array/array_base.h>
#include <arrow/type.h>

#include "base/check.h"
#include "windows/sliced_window.h"

namespace tidegate {

Status EventTimes::read(const Batch& batch, int column) {
  nulls_.reset();
  if (column < 0) {
    times_ = batch.event_times();
    if (times_.empty() && !batch.empty()) {
      return Status(ErrorCode::kInvalidPlan, "the rows of a window have no event time",
                    "Say where event time stands, for example with event_time() or WATERMARK FOR.");
    }
    return Status::ok();
  }
  const std::shared_ptr<arrow::Array>& array = batch.column(column);
  if (array->null_count() > 0) nulls_ = array;
  const EventTime* values = array->data()->GetValues<EventTime>(1);
  if (array->type_id() == arrow::Type::INT64) {
    times_ = {values, static_cast<std::size_t>(batch.num_rows())};
    return Status::ok();
  }
  if (array->type_id() != arrow::Type::TIMESTAMP) {
    return error(ErrorCode::kTypeMismatch, "event time cannot be of type {}",
                 array->type()->ToString());
  }
  switch (static_cast<const arrow::TimestampType&>(*array->type()).unit()) {
    case arrow::TimeUnit::SECOND:
      return error(ErrorCode::kTypeMismatch, "event time cannot be a timestamp of seconds");
    case arrow::TimeUnit::MILLI:
      times_ = {values, static_cast<std::size_t>(batch.num_rows())};
      return Status::ok();
    case arrow::TimeUnit::MICRO:
      convert(values, batch.num_rows(), 1000);
      return Status::ok();
    case arrow::TimeUnit::NANO:
      convert(values, batch.num_rows(), 1000000);
      return Status::ok();
  }
  return Status::ok();
}

Status EventTimes::read_slice_ends(const Batch& batch, int column) {
  nulls_.reset();
  if (column >= batch.num_columns() || batch.column(column)->type_id() != arrow::Type::INT64) {
    return error(ErrorCode::kStateCorrupt, "column {} does not hold ends of slices", column);
  }
  const EventTime* ends = batch.column(column)->data()->GetValues<EventTime>(1);
  converted_.resize(static_cast<std::size_t>(batch.num_rows()));
  for (std::size_t row = 0; row < converted_.size(); ++row) converted_[row] = ends[row] - 1;
  times_ = converted_;
  return Status::ok();
}

void EventTimes::convert(const EventTime* values, std::int64_t num_rows,
                         std::int64_t units_per_ms) {
  converted_.resize(static_cast<std::size_t>(num_rows));
  for (std::int64_t row = 0; row < num_rows; ++row) {
    converted_[static_cast<std::size_t>(row)] =
        floor_time(values[row], units_per_ms, 0) / units_per_ms;
  }
  times_ = converted_;
}

bool EventTimes::is_null(std::int64_t row) const {
  return nulls_ != nullptr && nulls_->IsNull(row);
}

}  // namespace tidegate
