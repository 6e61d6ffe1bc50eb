// SPDX-License-Identifier: Apache-2.0
#include "functions/time_rounding.h"

#include "functions/binding.h"
#include "functions/moment_arithmetic.h"
#include "functions/time_fields.h"

namespace tidegate {

namespace {

/// The start of the unit that holds the moment. Weeks start on Sunday, as in Calcite; centuries and
/// millennia with a year 1 (2001).
Moment floor_to(TimeUnit unit, const Moment& moment) {
  if (unit <= TimeUnit::kHour) return {moment.days, moment.nanos - moment.nanos % nanos_of(unit)};
  if (unit == TimeUnit::kDay) return {moment.days, 0};
  if (unit == TimeUnit::kWeek) return {moment.days - floor_mod(moment.days + 4, 7), 0};
  const CivilDate date = civil_from_days(moment.days);
  const std::int64_t first_year = unit >= TimeUnit::kCentury ? 1 : 0;
  const std::int64_t months = (date.year - first_year) * 12 + date.month - 1;
  const std::int64_t start = floor_div(months, months_of(unit)) * months_of(unit);
  return {days_from_civil(floor_div(start, 12) + first_year,
                          static_cast<int>(floor_mod(start, 12)) + 1, 1),
          0};
}

/// The start of the next unit.
Moment next(TimeUnit unit, const Moment& start) {
  if (unit <= TimeUnit::kHour) {
    const std::int64_t nanos = start.nanos + nanos_of(unit);
    return {start.days + nanos / kNanosPerDay, nanos % kNanosPerDay};
  }
  if (unit == TimeUnit::kDay) return {start.days + 1, 0};
  if (unit == TimeUnit::kWeek) return {start.days + 7, 0};
  return {add_months(start.days, months_of(unit)), 0};
}

Moment round(TimeUnit unit, bool up, const Moment& moment) {
  const Moment start = floor_to(unit, moment);
  const bool exact = start.days == moment.days && start.nanos == moment.nanos;
  return up && !exact ? next(unit, start) : start;
}

}  // namespace

Result<BoundFunction> bind_time_rounding(const char* function, bool up,
                                         std::span<const LogicalType> arguments,
                                         std::span<const ArrayPtr> constants) {
  const LogicalType& type = arguments[0];
  TG_ASSIGN_OR_RETURN(const TimeUnit unit,
                      constant_time_unit(function, arguments[1], constants[1]));
  if (!is_time_type(type) || unit > TimeUnit::kMillennium ||
      (type.kind() == TypeKind::kTime && unit > TimeUnit::kDay))
    return argument_mismatch(function, "a date or time and a unit that it has", arguments);
  BoundFunction bound;
  bound.result_type = type;
  bound.can_fail = false;
  bound.uses_context = type.kind() == TypeKind::kTimestampLtz;
  bound.evaluate = [type, unit, up](std::span<const Argument> args, std::int64_t num_rows,
                                    EvalContext& context) -> Result<ArrayPtr> {
    TG_ASSIGN_OR_RETURN(const TimeZone zone, TimeZone::find(context.time_zone));
    const MomentCodec codec(type, zone);
    return with_physical_type(type, [&]<typename T>() -> Result<ArrayPtr> {
      if constexpr (std::is_same_v<T, std::int32_t> || std::is_same_v<T, std::int64_t>) {
        return map_moments<T>(type, type, args[0], num_rows, context, [&](const Moment& moment) {
          return static_cast<T>(codec.write(round(unit, up, moment)));
        });
      } else {
        return null_column(type.arrow_type(), num_rows);
      }
    });
  };
  return bound;
}

}  // namespace tidegate
