// SPDX-License-Identifier: Apache-2.0
#include "types/time_text.h"

#include <cstddef>

#include "types/civil_time.h"
#include "types/time_zone.h"

namespace tidegate {

namespace {

constexpr std::int64_t kPowersOfTen[] = {
    1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};

/// A digit's value, or more than 9.
unsigned digit(char c) { return static_cast<unsigned>(static_cast<unsigned char>(c)) - '0'; }

/// Two digits, or more than 99.
unsigned two_digits(const char* p) {
  const unsigned high = digit(p[0]);
  const unsigned low = digit(p[1]);
  return high > 9 || low > 9 ? 100 : high * 10 + low;
}

/// Walks over a text from the front; each step answers whether it found what it wants.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : next_(text.data()), end_(text.data() + text.size()) {}

  std::size_t left() const { return static_cast<std::size_t>(end_ - next_); }
  bool at_end() const { return next_ == end_; }
  char peek() const { return *next_; }
  bool skip(char c) {
    if (at_end() || *next_ != c) return false;
    ++next_;
    return true;
  }

  bool date(std::int64_t* days) {
    if (left() < 10 || next_[4] != '-' || next_[7] != '-') return false;
    const unsigned century = two_digits(next_);
    const unsigned year_of_century = two_digits(next_ + 2);
    const unsigned month = two_digits(next_ + 5);
    const unsigned day = two_digits(next_ + 8);
    if (century > 99 || year_of_century > 99 || month - 1 > 11 || day - 1 > 30) return false;
    const auto year = static_cast<std::int64_t>(century * 100 + year_of_century);
    if (day > 28 && static_cast<int>(day) > days_in_month(year, static_cast<int>(month)))
      return false;
    *days = days_from_civil(year, static_cast<int>(month), static_cast<int>(day));
    next_ += 10;
    return true;
  }

  /// 'HH:mm[:ss[.fraction]]' to seconds of the day and nanoseconds of the second.
  bool time(std::int64_t* seconds, std::int64_t* nanos) {
    if (left() < 5 || next_[2] != ':') return false;
    const unsigned hour = two_digits(next_);
    const unsigned minute = two_digits(next_ + 3);
    if (hour > 23 || minute > 59) return false;
    next_ += 5;
    *seconds = hour * 3600 + minute * 60;
    *nanos = 0;
    if (!skip(':')) return true;
    if (left() < 2) return false;
    const unsigned second = two_digits(next_);
    if (second > 59) return false;
    next_ += 2;
    *seconds += second;
    return skip('.') ? fraction(nanos) : true;
  }

  /// 'Z', '+01', '+0100', '+01:00', each with or without a blank in front, to seconds.
  bool offset(std::int64_t* seconds) {
    skip(' ');
    if (skip('Z') || skip('z')) {
      *seconds = 0;
      return true;
    }
    if (left() < 3 || (*next_ != '+' && *next_ != '-')) return false;
    const bool negative = *next_++ == '-';
    const unsigned hours = two_digits(next_);
    next_ += 2;
    unsigned minutes = 0;
    const bool colon = skip(':');
    if (left() >= 2) {
      minutes = two_digits(next_);
      next_ += 2;
    } else if (colon) {
      return false;
    }
    if (hours > 18 || minutes > 59) return false;
    *seconds = (negative ? -1 : 1) * static_cast<std::int64_t>(hours * 3600 + minutes * 60);
    return true;
  }

 private:
  bool fraction(std::int64_t* nanos) {
    std::int64_t value = 0;
    int digits = 0;
    for (; next_ != end_ && digit(*next_) <= 9; ++next_) {
      if (++digits > 9) return false;
      value = value * 10 + digit(*next_);
    }
    *nanos = value * kPowersOfTen[9 - digits];
    return digits > 0;
  }

