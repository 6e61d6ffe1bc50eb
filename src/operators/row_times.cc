// SPDX-License-Identifier: Apache-2.0
#include "operators/row_times.h"

#include <arrow/array/array_base.h>
#include <arrow/array/data.h>
#include <arrow/type.h>

#include "base/check.h"

namespace tidegate {
namespace {

/// How many of a column's units make a millisecond; 0 for types that are no event time.
std::int64_t units_per_ms(const arrow::DataType& type) {
  if (type.id() == arrow::Type::INT64) return 1;
  if (type.id() != arrow::Type::TIMESTAMP) return 0;
  switch (static_cast<const arrow::TimestampType&>(type).unit()) {
    case arrow::TimeUnit::MILLI:
      return 1;
    case arrow::TimeUnit::MICRO:
      return 1'000;
    case arrow::TimeUnit::NANO:
      return 1'000'000;
    default:
      return 0;
  }
}

/// Rounds towards the past, also before 1970.
EventTime floor_divide(std::int64_t value, std::int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

}  // namespace

Status RowTimes::read(const Batch& batch, int column) {
  nulls_ = nullptr;
  if (column < 0) {
    times_ = batch.event_times();
    if (times_.empty() && !batch.empty()) {
      return error(ErrorCode::kInvalidPlan, "its rows carry no event time, and no column is named");
    }
    return Status::ok();
  }
  const arrow::ArrayData& data = *batch.column(column)->data();
  const std::int64_t units = units_per_ms(*data.type);
  if (units == 0) {
    return error(ErrorCode::kTypeMismatch,
                 "column {} is {}, but event time is a timestamp or BIGINT", column,
                 data.type->ToString());
  }
  if (data.GetNullCount() > 0) {
    nulls_ = data.buffers[0]->data();
    null_offset_ = data.offset;
  }
  times_ = {data.GetValues<EventTime>(1), static_cast<std::size_t>(data.length)};
  if (units == 1) return Status::ok();
  own_times_.resize(times_.size());
  for (std::size_t i = 0; i < times_.size(); ++i) own_times_[i] = floor_divide(times_[i], units);
  times_ = own_times_;
  return Status::ok();
}

}  // namespace tidegate
