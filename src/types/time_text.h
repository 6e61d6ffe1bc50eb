// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tidegate {

class TimeZone;  // types/time_zone.h

/// Text to dates and times. All of these return false, and leave their output alone, when the text
/// is not of the form, is not a time that exists (February 30th, 25:00) or does not fit. Years have
/// four digits. Made for hot loops: no allocation, no exception.

/// 'yyyy-MM-dd' to days since 1970.
bool parse_date(std::string_view text, std::int32_t* days);

/// 'HH:mm[:ss[.fraction]]' to nanoseconds of the day.
bool parse_time(std::string_view text, std::int64_t* nanos);

/// 'yyyy-MM-dd[(blank|T)HH:mm[:ss[.fraction]]]' to the units of TIMESTAMP(precision) since 1970
/// (timestamp_units_per_second()); digits past the precision are cut off.
bool parse_timestamp(std::string_view text, int precision, std::int64_t* value);

/// The same with a zone behind it: 'Z' or an offset (+01, +0100, +01:00, with or without a blank in
/// front); text without one is in `zone` (null: UTC).
bool parse_instant(std::string_view text, int precision, std::int64_t* value,
                   const TimeZone* zone = nullptr);

/// How a fraction of a second is written.
enum class Fraction : std::uint8_t {
  kTrimmed,  ///< as many digits as needed, without the point when there is none: 10:00:00.5
  kFixed,    ///< as many digits as the precision: 10:00:00.500
  kGroups,   ///< none, 3, 6 or 9, and no seconds at all when they are zero, as Java does: 10:00
};

/// 'yyyy-MM-dd'; years past 9999 have a '+' in front, as in Java.
void append_date(std::int64_t days, std::string& out);
/// 'HH:mm:ss' and the fraction; `value` in units of TIME(precision).
void append_time(std::int64_t value, int precision, Fraction fraction, std::string& out);
/// A time of the day in nanoseconds, with `digits` of its fraction.
void append_time_of_day(std::int64_t nanos, int digits, Fraction fraction, std::string& out);
/// Date, `separator`, time; `value` in units of TIMESTAMP(precision).
void append_timestamp(std::int64_t value, int precision, char separator, Fraction fraction,
                      std::string& out);

}  // namespace tidegate
