// SPDX-License-Identifier: Apache-2.0
//
// TO_TIMESTAMP_LTZ and CONVERT_TZ.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "functions/binding.h"
#include "functions/date_pattern_column.h"
#include "functions/sql_time_text.h"
#include "functions/time_fields.h"
#include "types/time_text.h"

namespace tidegate {

namespace {

constexpr int kMillis = 3;

Status wrong_precision(std::int64_t precision) {
  return error(ErrorCode::kInvalidArgument,
               "TO_TIMESTAMP_LTZ: the precision is {}, not 0 (seconds) to 9 (nanoseconds)",
               precision);
}

/// The precision of an epoch when it is written down; 3 when there is none.
Result<std::optional<int>> constant_precision(std::span<const LogicalType> arguments,
                                              std::span<const ArrayPtr> constants) {
  if (arguments.size() == 1) return std::optional<int>(kMillis);
  if (constants[1] == nullptr || constants[1]->IsNull(0)) return std::optional<int>();
  const std::int64_t precision =
      with_physical_type(arguments[1], [&]<typename T>() -> std::int64_t {
        if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>)
          return ValueReader<T>(*constants[1])[0];
        return -1;
      });
  if (precision < 0 || precision > 9) return wrong_precision(precision);
  return std::optional<int>(static_cast<int>(precision));
}

/// Of the years 0 to 9999, the only ones that TO_TIMESTAMP_LTZ makes.
template <typename T>
bool in_calendar(T units, std::int64_t per_second) {
  constexpr std::int64_t kFirst = -62'167'219'200;
  constexpr std::int64_t kEnd = 253'402'300'800;
  return units >= static_cast<T>(kFirst) * static_cast<T>(per_second) &&
         units < static_cast<T>(kEnd) * static_cast<T>(per_second);
}

/// A number in units of 10^-precision seconds to the units of a column; numbers that do not fit
/// are NULL, fractions of the column's unit are cut off.
template <typename T>
std::optional<std::int64_t> to_units(T value, std::int64_t scale, std::int64_t precision,
                                     std::int64_t per_second) {
  const auto per_unit = static_cast<std::int64_t>(power_of_ten(static_cast<int>(precision)));
  if constexpr (std::is_floating_point_v<T>) {
    const double units = static_cast<double>(value) * static_cast<double>(per_second) /
                         static_cast<double>(per_unit);
    constexpr double kMost = 9.2e18;
    if (!(std::fabs(units) < kMost) || !in_calendar(units, per_second)) return std::nullopt;
    return static_cast<std::int64_t>(std::floor(units));
  } else {
    const Int128 whole = static_cast<Int128>(value) / power_of_ten(static_cast<int>(scale));
    const Int128 scaled = whole * per_second;
    const Int128 units = scaled / per_unit - (scaled % per_unit < 0 ? 1 : 0);
    if (units > std::numeric_limits<std::int64_t>::max() ||
        units < std::numeric_limits<std::int64_t>::min() || !in_calendar(units, per_second))
      return std::nullopt;
    return static_cast<std::int64_t>(units);
  }
}

Result<BoundFunction> bind_epoch(std::span<const LogicalType> arguments,
                                 std::span<const ArrayPtr> constants) {
  constexpr const char* kTakes = "a number and a precision";
  if (arguments.size() > 2 || (arguments.size() == 2 && !arguments[1].is_integer()))
    return argument_mismatch("TO_TIMESTAMP_LTZ", kTakes, arguments);
  TG_ASSIGN_OR_RETURN(const std::optional<int> precision, constant_precision(arguments, constants));
  const LogicalType& type = arguments[0];
  BoundFunction bound;
  bound.argument_types = {type};
  if (arguments.size() == 2)
    bound.argument_types.push_back(integer_type().with_nullable(arguments[1].nullable()));
  bound.result_type = LogicalType::timestamp_ltz(std::max(precision.value_or(kMillis), kMillis));
  bound.can_fail = !precision;
  bound.evaluate = [type, precision, result = bound.result_type](std::span<const Argument> args,
                                                                 std::int64_t num_rows,
                                                                 EvalContext&) -> Result<ArrayPtr> {
    const std::int64_t per_second = timestamp_units_per_second(result.precision());
    return with_physical_type(type, [&]<typename T>() -> Result<ArrayPtr> {
      if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::string_view>) {
        return null_column(result.arrow_type(), num_rows);
      } else {
        const auto convert = [&](T value, std::int64_t of) {
          return to_units(value, type.scale(), of, per_second);
        };
        if (precision) {
          return map_values<std::int64_t, T>(result, args.first(1), num_rows,
                                             [&](T value) { return convert(value, *precision); });
        }
        return map_values<std::int64_t, T, std::int64_t>(
            result, args, num_rows,
            [&](T value, std::int64_t of) -> Result<std::optional<std::int64_t>> {
              if (of < 0 || of > 9) return wrong_precision(of);
              return convert(value, of);
            });
      }
    });
  };
  return bound;
}

