// SPDX-License-Identifier: Apache-2.0
#include "functions/date_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/check.h"

namespace tidegate {

namespace {

constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                   "Friday", "Saturday", "Sunday"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_name(char letter, int count) {
  return letter == 'E' || letter == 'a' || ((letter == 'M' || letter == 'L') && count >= 3);
}

/// Three letters, or with a count of four the whole name.
std::string_view shown(std::string_view name, int count) {
  return count >= 4 ? name : name.substr(0, 3);
}

/// The index of the name that the text starts with, which is taken off; -1: none.
template <std::size_t N>
int take_name(const std::array<std::string_view, N>& names, std::string_view& text) {
  for (const bool whole : {true, false}) {
    for (std::size_t i = 0; i < N; ++i) {
      const std::string_view name = whole ? names[i] : names[i].substr(0, 3);
      const bool matches = text.size() >= name.size() &&
                           std::equal(name.begin(), name.end(), text.begin(),
                                      [](char a, char b) { return (a | 0x20) == (b | 0x20); });
      if (!matches) continue;
      text.remove_prefix(name.size());
      return static_cast<int>(i);
    }
  }
  return -1;
}

/// Up to `most` digits off the front; false when there are less than `least`.
bool take_digits(std::string_view& text, int least, int most, std::int64_t* value, int* taken) {
  std::int64_t number = 0;
  int count = 0;
  while (count < most && count < static_cast<int>(text.size()) &&
         is_digit(text[static_cast<std::size_t>(count)])) {
    number = number * 10 + (text[static_cast<std::size_t>(count)] - '0');
    ++count;
  }
  if (count < least) return false;
  text.remove_prefix(static_cast<std::size_t>(count));
  *value = number;
  *taken = count;
  return true;
}

}  // namespace

struct DatePattern::Fields {
  std::int64_t year = 1970;
  std::int64_t month = 1;
  std::int64_t day = 1;
  std::int64_t day_of_year = 0;  // 0: not said
  std::int64_t hour = 0;
  std::int64_t minute = 0;
  std::int64_t second = 0;
  std::int64_t nanos = 0;
  bool twelve_hours = false;
  bool afternoon = false;

