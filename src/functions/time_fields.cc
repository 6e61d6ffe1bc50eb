// SPDX-License-Identifier: Apache-2.0
#include "functions/time_fields.h"

#include <string>
#include <utility>

#include "base/clock.h"

namespace tidegate {

namespace {

constexpr std::pair<std::string_view, TimeUnit> kUnits[] = {
    {"NANOSECOND", TimeUnit::kNanosecond},
    {"MICROSECOND", TimeUnit::kMicrosecond},
    {"FRAC_SECOND", TimeUnit::kMicrosecond},
    {"MILLISECOND", TimeUnit::kMillisecond},
    {"SECOND", TimeUnit::kSecond},
    {"MINUTE", TimeUnit::kMinute},
    {"HOUR", TimeUnit::kHour},
    {"DAY", TimeUnit::kDay},
    {"WEEK", TimeUnit::kWeek},
    {"MONTH", TimeUnit::kMonth},
    {"QUARTER", TimeUnit::kQuarter},
    {"YEAR", TimeUnit::kYear},
    {"DECADE", TimeUnit::kDecade},
    {"CENTURY", TimeUnit::kCentury},
    {"MILLENNIUM", TimeUnit::kMillennium},
    {"DOW", TimeUnit::kDayOfWeek},
    {"ISODOW", TimeUnit::kIsoDayOfWeek},
    {"DOY", TimeUnit::kDayOfYear},
    {"ISOYEAR", TimeUnit::kIsoYear},
    {"EPOCH", TimeUnit::kEpoch},
};

}  // namespace

std::optional<TimeUnit> parse_time_unit(std::string_view name) {
  std::string upper(name);
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  std::string_view word = upper;
  if (word.starts_with("SQL_TSI_")) word.remove_prefix(8);
  for (const auto& [unit_name, unit] : kUnits) {
    const bool plural =
        word.size() == unit_name.size() + 1 && word.ends_with('S') && word.starts_with(unit_name);
    if (word == unit_name || plural) return unit;
  }
  return std::nullopt;
}

Result<TimeUnit> constant_time_unit(std::string_view function, const LogicalType& type,
                                    const ArrayPtr& constant) {
  if (constant != nullptr && type.is_character() && constant->IsValid(0)) {
    const std::string_view name = ValueReader<std::string_view>(*constant)[0];
    if (const std::optional<TimeUnit> unit = parse_time_unit(name)) return *unit;
    return error(ErrorCode::kTypeMismatch, "{}: there is no unit of time {}", function, name);
  }
  return error(ErrorCode::kTypeMismatch, "{} takes the name of a unit of time, such as HOUR",
               function);
}

std::int64_t nanos_of(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kNanosecond:
      return 1;
    case TimeUnit::kMicrosecond:
      return 1'000;
    case TimeUnit::kMillisecond:
      return 1'000'000;
    case TimeUnit::kSecond:
      return kNanosPerSecond;
    case TimeUnit::kMinute:
      return 60 * kNanosPerSecond;
    case TimeUnit::kHour:
      return 3600 * kNanosPerSecond;
    default:
      return kNanosPerDay;
  }
}

std::int64_t months_of(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kMonth:
      return 1;
    case TimeUnit::kQuarter:
      return 3;
    case TimeUnit::kYear:
      return 12;
    case TimeUnit::kDecade:
      return 120;
    case TimeUnit::kCentury:
      return 1200;
    case TimeUnit::kMillennium:
      return 12000;
    default:
      return 0;
  }
}

std::int64_t now_ms(EvalContext& context) {
  if (!context.now_ms)
    context.now_ms = context.clock != nullptr ? context.clock->wall_ms() : context.query_start_ms;
  return *context.now_ms;
}

}  // namespace tidegate
