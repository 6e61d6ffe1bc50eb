// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "functions/binding.h"
#include "functions/time_fields.h"

namespace tidegate {

namespace {

/// 1 is Monday.
int iso_day_of_week(std::int64_t days) { return static_cast<int>(floor_mod(days + 3, 7)) + 1; }

/// Weeks start on Monday and belong to the year that holds their Thursday.
std::int64_t thursday_of_week(std::int64_t days) { return days - iso_day_of_week(days) + 4; }

std::int64_t extract(TimeUnit unit, const Moment& moment) {
  const auto date = [&moment] { return civil_from_days(moment.days); };
  switch (unit) {
    case TimeUnit::kNanosecond:
      return moment.nanos % kNanosPerSecond;
    case TimeUnit::kMicrosecond:
      return moment.nanos % kNanosPerSecond / 1'000;
    case TimeUnit::kMillisecond:
      return moment.nanos % kNanosPerSecond / 1'000'000;
    case TimeUnit::kSecond:
      return moment.nanos / kNanosPerSecond % 60;
    case TimeUnit::kMinute:
      return moment.nanos / (60 * kNanosPerSecond) % 60;
    case TimeUnit::kHour:
      return moment.nanos / (3600 * kNanosPerSecond);
    case TimeUnit::kDay:
      return date().day;
    case TimeUnit::kWeek: {
      const std::int64_t thursday = thursday_of_week(moment.days);
      return (thursday - days_from_civil(civil_from_days(thursday).year, 1, 1)) / 7 + 1;
    }
    case TimeUnit::kMonth:
      return date().month;
    case TimeUnit::kQuarter:
      return (date().month - 1) / 3 + 1;
    case TimeUnit::kYear:
      return date().year;
    case TimeUnit::kDecade:
      return floor_div(date().year, 10);
    case TimeUnit::kCentury:
      return floor_div(date().year + 99, 100);
    case TimeUnit::kMillennium:
      return floor_div(date().year + 999, 1000);
    case TimeUnit::kDayOfWeek:
      return iso_day_of_week(moment.days) % 7 + 1;
    case TimeUnit::kIsoDayOfWeek:
      return iso_day_of_week(moment.days);
    case TimeUnit::kDayOfYear:
      return moment.days - days_from_civil(date().year, 1, 1) + 1;
    case TimeUnit::kIsoYear:
      return civil_from_days(thursday_of_week(moment.days)).year;
    case TimeUnit::kEpoch:
      return moment.days * kSecondsPerDay + moment.nanos / kNanosPerSecond;
  }
  return 0;
}

/// Parts of intervals; of their absolute value, with the sign put back.
std::optional<std::int64_t> months_field(TimeUnit unit, std::int64_t months) {
  if (unit == TimeUnit::kYear) return months / 12;
  if (unit == TimeUnit::kMonth) return months % 12;
  return std::nullopt;
}
std::optional<std::int64_t> millis_field(TimeUnit unit, std::int64_t ms) {
  switch (unit) {
    case TimeUnit::kDay:
      return ms / kMsPerDay;
    case TimeUnit::kHour:
      return ms / 3'600'000 % 24;
    case TimeUnit::kMinute:
      return ms / 60'000 % 60;
    case TimeUnit::kSecond:
      return ms / 1'000 % 60;
    case TimeUnit::kMillisecond:
      return ms % 1'000;
    case TimeUnit::kEpoch:
      return ms / 1'000;
    default:
      return std::nullopt;
  }
}

bool is_part_of_day(TimeUnit unit) { return unit <= TimeUnit::kHour; }

/// True when a value of the type has such a part.
bool has_field(const LogicalType& type, TimeUnit unit) {
  switch (type.kind()) {
    case TypeKind::kTime:
      return is_part_of_day(unit);
    case TypeKind::kIntervalYearMonth:
      return months_field(unit, 0).has_value();
    case TypeKind::kIntervalDayTime:
      return millis_field(unit, 0).has_value();
    default:
      return type.is_timestamp() || type.kind() == TypeKind::kDate;
  }
}

Result<ArrayPtr> evaluate_extract(const LogicalType& type, const LogicalType& result, TimeUnit unit,
                                  const Argument& argument, std::int64_t num_rows,
                                  EvalContext& context) {
  if (type.kind() == TypeKind::kIntervalYearMonth) {
    return map_values<std::int64_t, std::int32_t>(
        result, {&argument, 1}, num_rows,
        [unit](std::int32_t months) { return *months_field(unit, months); });
  }
  if (type.kind() == TypeKind::kIntervalDayTime) {
    return map_values<std::int64_t, std::int64_t>(
        result, {&argument, 1}, num_rows,
        [unit](std::int64_t ms) { return *millis_field(unit, ms); });
  }
  // The epoch of an instant is the same in every zone.
  EvalContext utc;
  const bool in_utc = unit == TimeUnit::kEpoch;
  return map_moments<std::int64_t>(result, type, argument, num_rows, in_utc ? utc : context,
                                   [unit](const Moment& moment) { return extract(unit, moment); });
}

Result<BoundFunction> bind_extract(std::span<const LogicalType> arguments,
                                   std::span<const ArrayPtr> constants) {
  if (arguments.size() != 2)
    return argument_mismatch("EXTRACT", "a unit of time and a date or time", arguments);
  TG_ASSIGN_OR_RETURN(const TimeUnit unit,
                      constant_time_unit("EXTRACT", arguments[0], constants[0]));
  const LogicalType& type = arguments[1];
  if (!has_field(type, unit)) {
    return argument_mismatch("EXTRACT", "a unit of time and a date or time that has it",
                             arguments.subspan(1));
  }
  BoundFunction bound;
  bound.result_type = LogicalType(TypeKind::kBigInt, type.nullable());
  bound.can_fail = false;
  bound.uses_context = type.kind() == TypeKind::kTimestampLtz;
  bound.evaluate = [type, unit, result = bound.result_type](std::span<const Argument> args,
                                                            std::int64_t num_rows,
                                                            EvalContext& context) {
    return evaluate_extract(type, result, unit, args[1], num_rows, context);
  };
  return bound;
}

void add_shorthand(FunctionRegistry& registry, const char* name, const char* unit,
                   const char* result) {
  registry.add({.name = name,
                .category = "time",
                .signature = std::string(name) + "(date or time)",
                .description = std::string("The same as EXTRACT(") + unit + " FROM ..).",
                .examples = {{std::string(name) + "(TIMESTAMP '2020-10-15 12:34:56')", result}},
                .rewrite = [name, unit](std::span<const ExprPtr> arguments) -> Result<ExprPtr> {
                  TG_RETURN_IF_ERROR(check_argument_count(name, arguments, 1, 1));
                  return call("EXTRACT", {lit(unit), arguments[0]});
                }});
}

}  // namespace

void register_function_extract(FunctionRegistry& registry) {
  registry.add({.name = "EXTRACT",
                .category = "time",
                .signature = "EXTRACT(unit FROM date or time)",
                .description =
                    "A part of a date or time: YEAR, QUARTER, MONTH, WEEK (of ISO 8601), DAY, DOY, "
                    "DOW (1 is Sunday), ISODOW (1 is Monday), ISOYEAR, HOUR, MINUTE, SECOND, "
                    "MILLISECOND, MICROSECOND, NANOSECOND (of the second), EPOCH, DECADE, CENTURY, "
                    "MILLENNIUM.",
                .examples = {{"EXTRACT(HOUR FROM TIMESTAMP '2020-10-15 12:34:56')", "12"},
                             {"EXTRACT(WEEK FROM DATE '2021-01-03')", "53"},
                             {"EXTRACT(DOW FROM DATE '2020-10-11')", "1"}},
                .bind_with_constants = bind_extract});
  add_shorthand(registry, "YEAR", "YEAR", "2020");
  add_shorthand(registry, "QUARTER", "QUARTER", "4");
  add_shorthand(registry, "MONTH", "MONTH", "10");
  add_shorthand(registry, "WEEK", "WEEK", "42");
  add_shorthand(registry, "DAYOFYEAR", "DOY", "289");
  add_shorthand(registry, "DAYOFMONTH", "DAY", "15");
  add_shorthand(registry, "DAYOFWEEK", "DOW", "5");
  add_shorthand(registry, "HOUR", "HOUR", "12");
  add_shorthand(registry, "MINUTE", "MINUTE", "34");
  add_shorthand(registry, "SECOND", "SECOND", "56");
}

}  // namespace tidegate
