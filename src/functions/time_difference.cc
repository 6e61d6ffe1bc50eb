// SPDX-License-Identifier: Apache-2.0
//
// TIMESTAMPADD and TIMESTAMPDIFF.
#include <algorithm>

#include "functions/binding.h"
#include "functions/moment_arithmetic.h"
#include "functions/time_fields.h"

namespace tidegate {

namespace {

/// Months that can be added to the day `from` without passing the day `to`, which is not before
/// it. From January 31st to February 29th it is one, since that is where one month later is.
std::int64_t whole_months(std::int64_t from, std::int64_t to) {
  const CivilDate first = civil_from_days(from);
  const CivilDate last = civil_from_days(to);
  const std::int64_t months = (last.year - first.year) * 12 + last.month - first.month;
  return add_months(from, months) > to ? months - 1 : months;
}

/// Calcite's rule, and so Flink's: by the days first; when the months lead to the day of b but its
/// time of the day has not come, it is one less, also for b before a.
std::int64_t months_between(const Moment& a, const Moment& b) {
  const std::int64_t months =
      a.days <= b.days ? whole_months(a.days, b.days) : -whole_months(b.days, a.days);
  return add_months(a.days, months) == b.days && b.nanos < a.nanos ? months - 1 : months;
}

/// Whole units from a to b, cut towards zero.
std::int64_t difference(TimeUnit unit, const Moment& a, const Moment& b) {
  const std::int64_t unit_months = months_of(unit);
  if (unit_months > 0) {
    return months_between(a, b) / unit_months;
  }
  const Int128 nanos = Int128{b.days - a.days} * kNanosPerDay + (b.nanos - a.nanos);
  const std::int64_t per_unit = nanos_of(unit) * (unit == TimeUnit::kWeek ? 7 : 1);
  return static_cast<std::int64_t>(nanos / per_unit);
}

Result<BoundFunction> bind_difference(std::span<const LogicalType> arguments,
                                      std::span<const ArrayPtr> constants) {
  constexpr const char* kTakes = "a unit of time and two dates or timestamps";
  if (arguments.size() != 3) return argument_mismatch("TIMESTAMPDIFF", kTakes, arguments);
  TG_ASSIGN_OR_RETURN(const TimeUnit unit,
                      constant_time_unit("TIMESTAMPDIFF", arguments[0], constants[0]));
  const auto is_time = [](const LogicalType& t) { return t.kind() == TypeKind::kTime; };
  const bool fits = is_time_type(arguments[1]) && is_time_type(arguments[2]) &&
                    is_time(arguments[1]) == is_time(arguments[2]) && unit <= TimeUnit::kMillennium;
  if (!fits) return argument_mismatch("TIMESTAMPDIFF", kTakes, arguments);
  // Both as timestamps that hold either, so that one kernel does.
  const bool instants = arguments[1].kind() == TypeKind::kTimestampLtz ||
                        arguments[2].kind() == TypeKind::kTimestampLtz;
  const int precision = std::max({arguments[1].precision(), arguments[2].precision(), 3});
  const auto moment_type = [&](const LogicalType& t) {
    return instants ? LogicalType::timestamp_ltz(precision, t.nullable())
                    : LogicalType::timestamp(precision, t.nullable());
  };
  BoundFunction bound;
  bound.argument_types = {arguments[0], moment_type(arguments[1]), moment_type(arguments[2])};
  bound.result_type =
      LogicalType(TypeKind::kInt, arguments[1].nullable() || arguments[2].nullable());
  bound.can_fail = false;
  bound.uses_context = instants;
  bound.evaluate = [unit, type = bound.argument_types[1], result = bound.result_type](
                       std::span<const Argument> args, std::int64_t num_rows,
                       EvalContext& context) -> Result<ArrayPtr> {
    TG_ASSIGN_OR_RETURN(const TimeZone zone, TimeZone::find(context.time_zone));
    const MomentCodec codec(type, zone);
    return map_values<std::int32_t, std::int64_t, std::int64_t>(
        result, args.subspan(1), num_rows, [&](std::int64_t a, std::int64_t b) {
          return static_cast<std::int32_t>(difference(unit, codec.read(a), codec.read(b)));
        });
  };
  return bound;
}

/// The type that holds `type` plus some units: a DATE plus hours is a TIMESTAMP.
LogicalType sum_type(const LogicalType& type, TimeUnit unit) {
  if (unit >= TimeUnit::kDay || type.kind() == TypeKind::kTime) return type;
  int precision = type.is_timestamp() ? type.precision() : 6;
  if (unit == TimeUnit::kMillisecond) precision = std::max(precision, 3);
  if (unit == TimeUnit::kMicrosecond) precision = std::max(precision, 6);
  if (unit == TimeUnit::kNanosecond) precision = 9;
  return type.kind() == TypeKind::kTimestampLtz
             ? LogicalType::timestamp_ltz(precision, type.nullable())
             : LogicalType::timestamp(precision, type.nullable());
}

Moment add(TimeUnit unit, const Moment& moment, std::int64_t count) {
  if (const std::int64_t months = months_of(unit); months > 0)
    return {add_months(moment.days, months * count), moment.nanos};
  if (unit >= TimeUnit::kDay)
    return {moment.days + count * (unit == TimeUnit::kWeek ? 7 : 1), moment.nanos};
  const Int128 nanos = Int128{count} * nanos_of(unit) + moment.nanos;
  std::int64_t days = static_cast<std::int64_t>(nanos / kNanosPerDay);
  auto rest = static_cast<std::int64_t>(nanos % kNanosPerDay);
  if (rest < 0) {
    rest += kNanosPerDay;
    --days;
  }
  return {moment.days + days, rest};
}

Result<BoundFunction> bind_add(std::span<const LogicalType> arguments,
                               std::span<const ArrayPtr> constants) {
  constexpr const char* kTakes = "a unit of time, a whole number and a date or timestamp";
  if (arguments.size() != 3) return argument_mismatch("TIMESTAMPADD", kTakes, arguments);
  TG_ASSIGN_OR_RETURN(const TimeUnit unit,
                      constant_time_unit("TIMESTAMPADD", arguments[0], constants[0]));
  const LogicalType& from = arguments[2];
  if (!arguments[1].is_integer() || !is_time_type(from) || unit > TimeUnit::kMillennium)
    return argument_mismatch("TIMESTAMPADD", kTakes, arguments);
  const LogicalType type = sum_type(from, unit);
  BoundFunction bound;
  bound.argument_types = {arguments[0], integer_type().with_nullable(arguments[1].nullable()),
                          type};
  bound.result_type = type.with_nullable(arguments[1].nullable() || from.nullable());
  bound.can_fail = false;
  bound.uses_context = from.kind() == TypeKind::kTimestampLtz;
  const bool wraps = from.kind() == TypeKind::kTime;
  bound.evaluate = [unit, wraps, result = bound.result_type](
                       std::span<const Argument> args, std::int64_t num_rows,
                       EvalContext& context) -> Result<ArrayPtr> {
    TG_ASSIGN_OR_RETURN(const TimeZone zone, TimeZone::find(context.time_zone));
    const MomentCodec codec(result, zone);
    return with_physical_type(result, [&]<typename T>() -> Result<ArrayPtr> {
      if constexpr (std::is_same_v<T, std::int32_t> || std::is_same_v<T, std::int64_t>) {
        return map_values<T, std::int64_t, T>(result, args.subspan(1), num_rows,
                                              [&](std::int64_t count, T value) {
                                                Moment sum = add(unit, codec.read(value), count);
                                                // A time of the day wraps around at midnight.
                                                if (wraps) sum.days = 0;
                                                return static_cast<T>(codec.write(sum));
                                              });
      } else {
        return null_column(result.arrow_type(), num_rows);
      }
    });
  };
  return bound;
}

}  // namespace

void register_function_time_difference(FunctionRegistry& registry) {
  registry.add({.name = "TIMESTAMPADD",
                .category = "time",
                .signature = "TIMESTAMPADD(unit, n, date or timestamp)",
                .description = "The moment n units later.",
                .examples = {{"TIMESTAMPADD(WEEK, 1, DATE '2003-01-02')", "2003-01-09"},
                             {"TIMESTAMPADD(MONTH, 1, TIMESTAMP '2020-01-31 12:00:00')",
                              "2020-02-29 12:00:00"}},
                .bind_with_constants = bind_add});
  registry.add({.name = "TIMESTAMPDIFF",
                .category = "time",
                .signature = "TIMESTAMPDIFF(unit, a, b)",
                .description = "Number of whole units from a to b.",
                .examples = {{"TIMESTAMPDIFF(DAY, TIMESTAMP '2003-01-02 10:00:00', "
                              "TIMESTAMP '2003-01-03 10:00:00')",
                              "1"},
                             {"TIMESTAMPDIFF(MONTH, DATE '2020-01-31', DATE '2020-02-29')", "1"}},
                .bind_with_constants = bind_difference});
}

}  // namespace tidegate
