// SPDX-License-Identifier: Apache-2.0
//
// Dates and times as days and nanoseconds of the day, whatever column they come from, and the units
// that SQL names.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "expr/function_registry.h"
#include "expr/map_values.h"
#include "types/civil_time.h"
#include "types/time_zone.h"

namespace tidegate {

/// Local time.
struct Moment {
  std::int64_t days = 0;   ///< since 1970
  std::int64_t nanos = 0;  ///< of the day
};

enum class TimeUnit : std::uint8_t {
  kNanosecond,
  kMicrosecond,
  kMillisecond,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kQuarter,
  kYear,
  kDecade,
  kCentury,
  kMillennium,
  // Only to extract.
  kDayOfWeek,     ///< 1 is Sunday
  kIsoDayOfWeek,  ///< 1 is Monday
  kDayOfYear,
  kIsoYear,
  kEpoch,
};

/// "HOUR", "hours", "SQL_TSI_HOUR", "DOW"; none for anything else.
std::optional<TimeUnit> parse_time_unit(std::string_view name);

/// The unit that a constant argument names, or kTypeMismatch.
Result<TimeUnit> constant_time_unit(std::string_view function, const LogicalType& type,
                                    const ArrayPtr& constant);

/// Nanoseconds of a unit up to a day.
std::int64_t nanos_of(TimeUnit unit);
/// Months of a unit from a month on, else 0.
std::int64_t months_of(TimeUnit unit);

inline bool is_time_type(const LogicalType& type) {
  return type.is_timestamp() || type.kind() == TypeKind::kDate || type.kind() == TypeKind::kTime;
}

/// A value of a DATE, TIME, TIMESTAMP or TIMESTAMP_LTZ column as a moment, and back.
class MomentCodec {
 public:
  MomentCodec(const LogicalType& type, const TimeZone& zone)
      : kind_(type.kind()),
        per_second_(kind_ == TypeKind::kTime ? time_units_per_second(type.precision())
                                             : timestamp_units_per_second(type.precision())),
        zone_(kind_ == TypeKind::kTimestampLtz && !zone.is_utc() ? &zone : nullptr) {}

  Moment read(std::int64_t value) const {
    if (kind_ == TypeKind::kDate) return {value, 0};
    if (zone_ != nullptr)
      value += zone_->offset_seconds(floor_div(value, per_second_)) * per_second_;
    const std::int64_t per_day = per_second_ * kSecondsPerDay;
    const std::int64_t days = floor_div(value, per_day);
    return {days, (value - days * per_day) * (kNanosPerSecond / per_second_)};
  }

  /// Wraps around past the range of the column; digits past its unit are cut off.
  std::int64_t write(const Moment& moment) const {
    if (kind_ == TypeKind::kDate) return moment.days;
    const std::int64_t nanos_per_unit = kNanosPerSecond / per_second_;
    auto value =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(moment.days) *
                                      static_cast<std::uint64_t>(per_second_ * kSecondsPerDay) +
                                  static_cast<std::uint64_t>(moment.nanos / nanos_per_unit));
    if (zone_ == nullptr) return value;
    const std::int64_t seconds = floor_div(value, per_second_);
    return value - (seconds - zone_->to_utc_seconds(seconds)) * per_second_;
  }

 private:
  TypeKind kind_;
  std::int64_t per_second_;
  const TimeZone* zone_;
};

/// out = f(moment) for each row of a date or time column; f answers Out, or std::optional<Out>.
template <typename Out, typename F>
Result<ArrayPtr> map_moments(const LogicalType& result, const LogicalType& type,
                             const Argument& argument, std::int64_t num_rows, EvalContext& context,
                             F f) {
  TimeZone zone;
  if (type.kind() == TypeKind::kTimestampLtz) {
    TG_ASSIGN_OR_RETURN(zone, TimeZone::find(context.time_zone));
  }
  const MomentCodec codec(type, zone);
  return with_physical_type(type, [&]<typename In>() -> Result<ArrayPtr> {
    if constexpr (std::is_same_v<In, std::int32_t> || std::is_same_v<In, std::int64_t>) {
      return map_values<Out, In>(result, {&argument, 1}, num_rows,
                                 [&](In value) { return f(codec.read(value)); });
    } else {
      return null_column(result.arrow_type(), num_rows);
    }
  });
}

/// The time of the batch at hand, in milliseconds since 1970.
std::int64_t now_ms(EvalContext& context);

}  // namespace tidegate
