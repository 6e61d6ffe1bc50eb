// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "functions/time_fields.h"
#include "tidegate/status.h"

namespace tidegate {

/// How a date and time is written, in Java's notation (DateTimeFormatter, SimpleDateFormat): y u
/// year, M L month, d day, D day of the year, H k K h hour, m minute, s second, S fraction, a AM or
/// PM, E day of the week, text in quotes. Names are English.
class DatePattern {
 public:
  /// kInvalidArgument for letters that mean nothing here.
  static Result<DatePattern> parse(std::string_view pattern);
  /// 'yyyy-MM-dd HH:mm:ss'.
  static const DatePattern& standard();

  void format(const Moment& moment, std::string& out) const;
  /// False when the text is not of this form or is no moment that exists. What the pattern does not
  /// say is that of 1970-01-01 00:00:00.
  bool read(std::string_view text, Moment* moment) const;

 private:
  struct Item {
    char letter;  // 0: text
    int count;
    std::string text;
  };
  struct Fields;

  bool read_item(std::size_t index, std::string_view& text, Fields& fields) const;

  std::vector<Item> items_;
};

}  // namespace tidegate
