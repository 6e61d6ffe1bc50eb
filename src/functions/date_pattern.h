// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "functions/time_fields.h"
#include "tidegate/status.h"

namespace tidegate {

/// Whose patterns: the functions of Flink use either of Java's two kinds.
enum class PatternDialect : std::uint8_t {
  /// java.time.DateTimeFormatter: TO_TIMESTAMP, DATE_FORMAT of a timestamp. A number has as many
  /// digits as letters (one letter: any number of digits), and the text ends with the pattern.
  kFormatter,
  /// java.text.SimpleDateFormat: TO_DATE, UNIX_TIMESTAMP, FROM_UNIXTIME. A number has any number of
  /// digits, one that is too large carries over, and what is behind the pattern does not matter.
  kSimple,
};

/// How a date and time is written: G era, y u year (u in kSimple: day of the week), Y year of the
/// week, M L month, w week of the year, W of the month, d day, D day of the year, F week of days in
/// the month (in kFormatter: day of such a week), E day of the week, a AM or PM, H k K h hour, m
/// minute, s second, S fraction (in kSimple: milliseconds), X Z offset, text in quotes; in
/// kFormatter also Q q quarter, e c number of the day of the week, A milliseconds and N nanoseconds
/// of the day, n nanoseconds, x offset, [ ] around what may be left out. Names are English, weeks
/// start on Sunday.
class DatePattern {
 public:
  /// kInvalidArgument for letters that mean nothing here.
  static Result<DatePattern> parse(std::string_view pattern, PatternDialect dialect);
  /// 'yyyy-MM-dd HH:mm:ss'.
  static const DatePattern& standard();

  /// True when writing takes an offset from UTC.
  bool needs_offset() const;
  /// Times within the same so many nanoseconds of a day are written alike.
  std::int64_t unit_nanos() const { return unit_nanos_; }
  void format(const Moment& moment, std::int64_t offset_seconds, std::string& out) const;

  /// What a text says: a moment, and an offset from UTC when the pattern has one.
  struct Reading {
    Moment moment;
    std::optional<std::int64_t> offset_seconds;
  };
  /// None when the text is not of this form or is no moment that exists. What the pattern does not
  /// say is that of 1970-01-01 00:00:00.
  std::optional<Reading> read(std::string_view text) const;

 private:
  struct Item {
    char letter;  // 0: text
    int count;
    std::string text;
  };
  struct Fields;

  bool read_items(std::size_t begin, std::size_t end, std::string_view& text, Fields& fields) const;
  std::size_t end_of_section(std::size_t begin) const;
  bool read_item(std::size_t index, std::string_view& text, Fields& fields) const;
  bool read_name(const Item& item, std::string_view& text, Fields& fields) const;
  bool is_number(std::size_t index) const;
  std::optional<std::int64_t> read_number(std::size_t index, std::string_view& text,
                                          int* digits) const;

  static std::int64_t unit_nanos(char letter);

  PatternDialect dialect_ = PatternDialect::kFormatter;
  std::vector<Item> items_;
  std::int64_t unit_nanos_ = std::numeric_limits<std::int64_t>::max();
};

}  // namespace tidegate
