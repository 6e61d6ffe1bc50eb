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
  friend class JavaFormatParser;

  /// A text, and what stands behind it: "%[index$][flags][width][.precision]conversion".
  struct Item {
    std::string text = {};
    char conversion = 0;  ///< lower case; 0: none
    bool upper = false;
    std::string flags = {};
    int width = -1;
    int precision = -1;
    int index = 0;  ///< of the value, from 0

    bool has(char flag) const { return flags.find(flag) != std::string::npos; }
  };
  /// A value before it is filled up to the width.
  struct Body {
    std::string text = {};
    bool is_number = false;
    bool is_negative = false;
  };
  static bool make_body(const Item& item, const FormatValue& value, Body& body);
  static bool make_text(const FormatValue& value, Body& body);
  static bool make_integer(const Item& item, const FormatValue& value, Body& body);
  static bool make_floating(const Item& item, const FormatValue& value, Body& body);
  static void append_filled(const Item& item, Body body, std::string& out);

  std::vector<Item> items_;
};

}  // namespace tidegate
