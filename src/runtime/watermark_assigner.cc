// SPDX-License-Identifier: Apache-2.0
#include "runtime/watermark_assigner.h"

#include <arrow/array/array_primitive.h>
#include <arrow/buffer.h>
#include <arrow/type.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "runtime/guard.h"
#include "types/arrow_status.h"

namespace tidegate {
namespace {

struct TimeRange {
  EventTime min = kMaxWatermark;
  EventTime max = kMinWatermark;
};

TimeRange range_of(std::span<const EventTime> times) {
  TimeRange range;
  for (EventTime time : times) {
    range.min = std::min(range.min, time);
    range.max = std::max(range.max, time);
  }
  return range;
}

Result<std::shared_ptr<arrow::Buffer>> allocate_times(std::int64_t num_rows) {
  constexpr auto kWidth = static_cast<std::int64_t>(sizeof(EventTime));
  TG_ASSIGN_ARROW_OR_RETURN(std::shared_ptr<arrow::Buffer> buffer,
                            arrow::AllocateBuffer(num_rows * kWidth), "read event times");
  return buffer;
}

// Rounds towards the past: 1.5 ms before 1970 is -2 ms.
template <std::int64_t kUnitsPerMs>
void floor_to_ms(const std::int64_t* from, std::int64_t count, EventTime* to) {
  for (std::int64_t i = 0; i < count; ++i)
    to[i] = from[i] / kUnitsPerMs - (from[i] % kUnitsPerMs < 0 ? 1 : 0);
}

// 0: seconds, which are multiplied instead; -1: no type of event time.
std::int64_t units_per_ms(const arrow::DataType& type) {
  if (type.id() == arrow::Type::INT64) return 1;
  if (type.id() != arrow::Type::TIMESTAMP) return -1;
  switch (static_cast<const arrow::TimestampType&>(type).unit()) {
    case arrow::TimeUnit::SECOND:
      return 0;
    case arrow::TimeUnit::MILLI:
      return 1;
    case arrow::TimeUnit::MICRO:
      return 1'000;
    case arrow::TimeUnit::NANO:
      return 1'000'000;
  }
  return -1;
}

std::int64_t first_null(const arrow::Array& column) {
  std::int64_t row = 0;
  while (row < column.length() && !column.IsNull(row)) ++row;
  return row;
}

}  // namespace

WatermarkAssigner::WatermarkAssigner(const WatermarkStrategy& strategy, TimeGrain grain,
                                     const Schema& schema, EventTime watermark, EventTime max_time)
    : strategy_(strategy),
      grain_(grain),
      schema_(schema),
      generator_(strategy.kind == WatermarkStrategy::Kind::kCustom ? strategy.custom() : nullptr),
      watermark_(watermark),
      max_time_(max_time) {}

Status WatermarkAssigner::assign(Batch batch, std::int64_t first_row, std::vector<Piece>& pieces) {
  if (batch.empty()) return Status::ok();
  if (strategy_.kind == WatermarkStrategy::Kind::kNone) {
    pieces.push_back({std::move(batch), watermark_});
    return Status::ok();
  }
  TG_RETURN_IF_ERROR(set_event_times(batch, first_row));
  const std::span<const EventTime> times = batch.event_times();
  const TimeRange range = range_of(times);
  max_time_ = std::max(max_time_, range.max);
  if (counts_) count(times);
  if (stands_still_) {
    pieces.push_back({std::move(batch), watermark_});
    return Status::ok();
  }
  if (generator_ != nullptr) {
    return guarded([&] {
      cut(batch, times, pieces);
      return Status::ok();
    });
  }
  const EventTime reached = std::max(watermark_, watermark_at(range.max));
  if (needs_cuts(range.min, reached)) {
    cut(batch, times, pieces);
  } else {
    watermark_ = reached;
    pieces.push_back({std::move(batch), reached});
  }
  return Status::ok();
}

void WatermarkAssigner::collect_times(bool stands_still) {
  counts_ = true;
  stands_still_ = stands_still;
}

// kMinWatermark is a row without event time.
void WatermarkAssigner::count(std::span<const EventTime> times) {
  for (const EventTime time : times) {
    if (time == kMinWatermark) continue;
    ++times_.times;
    times_.min_time = std::min(times_.min_time, time);
    times_.max_time = std::max(times_.max_time, time);
    times_.sum_of_times += static_cast<double>(time);
  }
}

void WatermarkAssigner::raise(EventTime watermark) {
  if (stands_still_) return;
  watermark_ = std::max(watermark_, std::min(watermark, kMaxWatermark - 1));
}

// No cut is needed when no point of the grain is passed, or when no row is behind the last point
// that is passed.
bool WatermarkAssigner::needs_cuts(EventTime min_time, EventTime reached) const {
  const EventTime point = grain_.floor(reached);
  if (point <= grain_.floor(watermark_)) return false;
  return grain_.orders_rows || min_time < point;
}

// The point of the grain behind this one; kMinWatermark when floor() has to be asked again.
EventTime WatermarkAssigner::point_after(EventTime point) const {
  if (grain_.step_ms == 0 || point > kMaxWatermark - grain_.step_ms) return kMaxWatermark;
  return point == kMinWatermark ? kMinWatermark : point + grain_.step_ms;
}

// Row by row: in front of a row that is behind a point passed since the last cut, and, if somebody
// looks at the order of rows, behind a row that passes a point.
void WatermarkAssigner::cut(const Batch& batch, std::span<const EventTime> times,
                            std::vector<Piece>& pieces) {
  std::size_t begin = 0;
  EventTime announced = grain_.floor(watermark_);
  EventTime point = announced;  // the last one passed
  EventTime next_point = point_after(point);
  const auto cut_at = [&](std::size_t end) {
    pieces.push_back(
        {batch.slice(static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end - begin)),
         watermark_});
    begin = end;
    announced = point;
  };
  for (std::size_t row = 0; row < times.size(); ++row) {
    if (point > announced && times[row] < point) cut_at(row);
    const EventTime time =
        generator_ != nullptr ? generator_->on_row(times[row]) : watermark_at(times[row]);
    if (time <= watermark_) continue;
    watermark_ = std::min(time, kMaxWatermark - 1);
    if (watermark_ < next_point) continue;
    point = grain_.floor(watermark_);
    next_point = point_after(point);
    if (grain_.orders_rows && point > announced) cut_at(row + 1);
  }
  if (begin < times.size()) cut_at(times.size());
}

