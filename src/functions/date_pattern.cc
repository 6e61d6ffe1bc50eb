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
constexpr std::array<std::string_view, 2> kHalves = {"AM", "PM"};
constexpr std::array<std::string_view, 2> kEras = {"BC", "AD"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Three letters, or with a count of four the whole name, of five one letter.
std::string_view shown(std::string_view name, int count, PatternDialect dialect) {
  if (count == 5 && dialect == PatternDialect::kFormatter) return name.substr(0, 1);
  return count >= 4 ? name : name.substr(0, 3);
}

/// The index of the name that the text starts with, which is taken off; -1: none.
template <std::size_t N>
int take_name(const std::array<std::string_view, N>& names, bool any_case, std::string_view& text) {
  for (const bool whole : {true, false}) {
    for (std::size_t i = 0; i < N; ++i) {
      const std::string_view name = whole ? names[i] : names[i].substr(0, 3);
      const auto same = [any_case](char a, char b) {
        return a == b || (any_case && (a | 0x20) == (b | 0x20));
      };
      if (text.size() < name.size() || !std::equal(name.begin(), name.end(), text.begin(), same))
        continue;
      text.remove_prefix(name.size());
      return static_cast<int>(i);
    }
  }
  return -1;
}

/// '+0800', '+08:00', '+08' or 'Z', taken off; in seconds.
std::optional<std::int64_t> take_offset(std::string_view& text) {
  for (const std::string_view utc : {"Z", "GMT", "UTC"}) {
    if (!text.starts_with(utc)) continue;
    text.remove_prefix(utc.size());
    return 0;
  }
  if (text.size() < 3 || (text[0] != '+' && text[0] != '-') || !is_digit(text[1]) ||
      !is_digit(text[2]))
    return std::nullopt;
  const auto two_digits = [&text](std::size_t at) {
    return (text[at] - '0') * 10 + (text[at + 1] - '0');
  };
  const int sign = text[0] == '-' ? -1 : 1;
  const int hours = two_digits(1);
  std::size_t end = 3;
  int minutes = 0;
  const std::size_t at = text.size() > 3 && text[3] == ':' ? 4 : 3;
  if (at + 1 < text.size() && is_digit(text[at]) && is_digit(text[at + 1])) {
    minutes = two_digits(at);
    end = at + 2;
  }
  text.remove_prefix(end);
  return sign * (hours * 3600 + minutes * 60);
}

void append_offset(char letter, int count, std::int64_t seconds, std::string& out) {
  if (letter == 'X' && seconds == 0) {
    out += 'Z';
    return;
  }
  const std::int64_t minutes = (seconds < 0 ? -seconds : seconds) / 60;
  const bool colon = letter == 'Z' ? count >= 5 : count >= 3;
  const bool hours_only = letter != 'Z' && count == 1 && minutes % 60 == 0;
  fmt::format_to(std::back_inserter(out), "{}{:02}", seconds < 0 ? '-' : '+', minutes / 60);
  if (!hours_only)
    fmt::format_to(std::back_inserter(out), "{}{:02}", colon ? ":" : "", minutes % 60);
}

/// 1 is Sunday.
int day_of_week(std::int64_t days) { return static_cast<int>(floor_mod(days + 4, 7)) + 1; }

/// The first day of week 1 of a year: weeks start on Sunday, and the first one holds January 1st.
std::int64_t first_week(std::int64_t year) {
  const std::int64_t first = days_from_civil(year, 1, 1);
  return first - (day_of_week(first) - 1);
}

std::int64_t week_year(std::int64_t days, std::int64_t year) {
  return days >= first_week(year + 1) ? year + 1 : year;
}

/// A year of two digits, as SimpleDateFormat reads it: at most some twenty years ahead.
std::int64_t full_year(std::int64_t two_digits) {
  constexpr std::int64_t kFirstOfLastCentury = 46;
  return two_digits + (two_digits < kFirstOfLastCentury ? 2000 : 1900);
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
  std::optional<std::int64_t> offset_seconds;

  std::int64_t hours() const { return twelve_hours ? hour % 12 + (afternoon ? 12 : 0) : hour; }

  /// As DateTimeFormatter does: days past a month's end are its last one, 24:00 is the next day.
  bool to_moment(Moment* moment) const {
    const std::int64_t of_day = ((hours() * 60 + minute) * 60 + second) * kNanosPerSecond + nanos;
    const bool midnight = hours() == 24 && of_day == kNanosPerDay;
    if (month < 1 || month > 12 || day < 1 || day > 31 || (hours() > 23 && !midnight) ||
        minute > 59 || second > 59)
      return false;
    const int of_month = days_in_month(year, static_cast<int>(month));
    moment->days = days_from_civil(year, static_cast<int>(month),
                                   static_cast<int>(std::min<std::int64_t>(day, of_month)));
    if (day_of_year > 0) {
      if (day_of_year > (is_leap_year(year) ? 366 : 365)) return false;
      moment->days = days_from_civil(year, 1, 1) + day_of_year - 1;
    }
    moment->days += midnight ? 1 : 0;
    moment->nanos = midnight ? 0 : of_day;
    return true;
  }

  /// As SimpleDateFormat does: what is too large carries over.
  Moment to_lenient_moment() const {
    const std::int64_t months = year * 12 + month - 1;
    std::int64_t days =
        days_from_civil(floor_div(months, 12), static_cast<int>(floor_mod(months, 12)) + 1, 1) +
        day - 1;
    if (day_of_year > 0) days = days_from_civil(year, 1, 1) + day_of_year - 1;
    const std::int64_t seconds = (hours() * 60 + minute) * 60 + second + nanos / kNanosPerSecond;
    return {days + floor_div(seconds, kSecondsPerDay),
            floor_mod(seconds, kSecondsPerDay) * kNanosPerSecond + nanos % kNanosPerSecond};
  }
};

Result<DatePattern> DatePattern::parse(std::string_view pattern, PatternDialect dialect) {
  const std::string_view letters = dialect == PatternDialect::kFormatter
                                       ? "GyuYMLQqwWdDFEecaHkKhmsSAnNXxZ"
                                       : "GyYMLwWdDFEuaHkKhmsSXZ";
  DatePattern out;
  out.dialect_ = dialect;
  const auto add_text = [&out](char c) {
    if (out.items_.empty() || out.items_.back().letter != 0) out.items_.push_back({0, 0, ""});
    out.items_.back().text += c;
  };
  int open_sections = 0;
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
      if (letters.find(c) == std::string_view::npos)
        return error(ErrorCode::kInvalidArgument, "date pattern '{}': letter {} is not supported",
                     pattern, c);
      std::size_t end = i;
      while (end < pattern.size() && pattern[end] == c) ++end;
      out.items_.push_back({c, static_cast<int>(std::min<std::size_t>(end - i, 9)), ""});
      out.unit_nanos_ = std::min(out.unit_nanos_, unit_nanos(c));
      i = end;
    } else if (dialect == PatternDialect::kFormatter && (c == '[' || c == ']')) {
      open_sections += c == '[' ? 1 : -1;
      constexpr int kMostSections = 20;
      if (open_sections < 0 || open_sections > kMostSections)
        return error(ErrorCode::kInvalidArgument,
                     "date pattern '{}': a ] without [, or too many of them", pattern);
      out.items_.push_back({c, 0, ""});
      ++i;
    } else {
      add_text(c);
      ++i;
    }
  }
  // Sections that are open at the end end there.
  for (; open_sections > 0; --open_sections) out.items_.push_back({']', 0, ""});
  return out;
}

