// SPDX-License-Identifier: Apache-2.0
//
// Casts among DATE, TIME, TIMESTAMP and TIMESTAMP_LTZ. They go by the local time, which for
// instants is that of the session's zone; a smaller precision cuts digits off.
#include "expr/map_values.h"
#include "functions/cast_kernels.h"
#include "types/civil_time.h"
#include "types/time_zone.h"

namespace tidegate {

namespace {

bool is_time_type(const LogicalType& type) {
  return type.is_timestamp() || type.kind() == TypeKind::kDate || type.kind() == TypeKind::kTime;
}

/// A moment as seconds since 1970 and nanoseconds, so that no precision loses range.
struct Moment {
  std::int64_t seconds;
  std::int64_t nanos;
};

std::int64_t power_of_ten_64(int exponent) {
  return static_cast<std::int64_t>(power_of_ten(exponent));
}

Moment read(const LogicalType& type, std::int64_t value) {
  if (type.kind() == TypeKind::kDate) return {value * kSecondsPerDay, 0};
  const std::int64_t per_second = type.kind() == TypeKind::kTime
                                      ? time_units_per_second(type.precision())
                                      : timestamp_units_per_second(type.precision());
  const std::int64_t seconds = floor_div(value, per_second);
  return {seconds, (value - seconds * per_second) * (kNanosPerSecond / per_second)};
}

/// None when the type's unit cannot hold it (years past 2262 in nanoseconds).
std::optional<std::int64_t> write(const LogicalType& type, Moment moment) {
  if (type.kind() == TypeKind::kDate) return floor_div(moment.seconds, kSecondsPerDay);
  const std::int64_t nanos = moment.nanos - moment.nanos % power_of_ten_64(9 - type.precision());
  if (type.kind() == TypeKind::kTime) {
    const std::int64_t of_day = floor_mod(moment.seconds, kSecondsPerDay) * kNanosPerSecond + nanos;
    return of_day / (kNanosPerSecond / time_units_per_second(type.precision()));
  }
  const std::int64_t per_second = timestamp_units_per_second(type.precision());
  std::int64_t out = 0;
  if (__builtin_mul_overflow(moment.seconds, per_second, &out) ||
      __builtin_add_overflow(out, nanos / (kNanosPerSecond / per_second), &out))
    return std::nullopt;
  return out;
}

/// To local time from an instant, and back.
enum class Shift : std::uint8_t { kNone, kToLocal, kToUtc };

Shift shift_of(const LogicalType& from, const LogicalType& to) {
  const bool from_instant = from.kind() == TypeKind::kTimestampLtz;
  const bool to_instant = to.kind() == TypeKind::kTimestampLtz;
  if (from_instant == to_instant) return Shift::kNone;
  return from_instant ? Shift::kToLocal : Shift::kToUtc;
}

template <typename To, typename From>
Result<ArrayPtr> cast_moments(const LogicalType& from, const LogicalType& to, Shift shift,
                              const TimeZone& zone, const ArrayPtr& values) {
  const Argument argument{values, false};
  return map_values<To, From>(to, {&argument, 1}, values->length(),
                              [&](From value) -> std::optional<To> {
                                Moment moment = read(from, value);
                                if (shift == Shift::kToLocal)
                                  moment.seconds += zone.offset_seconds(moment.seconds);
                                if (shift == Shift::kToUtc)
                                  moment.seconds = zone.to_utc_seconds(moment.seconds);
                                const std::optional<std::int64_t> out = write(to, moment);
                                if (!out) return std::nullopt;
                                return static_cast<To>(*out);
                              });
}

}  // namespace

std::optional<CastKernel> find_time_cast(const LogicalType& from, const LogicalType& to) {
  if (!is_time_type(from) || !is_time_type(to)) return std::nullopt;
  if ((from.kind() == TypeKind::kDate && to.kind() == TypeKind::kTime) ||
      (from.kind() == TypeKind::kTime && to.kind() == TypeKind::kDate))
    return std::nullopt;
  const Shift shift = shift_of(from, to);
  return CastKernel{
      .cast = [from, to, shift](const ArrayPtr& values, EvalContext& context) -> Result<ArrayPtr> {
        TimeZone zone;
        if (shift != Shift::kNone) {
          TG_ASSIGN_OR_RETURN(zone, TimeZone::find(context.time_zone));
        }
        return with_physical_type(from, [&]<typename From>() {
          return with_physical_type(to, [&]<typename To>() -> Result<ArrayPtr> {
            if constexpr (std::is_integral_v<From> && std::is_integral_v<To>)
              return cast_moments<To, From>(from, to, shift, zone, values);
            else
              return null_column(to.arrow_type(), values->length());
          });
        });
      },
      .uses_context = shift != Shift::kNone};
}

}  // namespace tidegate