constexpr PatternDialect kDialect = PatternDialect::kFormatter;
constexpr WrongDatePattern kWrong = WrongDatePattern::kIsNull;

/// Without a pattern a text that is no time is an error, with one it is none, as in Flink.
Result<std::optional<Moment>> read_text(std::string_view text, bool has_pattern,
                                        const DatePattern& pattern) {
  Moment moment;
  if (!has_pattern) {
    if (read_sql_timestamp(text, &moment)) return std::optional<Moment>(moment);
    return error(ErrorCode::kCastFailed, "TO_TIMESTAMP_LTZ: '{}' is no date and time", text);
  }
  if (const auto reading = pattern.read(text)) return std::optional<Moment>(reading->moment);
  if (read_jdbc_timestamp(text, &moment)) return std::optional<Moment>(moment);
  return std::optional<Moment>();
}

/// TO_TIMESTAMP_LTZ(text[, pattern[, zone]]). Without a zone it is in UTC.
Result<ArrayPtr> from_texts(const PreparedDatePattern& prepared, std::span<const Argument> args,
                            std::int64_t num_rows) {
  const LogicalType type = LogicalType::timestamp_ltz(kMillis);
  const ArgumentReader<std::string_view> texts(args[0]);
  std::optional<ArgumentReader<std::string_view>> zones;
  if (args.size() == 3) zones.emplace(args[2]);
  DatePatternColumn patterns(kDialect, kWrong, prepared, args, 1);
  TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<std::int64_t>::make(num_rows));
  TimeZone zone;
  for (std::int64_t row = 0; row < num_rows; ++row) {
    TG_ASSIGN_OR_RETURN(const DatePattern* const pattern, patterns.at(row));
    std::optional<Moment> moment;
    if (!texts.is_null(row) && pattern != nullptr && !(zones && zones->is_null(row))) {
      TG_ASSIGN_OR_RETURN(moment, read_text(texts[row], args.size() > 1, *pattern));
      if (zones && (*zones)[row] != zone.name()) {
        TG_ASSIGN_OR_RETURN(zone, TimeZone::find((*zones)[row]));
      }
    }
    if (moment) {
      writer.set(row, MomentCodec(type, zone).write(*moment));
    } else {
      TG_RETURN_IF_ERROR(writer.set_null(row));
    }
  }
  return writer.finish(type);
}

Result<BoundFunction> bind_text(std::span<const LogicalType> arguments,
                                std::span<const ArrayPtr> constants) {
  TG_ASSIGN_OR_RETURN(const PreparedDatePattern prepared,
                      prepare_date_pattern(kDialect, kWrong, arguments, constants, 1));
  const Bind bind =
      bind_fixed({.name = "TO_TIMESTAMP_LTZ",
                  .takes = "a number and a precision, or a string, a pattern and a time zone",
                  .parameters = {text_type(), text_type(), text_type()},
                  .required = 1,
                  .result = LogicalType::timestamp_ltz(kMillis),
                  .may_be_null = true,
                  .can_fail = true},
                 [prepared](std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
                   return from_texts(prepared, args, num_rows);
                 });
  return bind(arguments);
}

Result<BoundFunction> bind_to_instant(std::span<const LogicalType> arguments,
                                      std::span<const ArrayPtr> constants) {
  if (!arguments.empty() && arguments[0].is_numeric()) return bind_epoch(arguments, constants);
  return bind_text(arguments, constants);
}