const DatePattern& DatePattern::standard() {
  static const DatePattern kStandard = *parse("yyyy-MM-dd HH:mm:ss", PatternDialect::kSimple);
  return kStandard;
}

std::int64_t DatePattern::unit_nanos(char letter) {
  switch (letter) {
    case 'a':
    case 'H':
    case 'k':
    case 'K':
    case 'h':
      return 3600 * kNanosPerSecond;
    case 'm':
      return 60 * kNanosPerSecond;
    case 's':
      return kNanosPerSecond;
    case 'S':
    case 'A':
    case 'n':
    case 'N':
      return 1;
    default:
      return kSecondsPerDay * kNanosPerSecond;
  }
}

bool DatePattern::needs_offset() const {
  return std::any_of(items_.begin(), items_.end(), [](const Item& item) {
    return item.letter == 'X' || item.letter == 'x' || item.letter == 'Z';
  });
}

void DatePattern::format(const Moment& moment, std::int64_t offset_seconds,
                         std::string& out) const {
  const CivilDate date = civil_from_days(moment.days);
  const std::int64_t seconds = moment.nanos / kNanosPerSecond;
  const std::int64_t hour = seconds / 3600;
  const bool simple = dialect_ == PatternDialect::kSimple;
  const int week_day = day_of_week(moment.days);
  const auto number = [&out](std::int64_t value, int width) {
    fmt::format_to(std::back_inserter(out), "{:0{}}", value, width);
  };
  const auto year = [&](std::int64_t value, const Item& item) {
    item.count == 2 ? number(floor_mod(value, 100), 2) : number(value, item.count);
  };
  for (const Item& item : items_) {
    switch (item.letter) {
      case 0:
        out += item.text;
        break;
      case '[':
      case ']':
        break;
      case 'G':
        out += kEras[date.year > 0 ? 1 : 0];
        break;
      case 'u':
        if (simple) {
          number(floor_mod(moment.days + 3, 7) + 1, item.count);
          break;
        }
        [[fallthrough]];
      case 'y':
        year(date.year, item);
        break;
      case 'Y':
        year(week_year(moment.days, date.year), item);
        break;
      case 'M':
      case 'L':
        if (item.count >= 3) {
          out += shown(kMonths[static_cast<std::size_t>(date.month - 1)], item.count, dialect_);
        } else {
          number(date.month, item.count);
        }
        break;
      case 'Q':
      case 'q':
        if (item.count == 3) out += 'Q';
        number((date.month - 1) / 3 + 1, item.count <= 2 ? item.count : 1);
        if (item.count >= 4) out += " quarter";
        break;
      case 'w':
        number((moment.days - first_week(week_year(moment.days, date.year))) / 7 + 1, item.count);
        break;
      case 'W':
        number((date.day - 1 + day_of_week(moment.days - date.day + 1) - 1) / 7 + 1, item.count);
        break;
      case 'd':
        number(date.day, item.count);
        break;
      case 'D':
        number(moment.days - days_from_civil(date.year, 1, 1) + 1, item.count);
        break;
      case 'F':
        // Only SimpleDateFormat counts weeks here, the other one days within them.
        number((simple ? (date.day - 1) / 7 : (date.day - 1) % 7) + 1, item.count);
        break;
      case 'e':
      case 'c':
        if (item.count <= 2) {
          number(week_day, item.count);
          break;
        }
        [[fallthrough]];
      case 'E':
        out += shown(kDays[static_cast<std::size_t>(floor_mod(moment.days + 3, 7))], item.count,
                     dialect_);
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
        for (int digit = simple ? 3 : item.count; digit < 9; ++digit) fraction /= 10;
        number(fraction, item.count);
        break;
      }
      case 'A':
        number(moment.nanos / 1'000'000, item.count);
        break;
      case 'n':
        number(moment.nanos % kNanosPerSecond, item.count);
        break;
      case 'N':
        number(moment.nanos, item.count);
        break;
      case 'a':
        out += kHalves[hour < 12 ? 0 : 1];
        break;
      default:
        append_offset(item.letter, item.count, offset_seconds, out);
    }
  }
}