  const char* next_;
  const char* end_;
};

struct Moment {
  std::int64_t seconds = 0;  // since 1970, in whatever zone the text is in
  std::int64_t nanos = 0;
};

bool scan_moment(Scanner& in, Moment* moment) {
  std::int64_t days = 0;
  std::int64_t seconds = 0;
  if (!in.date(&days)) return false;
  if (!in.at_end() && (in.peek() == ' ' || in.peek() == 'T')) {
    in.skip(in.peek());
    if (!in.time(&seconds, &moment->nanos)) return false;
  }
  moment->seconds = days * kSecondsPerDay + seconds;
  return true;
}

bool to_units(const Moment& moment, int precision, std::int64_t* value) {
  const std::int64_t per_second = timestamp_units_per_second(precision);
  const std::int64_t cut = kPowersOfTen[9 - precision];
  const std::int64_t nanos = moment.nanos / cut * cut;
  std::int64_t units = 0;
  // Before 1970 the seconds alone may be out of range where the whole is not; that one is given up.
  if (__builtin_mul_overflow(moment.seconds, per_second, &units) ||
      __builtin_add_overflow(units, nanos / (kNanosPerSecond / per_second), &units))
    return false;
  *value = units;
  return true;
}

void append_two_digits(std::int64_t value, std::string& out) {
  const char digits[2] = {static_cast<char>('0' + value / 10), static_cast<char>('0' + value % 10)};
  out.append(digits, 2);
}

void append_digits(std::int64_t value, int count, std::string& out) {
  char digits[9];
  for (int i = count - 1; i >= 0; --i, value /= 10) digits[i] = static_cast<char>('0' + value % 10);
  out.append(digits, static_cast<std::size_t>(count));
}

/// How many digits of `nanos` (cut to `precision` digits) are written.
int fraction_digits(std::int64_t nanos, int precision, Fraction fraction) {
  if (fraction == Fraction::kFixed) return precision;
  if (nanos == 0) return 0;
  int digits = 9;
  while (nanos % 10 == 0) {
    nanos /= 10;
    --digits;
  }
  return fraction == Fraction::kGroups ? (digits + 2) / 3 * 3 : digits;
}

}  // namespace

bool parse_date(std::string_view text, std::int32_t* days) {
  Scanner in(text);
  std::int64_t value = 0;
  if (!in.date(&value) || !in.at_end()) return false;
  *days = static_cast<std::int32_t>(value);
  return true;
}

bool parse_time(std::string_view text, std::int64_t* nanos) {
  Scanner in(text);
  std::int64_t seconds = 0;
  std::int64_t fraction = 0;
  if (!in.time(&seconds, &fraction) || !in.at_end()) return false;
  *nanos = seconds * kNanosPerSecond + fraction;
  return true;
}

bool parse_timestamp(std::string_view text, int precision, std::int64_t* value) {
  Scanner in(text);
  Moment moment;
  return scan_moment(in, &moment) && in.at_end() && to_units(moment, precision, value);
}

bool parse_instant(std::string_view text, int precision, std::int64_t* value,
                   const TimeZone* zone) {
  Scanner in(text);
  Moment moment;
  if (!scan_moment(in, &moment)) return false;
  if (in.at_end()) {
    if (zone != nullptr) moment.seconds = zone->to_utc_seconds(moment.seconds);
  } else {
    std::int64_t offset = 0;
    if (!in.offset(&offset) || !in.at_end()) return false;
    moment.seconds -= offset;
  }
  return to_units(moment, precision, value);
}

void append_date(std::int64_t days, std::string& out) {
  const CivilDate date = civil_from_days(days);
  std::int64_t year = date.year;
  if (year < 0) {
    out += '-';
    year = -year;
  } else if (year > 9999) {
    out += '+';
  }
  if (year > 9999) {
    out += std::to_string(year);
  } else {
    append_two_digits(year / 100, out);
    append_two_digits(year % 100, out);
  }
  out += '-';
  append_two_digits(date.month, out);
  out += '-';
  append_two_digits(date.day, out);
}

void append_time_of_day(std::int64_t nanos, int digits, Fraction fraction, std::string& out) {
  const std::int64_t seconds = nanos / kNanosPerSecond;
  const std::int64_t cut = kPowersOfTen[9 - digits];
  const std::int64_t rest = nanos % kNanosPerSecond / cut * cut;
  append_two_digits(seconds / 3600, out);
  out += ':';
  append_two_digits(seconds / 60 % 60, out);
  if (fraction == Fraction::kGroups && seconds % 60 == 0 && rest == 0) return;
  out += ':';
  append_two_digits(seconds % 60, out);
  const int shown = fraction_digits(rest, digits, fraction);
  if (shown == 0) return;
  out += '.';
  append_digits(rest / kPowersOfTen[9 - shown], shown, out);
}

void append_time(std::int64_t value, int precision, Fraction fraction, std::string& out) {
  append_time_of_day(value * (kNanosPerSecond / time_units_per_second(precision)), precision,
                     fraction, out);
}

void append_timestamp(std::int64_t value, int precision, char separator, Fraction fraction,
                      std::string& out) {
  const std::int64_t per_second = timestamp_units_per_second(precision);
  const std::int64_t per_day = per_second * kSecondsPerDay;
  const std::int64_t days = floor_div(value, per_day);
  append_date(days, out);
  out += separator;
  append_time_of_day((value - days * per_day) * (kNanosPerSecond / per_second), precision, fraction,
                     out);
}

}  // namespace tidegate
