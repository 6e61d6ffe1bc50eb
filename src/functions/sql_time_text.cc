// SPDX-License-Identifier: Apache-2.0
#include "functions/sql_time_text.h"

#include <algorithm>

#include "functions/java_number.h"

namespace tidegate {

namespace {

/// From `least` to `most` digits off the front.
bool take_digits(std::string_view& text, std::size_t least, std::size_t most, std::int64_t* value) {
  std::size_t count = 0;
  *value = 0;
  while (count < most && count < text.size() && text[count] >= '0' && text[count] <= '9')
    *value = *value * 10 + (text[count++] - '0');
  text.remove_prefix(count);
  return count >= least;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

/// Nanoseconds of up to nine digits; more are cut off when that is allowed.
bool take_fraction(std::string_view& text, bool cut, std::int64_t* nanos) {
  std::int64_t value = 0;
  const std::size_t before = text.size();
  if (!take_digits(text, cut ? 0 : 1, 9, &value)) return false;
  for (std::size_t digits = before - text.size(); digits < 9; ++digits) value *= 10;
  *nanos = value;
  std::int64_t rest = 0;
  return cut ? take_digits(text, 0, text.size(), &rest) : true;
}

struct Fields {
  std::int64_t year = 0;
  std::int64_t month = 1;
  std::int64_t day = 1;
  std::int64_t hour = 0;
  std::int64_t minute = 0;
  std::int64_t second = 0;
  std::int64_t nanos = 0;
};

/// 'yyyy-M-d[ H:m:s[.fraction]]', all of the text.
bool take_fields(std::string_view text, Fields& fields) {
  if (!take_digits(text, 4, 4, &fields.year) || !take(text, '-') ||
      !take_digits(text, 1, 2, &fields.month) || !take(text, '-') ||
      !take_digits(text, 1, 2, &fields.day))
    return false;
  if (text.empty()) return true;
  if (!take(text, ' ') || !take_digits(text, 1, 2, &fields.hour) || !take(text, ':') ||
      !take_digits(text, 1, 2, &fields.minute) || !take(text, ':') ||
      !take_digits(text, 1, 2, &fields.second))
    return false;
  if (take(text, '.') && !take_fraction(text, /*cut=*/false, &fields.nanos)) return false;
  return text.empty();
}

std::int64_t nanos_of_day(const Fields& fields) {
  return ((fields.hour * 60 + fields.minute) * 60 + fields.second) * kNanosPerSecond + fields.nanos;
}

}  // namespace

bool read_sql_date(std::string_view text, std::int32_t* days) {
  if (const std::size_t blank = text.find(' '); blank != std::string_view::npos && blank > 0)
    text = text.substr(0, blank);
  text = without_blanks(text);
  constexpr std::size_t kAnyDigits = 9;
  Fields fields;
  if (!take_digits(text, 1, kAnyDigits, &fields.year)) return false;
  if (take(text, '-')) {
    if (!take_digits(text, 1, kAnyDigits, &fields.month)) return false;
    if (take(text, '-') && !take_digits(text, 1, kAnyDigits, &fields.day)) return false;
  }
  const bool valid = text.empty() && fields.year <= 9999 && fields.month >= 1 &&
                     fields.month <= 12 && fields.day >= 1 &&
                     fields.day <= days_in_month(fields.year, static_cast<int>(fields.month));
  if (!valid) return false;
  *days = static_cast<std::int32_t>(
      days_from_civil(fields.year, static_cast<int>(fields.month), static_cast<int>(fields.day)));
  return true;
}

bool read_sql_time(std::string_view text, std::int64_t* nanos) {
  text = without_blanks(text);
  Fields fields;
  if (!take_digits(text, 1, 2, &fields.hour)) return false;
  if (take(text, ':')) {
    if (!take_digits(text, 1, 2, &fields.minute)) return false;
    if (take(text, ':')) {
      if (!take_digits(text, 1, 2, &fields.second)) return false;
      if (take(text, '.') && !take_fraction(text, /*cut=*/true, &fields.nanos)) return false;
    }
  }
  if (!text.empty() || fields.hour > 23 || fields.minute > 59 || fields.second > 59) return false;
  *nanos = nanos_of_day(fields);
  return true;
}

bool read_sql_timestamp(std::string_view text, Moment* moment) {
  Fields fields;
  if (!take_fields(text, fields)) return false;
  const std::int64_t nanos = nanos_of_day(fields);
  const bool midnight = fields.hour == 24 && nanos == kNanosPerDay;
  if (fields.month < 1 || fields.month > 12 || fields.day < 1 || fields.day > 31 ||
      (fields.hour > 23 && !midnight) || fields.minute > 59 || fields.second > 59)
    return false;
  const int month = static_cast<int>(fields.month);
  const int day = std::min(static_cast<int>(fields.day), days_in_month(fields.year, month));
  *moment = {days_from_civil(fields.year, month, day) + (midnight ? 1 : 0), midnight ? 0 : nanos};
  return true;
}

bool read_jdbc_timestamp(std::string_view text, Moment* moment) {
  text = without_blanks(text);
  Fields fields;
  if (!take_fields(text, fields)) return false;
  if (fields.month < 1 || fields.month > 12 || fields.day < 1 || fields.day > 31) return false;
  const std::int64_t nanos = nanos_of_day(fields);
  *moment = {days_from_civil(fields.year, static_cast<int>(fields.month), 1) + fields.day - 1 +
                 nanos / kNanosPerDay,
             nanos % kNanosPerDay};
  return true;
}

}  // namespace tidegate