bool DatePattern::is_number(std::size_t index) const {
  if (index >= items_.size()) return false;
  const Item& item = items_[index];
  const bool month_name = (item.letter == 'M' || item.letter == 'L') && item.count >= 3;
  return item.letter != 0 && !month_name &&
         std::string_view("GEaXxZ[]").find(item.letter) == std::string_view::npos;
}

bool DatePattern::read_name(const Item& item, std::string_view& text, Fields& fields) const {
  const bool any_case = dialect_ == PatternDialect::kSimple;
  switch (item.letter) {
    case 'G':
      return take_name(kEras, any_case, text) >= 0;
    case 'E':
      return take_name(kDays, any_case, text) >= 0;
    case 'a': {
      const int half = take_name(kHalves, any_case, text);
      fields.afternoon = half == 1;
      return half >= 0;
    }
    case 'M':
    case 'L':
      fields.month = take_name(kMonths, any_case, text) + 1;
      return fields.month > 0;
    default:
      fields.offset_seconds = take_offset(text);
      return fields.offset_seconds.has_value();
  }
}

/// The number that item `index` is. One that another follows has exactly as many digits as letters.
std::optional<std::int64_t> DatePattern::read_number(std::size_t index, std::string_view& text,
                                                     int* digits) const {
  constexpr int kMostDigits = 9;
  const Item& item = items_[index];
  const bool adjacent = is_number(index + 1);
  int least = 1;
  int most = kMostDigits;
  if (adjacent) {
    most = item.count;
  } else if (dialect_ == PatternDialect::kFormatter && (item.count > 1 || item.letter == 'S')) {
    least = item.count;
    // A year may have less letters than digits, the day of the year has two or three.
    const bool year = item.letter == 'y' || item.letter == 'u';
    most = year && item.count == 3 ? 4 : item.letter == 'D' ? 3 : item.count;
  }
  std::int64_t value = 0;
  int count = 0;
  while (count < most && count < static_cast<int>(text.size()) &&
         is_digit(text[static_cast<std::size_t>(count)]))
    value = value * 10 + (text[static_cast<std::size_t>(count++)] - '0');
  if (count < least) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(count));
  *digits = count;
  return value;
}