/// Java's names of three letters.
constexpr std::pair<std::string_view, std::string_view> kShortNames[] = {
    {"ACT", "Australia/Darwin"},
    {"AET", "Australia/Sydney"},
    {"ART", "Africa/Cairo"},
    {"AST", "America/Anchorage"},
    {"BET", "America/Sao_Paulo"},
    {"BST", "Asia/Dhaka"},
    {"CAT", "Africa/Harare"},
    {"CNT", "America/St_Johns"},
    {"CST", "America/Chicago"},
    {"CTT", "Asia/Shanghai"},
    {"EAT", "Africa/Addis_Ababa"},
    {"ECT", "Europe/Paris"},
    {"EST", "-05:00"},
    {"HST", "-10:00"},
    {"IST", "Asia/Kolkata"},
    {"JST", "Asia/Tokyo"},
    {"MST", "-07:00"},
    {"NST", "Pacific/Auckland"},
    {"PLT", "Asia/Karachi"},
    {"PNT", "America/Phoenix"},
    {"PRT", "America/Puerto_Rico"},
    {"PST", "America/Los_Angeles"},
    {"SST", "Pacific/Guadalcanal"},
    {"VST", "Asia/Ho_Chi_Minh"}};

/// An unknown zone is UTC, as in Java.
TimeZone find_zone(std::string_view name) {
  const auto found = std::find_if(std::begin(kShortNames), std::end(kShortNames),
                                  [name](const auto& known) { return known.first == name; });
  if (found != std::end(kShortNames)) name = found->second;
  Result<TimeZone> zone = TimeZone::find(name);
  return zone.is_ok() ? *std::move(zone) : TimeZone();
}

Result<ArrayPtr> convert_tz(std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
  struct Zone {
    std::string name = "UTC";
    TimeZone zone;
    const TimeZone& of(std::string_view wanted) {
      if (wanted != name) {
        zone = find_zone(wanted);
        name = wanted;
      }
      return zone;
    }
  };
  Zone from;
  Zone to;
  return map_to_text<std::string_view, std::string_view, std::string_view>(
      text_type(), args, num_rows,
      [&](std::string_view text, std::string_view from_name, std::string_view to_name,
          std::string& out) -> bool {
        const auto reading = DatePattern::standard().read(text);
        if (!reading) return false;
        const std::int64_t local =
            reading->moment.days * kSecondsPerDay + reading->moment.nanos / kNanosPerSecond;
        const std::int64_t utc = from.of(from_name).to_utc_seconds(local);
        append_timestamp((utc + to.of(to_name).offset_seconds(utc)) * kMsPerSecond, 0, ' ',
                         Fraction::kFixed, out);
        return true;
      });
}

}  // namespace

void register_function_instants(FunctionRegistry& registry) {
  registry.add(
      {.name = "TO_TIMESTAMP_LTZ",
       .category = "time",
       .signature = "TO_TIMESTAMP_LTZ(number[, precision]) | "
                    "TO_TIMESTAMP_LTZ(string[, pattern[, time zone]])",
       .description = "A number of seconds (precision 0), milliseconds (3), ... since "
                      "1970, or a date and time of a zone (UTC), as an instant.",
       .examples = {{"TO_TIMESTAMP_LTZ(100, 0)", "1970-01-01 00:01:40.000"},
                    {"TO_TIMESTAMP_LTZ('10/10/2020', 'dd/MM/yyyy')", "2020-10-10 00:00:00.000"}},
       .bind_with_constants = bind_to_instant});
  registry.add({.name = "CONVERT_TZ",
                .category = "time",
                .signature = "CONVERT_TZ(string, from, to)",
                .description = "A date and time of one time zone as that of another; NULL when the "
                               "string is none. A zone that is unknown is UTC.",
                .examples = {{"CONVERT_TZ('1970-01-01 00:00:00', 'UTC', 'America/Los_Angeles')",
                              "1969-12-31 16:00:00"}},
                .bind = bind_fixed({.name = "CONVERT_TZ",
                                    .takes = "three strings",
                                    .parameters = {text_type(), text_type(), text_type()},
                                    .result = text_type(),
                                    .may_be_null = true},
                                   convert_tz)});
}

}  // namespace tidegate