  bool to_moment(Moment* moment) const {
    std::int64_t hours = hour;
    if (twelve_hours) hours = hour % 12 + (afternoon ? 12 : 0);
    if (month < 1 || month > 12 || day < 1 || hours > 23 || minute > 59 || second > 59)
      return false;
    if (day > days_in_month(year, static_cast<int>(month))) return false;
    moment->days = days_from_civil(year, static_cast<int>(month), static_cast<int>(day));
    if (day_of_year > 0) {
      if (day_of_year > (is_leap_year(year) ? 366 : 365)) return false;
      moment->days = days_from_civil(year, 1, 1) + day_of_year - 1;
    }
    moment->nanos = ((hours * 60 + minute) * 60 + second) * kNanosPerSecond + nanos;
    return true;
  }
};

Result<DatePattern> DatePattern::parse(std::string_view pattern) {
  constexpr std::string_view kLetters = "yuMLdDHkKhmsSaE";
  DatePattern out;
  const auto add_text = [&out](char c) {
    if (out.items_.empty() || out.items_.back().letter != 0) out.items_.push_back({0, 0, ""});
    out.items_.back().text += c;
  };
  for (std::size_t i = 0; i < pattern.size();) {
    const char c = pattern[i];
    if (c == '\'') {
      // Two quotes are one; else text up to the next one.
      if (i + 1 < pattern.size() && pattern[i + 1] == '\'') {
        add_text('\'');
        i += 2;
        continue;
      }
      const std::size_t end = pattern.find('\'', i + 1);
      if (end == std::string_view::npos)
        return error(ErrorCode::kInvalidArgument, "date pattern '{}': no closing quote", pattern);
      for (char text : pattern.substr(i + 1, end - i - 1)) add_text(text);
      i = end + 1;
    } else if (is_letter(c)) {
      if (kLetters.find(c) == std::string_view::npos)
        return error(ErrorCode::kInvalidArgument, "date pattern '{}': letter {} is not supported",
                     pattern, c);
      std::size_t end = i;
      while (end < pattern.size() && pattern[end] == c) ++end;
      out.items_.push_back({c, static_cast<int>(std::min<std::size_t>(end - i, 9)), ""});
      i = end;
    } else {
      add_text(c);
      ++i;
    }
  }
  return out;
}

const DatePattern& DatePattern::standard() {
  static const DatePattern kStandard = *parse("yyyy-MM-dd HH:mm:ss");
  return kStandard;
}

void DatePattern::format(const Moment& moment, std::string& out) const {
  const CivilDate date = civil_from_days(moment.days);
  const std::int64_t seconds = moment.nanos / kNanosPerSecond;
  const std::int64_t hour = seconds / 3600;
  const auto number = [&out](std::int64_t value, int width) {
    fmt::format_to(std::back_inserter(out), "{:0{}}", value, width);
  };
  for (const Item& item : items_) {
    switch (item.letter) {
      case 0:
        out += item.text;
        break;
      case 'y':
      case 'u':
        item.count == 2 ? number(floor_mod(date.year, 100), 2) : number(date.year, item.count);
        break;
      case 'M':
      case 'L':
        if (item.count >= 3) {
          out += shown(kMonths[static_cast<std::size_t>(date.month - 1)], item.count);
        } else {
          number(date.month, item.count);
        }
        break;
      case 'd':
        number(date.day, item.count);
        break;
      case 'D':
        number(moment.days - days_from_civil(date.year, 1, 1) + 1, item.count);
        break;
      case 'H':
        number(hour, item.count);
        break;
      case 'k':
        number(hour == 0 ? 24 : hour, item.count);
        break;
      case 'K':
        number(hour % 12, item.count);
        break;
      case 'h':
        number(hour % 12 == 0 ? 12 : hour % 12, item.count);
        break;
      case 'm':
        number(seconds / 60 % 60, item.count);
        break;
      case 's':
        number(seconds % 60, item.count);
        break;
      case 'S': {
        std::int64_t fraction = moment.nanos % kNanosPerSecond;
        for (int digit = item.count; digit < 9; ++digit) fraction /= 10;
        number(fraction, item.count);
        break;
      }
      case 'a':
        out += hour < 12 ? "AM" : "PM";
        break;
      default:
        out += shown(kDays[static_cast<std::size_t>(floor_mod(moment.days + 3, 7))], item.count);
    }
  }
}

bool DatePattern::read_item(std::size_t index, std::string_view& text, Fields& fields) const {
  const Item& item = items_[index];
  if (item.letter == 0) {
    if (!text.starts_with(item.text)) return false;
    text.remove_prefix(item.text.size());
    return true;
  }
  if (item.letter == 'E') return take_name(kDays, text) >= 0;
  if (item.letter == 'a') {
    static constexpr std::array<std::string_view, 2> kHalves = {"AM", "PM"};
    const int half = take_name(kHalves, text);
    fields.afternoon = half == 1;
    return half >= 0;
  }
  if ((item.letter == 'M' || item.letter == 'L') && item.count >= 3) {
    fields.month = take_name(kMonths, text) + 1;
    return fields.month > 0;
  }
  // A number that is followed by another one has exactly as many digits as letters.
  const bool adjacent = index + 1 < items_.size() && items_[index + 1].letter != 0 &&
                        !is_name(items_[index + 1].letter, items_[index + 1].count);
  const int most = adjacent || item.letter == 'S' ? (item.letter == 'S' ? 9 : item.count) : 9;
  std::int64_t value = 0;
  int digits = 0;
  if (!take_digits(text, 1, adjacent ? item.count : most, &value, &digits)) return false;
  switch (item.letter) {
    case 'y':
    case 'u':
      fields.year = item.count == 2 && digits == 2 ? 2000 + value : value;
      return true;
    case 'M':
    case 'L':
      fields.month = value;
      return true;
    case 'd':
      fields.day = value;
      return true;
    case 'D':
      fields.day_of_year = value;
      return value > 0;
    case 'H':
      fields.hour = value;
      return true;
    case 'k':
      fields.hour = value % 24;
      return value >= 1 && value <= 24;
    case 'K':
    case 'h':
      fields.hour = value;
      fields.twelve_hours = true;
      return value <= 12;
    case 'm':
      fields.minute = value;
      return true;
    case 's':
      fields.second = value;
      return true;
    default:  // S
      for (; digits < 9; ++digits) value *= 10;
      fields.nanos = value;
      return true;
  }
}

bool DatePattern::read(std::string_view text, Moment* moment) const {
  Fields fields;
  for (std::size_t i = 0; i < items_.size(); ++i)
    if (!read_item(i, text, fields)) return false;
  return text.empty() && fields.to_moment(moment);
}

}  // namespace tidegate