bool DatePattern::read_item(std::size_t index, std::string_view& text, Fields& fields) const {
  const Item& item = items_[index];
  const bool simple = dialect_ == PatternDialect::kSimple;
  if (item.letter == 0) {
    if (!text.starts_with(item.text)) return false;
    text.remove_prefix(item.text.size());
    return true;
  }
  while (simple && (text.starts_with(' ') || text.starts_with('\t'))) text.remove_prefix(1);
  if (!is_number(index)) return read_name(item, text, fields);
  int digits = 0;
  const std::optional<std::int64_t> number = read_number(index, text, &digits);
  if (!number) return false;
  const std::int64_t value = *number;
  switch (item.letter) {
    case 'u':
      if (simple) return true;
      [[fallthrough]];
    case 'y':
      fields.year = value;
      if (item.count <= 2 && digits == 2)
        fields.year = simple ? full_year(value) : item.count == 2 ? 2000 + value : value;
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
      return simple || (value >= 1 && value <= 24);
    case 'K':
    case 'h':
      fields.hour = value;
      fields.twelve_hours = true;
      return simple || value <= 12;
    case 'm':
      fields.minute = value;
      return true;
    case 's':
      fields.second = value;
      return true;
    case 'S':
      fields.nanos = value;
      for (int digit = simple ? 3 : digits; digit < 9; ++digit) fields.nanos *= 10;
      return true;
    case 'n':
      fields.nanos = value;
      return true;
    default:  // says nothing about the moment that other letters do not
      return true;
  }
}

std::size_t DatePattern::end_of_section(std::size_t begin) const {
  int depth = 0;
  for (std::size_t i = begin;; ++i) {
    if (items_[i].letter == '[') ++depth;
    if (items_[i].letter == ']' && --depth == 0) return i;
  }
}

/// A section that does not fit is left out.
bool DatePattern::read_items(std::size_t begin, std::size_t end, std::string_view& text,
                             Fields& fields) const {
  for (std::size_t i = begin; i < end; ++i) {
    if (items_[i].letter != '[') {
      if (!read_item(i, text, fields)) return false;
      continue;
    }
    const std::size_t section_end = end_of_section(i);
    std::string_view rest = text;
    Fields with_section = fields;
    if (read_items(i + 1, section_end, rest, with_section)) {
      text = rest;
      fields = with_section;
    }
    i = section_end;
  }
  return true;
}

std::optional<DatePattern::Reading> DatePattern::read(std::string_view text) const {
  Fields fields;
  if (!read_items(0, items_.size(), text, fields)) return std::nullopt;
  Reading reading{{}, fields.offset_seconds};
  if (dialect_ == PatternDialect::kSimple) {
    reading.moment = fields.to_lenient_moment();
    return reading;
  }
  if (!text.empty() || !fields.to_moment(&reading.moment)) return std::nullopt;
  return reading;
}

}  // namespace tidegate