// kMaxWatermark is the end of all input, which no row may announce.
EventTime WatermarkAssigner::watermark_at(EventTime time) const {
  EventTime watermark = 0;
  if (__builtin_sub_overflow(time, strategy_.delay_ms, &watermark))
    watermark = strategy_.delay_ms > 0 ? kMinWatermark : kMaxWatermark;
  watermark = std::min(watermark, kMaxWatermark - 1);
  return strategy_.inclusive ? std::min(watermark + 1, kMaxWatermark - 1) : watermark;
}

Status WatermarkAssigner::set_event_times(Batch& batch, std::int64_t first_row) const {
  if (strategy_.extract) {
    TG_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> buffer, allocate_times(batch.num_rows()));
    EventTime* times = buffer->mutable_data_as<EventTime>();
    TG_RETURN_IF_ERROR(guarded([&] { return strategy_.extract(batch, times); }));
    batch.set_event_times(std::move(buffer));
    return Status::ok();
  }
  if (strategy_.column >= 0) return times_from_column(batch, first_row);
  if (batch.event_times().empty())
    return error(ErrorCode::kInvalidPlan, "its rows carry no event time, and no column is named");
  return Status::ok();
}

Status WatermarkAssigner::times_from_column(Batch& batch, std::int64_t first_row) const {
  const arrow::Array& column = *batch.column(strategy_.column);
  const Field& field = schema_.field(strategy_.column);
  if (column.null_count() > 0 && !stands_still_)
    return error(ErrorCode::kNullKey, "row {}: the event time '{}' is null",
                 first_row + first_null(column) + 1, field.name);
  const std::int64_t units = units_per_ms(*column.type());
  if (units < 0)
    return error(ErrorCode::kTypeMismatch, "'{}' is {}, but event time is a TIMESTAMP or a BIGINT",
                 field.name, field.type.to_string());
  // Timestamps are stored as int64 too.
  const arrow::ArrayData& data = *column.data();
  const std::int64_t* values = data.GetValues<std::int64_t>(1);
  constexpr auto kWidth = static_cast<std::int64_t>(sizeof(EventTime));
  if (units == 1) {
    batch.set_event_times(
        arrow::SliceBuffer(data.buffers[1], data.offset * kWidth, data.length * kWidth));
    return Status::ok();
  }
  TG_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> buffer, allocate_times(batch.num_rows()));
  EventTime* times = buffer->mutable_data_as<EventTime>();
  if (units == 1'000) {
    floor_to_ms<1'000>(values, data.length, times);
  } else if (units == 1'000'000) {
    floor_to_ms<1'000'000>(values, data.length, times);
  } else {
    for (std::int64_t row = 0; row < data.length; ++row) {
      if (__builtin_mul_overflow(values[row], std::int64_t{1'000}, &times[row]))
        return error(ErrorCode::kNumericOverflow, "row {}: the event time '{}' is {} s",
                     first_row + row + 1, field.name, values[row]);
    }
  }
  batch.set_event_times(std::move(buffer));
  return Status::ok();
}

}  // namespace tidegate
