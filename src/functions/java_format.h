// SPDX-License-Identifier: Apache-2.0
//
// Formats as Java's Formatter has them: "%-10s|%05d|%.2f".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tidegate/status.h"

namespace tidegate {

/// What a format is given: nothing (NULL), BOOLEAN, a whole number with its bytes, a floating-point
/// number, a text, or a value that only %s shows.
struct FormatInteger {
  std::int64_t value;
  int bytes;
};
struct FormatOther {
  std::string text;
};
using FormatValue =
    std::variant<std::monostate, bool, FormatInteger, float, double, std::string_view, FormatOther>;

class JavaFormat {
 public:
  /// kInvalidSyntax for what is not a format, kNotSupported for the conversions %a, %h and %t.
  static Result<JavaFormat> parse(std::string_view text);

  /// Appends the text; false, with nothing appended, when the values are not what it asks for.
  bool append(const std::vector<FormatValue>& values, std::string& out) const;

 private:
  struct Item {
    std::string text;     // in front
    char conversion = 0;  // lower case; 0: none
    bool upper = false;
    std::string flags = {};
    int width = -1;
    int precision = -1;
    int index = 0;  // from 0
    bool has(char flag) const { return flags.find(flag) != std::string::npos; }
  };
  static bool append_item(const Item& item, const FormatValue& value, std::string& out);

  std::vector<Item> items_;
};

}  // namespace tidegate
