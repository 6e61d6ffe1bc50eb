// SPDX-License-Identifier: Apache-2.0
#include "functions/moment_arithmetic.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "expr/map_values.h"
#include "expr/type_rules.h"
#include "types/civil_time.h"

namespace tidegate {

namespace {

bool is_interval(const LogicalType& type) {
  return type.kind() == TypeKind::kIntervalYearMonth || type.kind() == TypeKind::kIntervalDayTime;
}
bool is_moment(const LogicalType& type) {
  return type.is_timestamp() || type.kind() == TypeKind::kDate || type.kind() == TypeKind::kTime;
}

std::int64_t wrapped_sum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t wrapped_product(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}

/// A bound function of (moment, interval), with the arguments exchanged when `swapped`.
template <typename Moment, typename Interval, typename F>
BoundFunction on_moment(std::vector<LogicalType> types, const LogicalType& result, bool swapped,
                        F f) {
  BoundFunction bound;
  bound.result_type = result.with_nullable(any_nullable(types));
  if (swapped) std::swap(types[0], types[1]);
  bound.argument_types = std::move(types);
  bound.can_fail = false;
  bound.evaluate = [type = bound.result_type, swapped, f](std::span<const Argument> args,
                                                          std::int64_t num_rows, EvalContext&) {
    const Argument ordered[] = {args[swapped ? 1 : 0], args[swapped ? 0 : 1]};
    return map_values<Moment, Moment, Interval>(type, ordered, num_rows, f);
  };
  return bound;
}

BoundFunction add_to_date(const LogicalType& date, const LogicalType& interval, bool swapped,
                          int sign) {
  if (interval.kind() == TypeKind::kIntervalYearMonth) {
    return on_moment<std::int32_t, std::int32_t>(
        {date, interval}, date, swapped, [sign](std::int32_t days, std::int32_t months) {
          return static_cast<std::int32_t>(add_months(days, std::int64_t{sign} * months));
        });
  }
  return on_moment<std::int32_t, std::int64_t>(
      {date, interval}, date, swapped, [sign](std::int32_t days, std::int64_t ms) {
        return static_cast<std::int32_t>(
            wrapped_sum(days, floor_div(wrapped_product(sign, ms), kMsPerDay)));
      });
}

BoundFunction add_to_timestamp(const LogicalType& timestamp, const LogicalType& interval,
                               bool swapped, int sign) {
  const int precision = timestamp.precision();
  if (interval.kind() == TypeKind::kIntervalYearMonth) {
    return on_moment<std::int64_t, std::int32_t>(
        {timestamp, interval}, timestamp, swapped,
        [sign, precision](std::int64_t value, std::int32_t months) {
          return add_months_to_timestamp(value, precision, std::int64_t{sign} * months);
        });
  }
  const std::int64_t units_per_ms = timestamp_units_per_second(precision) / 1000 * sign;
  return on_moment<std::int64_t, std::int64_t>({timestamp, interval}, timestamp, swapped,
                                               [units_per_ms](std::int64_t value, std::int64_t ms) {
                                                 return wrapped_sum(
                                                     value, wrapped_product(ms, units_per_ms));
                                               });
}

std::optional<BoundFunction> add_to_time(const LogicalType& time, const LogicalType& interval,
                                         bool swapped, int sign) {
  if (interval.kind() != TypeKind::kIntervalDayTime) return std::nullopt;
  const std::int64_t units_per_ms = time_units_per_second(time.precision()) / 1000;
  const auto add = [sign, units_per_ms](std::int64_t value, std::int64_t ms) {
    const std::int64_t shift = floor_mod(wrapped_product(sign, ms), kMsPerDay) * units_per_ms;
    return (value + shift) % (kMsPerDay * units_per_ms);
  };
  if (time.precision() > 3)
    return on_moment<std::int64_t, std::int64_t>({time, interval}, time, swapped, add);
  return on_moment<std::int32_t, std::int64_t>({time, interval}, time, swapped,
                                               [add](std::int32_t value, std::int64_t ms) {
                                                 return static_cast<std::int32_t>(add(value, ms));
                                               });
}

std::optional<BoundFunction> add_to_moment(const LogicalType& moment, const LogicalType& interval,
                                           const ArrayPtr& constant, bool swapped, int sign) {
  switch (moment.kind()) {
    case TypeKind::kTime:
      return add_to_time(moment, interval, swapped, sign);
    case TypeKind::kDate: {
      const bool part_of_day = interval.kind() == TypeKind::kIntervalDayTime &&
                               constant != nullptr && constant->IsValid(0) &&
                               ValueReader<std::int64_t>(*constant)[0] % kMsPerDay != 0;
      if (!part_of_day) return add_to_date(moment, interval, swapped, sign);
      return add_to_timestamp(LogicalType::timestamp(3, moment.nullable()), interval, swapped,
                              sign);
    }
    default:
      return add_to_timestamp(moment, interval, swapped, sign);
  }
}

template <typename T>
BoundFunction add_intervals(const LogicalType& type, int sign) {
  return on_moment<T, T>({type, type}, type, false, [sign](T a, T b) {
    return static_cast<T>(wrapped_sum(a, wrapped_product(sign, b)));
  });
}

/// The time from b to a, in milliseconds.
BoundFunction between_timestamps(const LogicalType& timestamp) {
  const std::int64_t units_per_ms = timestamp_units_per_second(timestamp.precision()) / 1000;
  return on_moment<std::int64_t, std::int64_t>(
      {timestamp, timestamp}, LogicalType(TypeKind::kIntervalDayTime), false,
      [units_per_ms](std::int64_t a, std::int64_t b) {
        return floor_div(wrapped_sum(a, wrapped_product(b, -1)), units_per_ms);
      });
}

}  // namespace

std::int64_t add_months(std::int64_t days, std::int64_t months) {
  const CivilDate date = civil_from_days(days);
  const std::int64_t total = date.year * 12 + (date.month - 1) + months;
  const std::int64_t year = floor_div(total, 12);
  const int month = static_cast<int>(floor_mod(total, 12)) + 1;
  return days_from_civil(year, month, std::min(date.day, days_in_month(year, month)));
}

std::int64_t add_months_to_timestamp(std::int64_t value, int precision, std::int64_t months) {
  const std::int64_t per_day = timestamp_units_per_second(precision) * kSecondsPerDay;
  const std::int64_t days = floor_div(value, per_day);
  return wrapped_sum(wrapped_product(add_months(days, months), per_day), value - days * per_day);
}

std::optional<BoundFunction> bind_moment_sum(std::span<const LogicalType> arguments,
                                             std::span<const ArrayPtr> constants, int sign) {
  const LogicalType& a = arguments[0];
  const LogicalType& b = arguments[1];
  if (is_moment(a) && is_interval(b)) return add_to_moment(a, b, constants[1], false, sign);
  if (is_interval(a) && is_moment(b) && sign > 0)
    return add_to_moment(b, a, constants[0], true, sign);
  const bool nullable = a.nullable() || b.nullable();
  if (is_interval(a) && a.kind() == b.kind()) {
    const LogicalType type = a.with_nullable(nullable);
    return a.kind() == TypeKind::kIntervalYearMonth ? add_intervals<std::int32_t>(type, sign)
                                                    : add_intervals<std::int64_t>(type, sign);
  }
  const auto on_time_line = [](const LogicalType& t) {
    return t.is_timestamp() || t.kind() == TypeKind::kDate;
  };
  if (sign < 0 && on_time_line(a) && on_time_line(b)) {
    std::optional<LogicalType> common = common_type(a, b);
    if (common->kind() == TypeKind::kDate) common = LogicalType::timestamp(3, nullable);
    return between_timestamps(*common);
  }
  return std::nullopt;
}

}  // namespace tidegate
