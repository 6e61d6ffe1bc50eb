// SPDX-License-Identifier: Apache-2.0
#include "types/decimal.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace tidegate {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// An exponent, cut to what can matter; false when the text is not one.
bool parse_exponent(std::string_view text, int* exponent) {
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  if (text.empty()) return false;
  int value = 0;
  for (char c : text) {
    if (!is_digit(c)) return false;
    value = std::min(value * 10 + (c - '0'), 1'000'000);
  }
  *exponent = negative ? -value : value;
  return true;
}

/// Adds digits one by one to the unscaled value of a decimal; those behind its scale round it.
class DigitCollector {
 public:
  /// `position` is the power of ten of the next digit, counted from the last digit of the scale.
  explicit DigitCollector(std::int64_t position) : position_(position) {}

  void add(int digit) {
    if (position_ >= 0) {
      if (value_ != 0 || digit != 0) {
        overflow_ = overflow_ || value_ >= power_of_ten(kMaxDecimalPrecision - 1);
        if (!overflow_) value_ = value_ * 10 + digit;
      }
    } else if (position_ == -1) {
      round_up_ = digit >= 5;
    }
    --position_;
  }

  bool finish(int precision, Int128* value) {
    if (value_ != 0 && position_ >= kMaxDecimalPrecision) return false;
    for (; position_ >= 0 && value_ != 0 && !overflow_; --position_) add_zero();
    if (overflow_) return false;
    *value = value_ + (round_up_ ? 1 : 0);
    return fits_precision(*value, precision);
  }

 private:
  void add_zero() {
    overflow_ = value_ >= power_of_ten(kMaxDecimalPrecision - 1);
    if (!overflow_) value_ *= 10;
  }

  Int128 value_ = 0;
  std::int64_t position_;
  bool round_up_ = false;
  bool overflow_ = false;
};

/// Lays out shortest digits "d[.ddd]e[+-]xx" as Java's Double.toString does.
void append_java_digits(std::string_view scientific, std::string& out) {
  if (scientific[0] == '-') {
    out += '-';
    scientific.remove_prefix(1);
  }
  const std::size_t e = scientific.find('e');
  int exponent = 0;
  parse_exponent(scientific.substr(e + 1), &exponent);
  std::string digits(1, scientific[0]);
  if (e > 2) digits += scientific.substr(2, e - 2);
  const int count = static_cast<int>(digits.size());
  if (exponent < -3 || exponent >= 7) {
    out += digits[0];
    out += '.';
    out += count > 1 ? std::string_view(digits).substr(1) : std::string_view("0");
    out += 'E' + std::to_string(exponent);
  } else if (exponent < 0) {
    out += "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  } else {
    if (count <= exponent + 1) digits.append(static_cast<std::size_t>(exponent + 2 - count), '0');
    out.append(digits, 0, static_cast<std::size_t>(exponent) + 1);
    out += '.';
    out.append(digits, static_cast<std::size_t>(exponent) + 1, std::string::npos);
  }
}

template <typename T>
void append_floating(T value, std::string& out) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "Infinity" : "-Infinity";
  } else if (value == 0) {
    out += std::signbit(value) ? "-0.0" : "0.0";
  } else {
    char buffer[48];
    const auto end =
        std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific);
    append_java_digits({buffer, static_cast<std::size_t>(end.ptr - buffer)}, out);
  }
}

}  // namespace

DecimalText parse_decimal(std::string_view text, int precision, int scale, Int128* value) {
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  int exponent = 0;
  const std::size_t e = text.find_first_of("eE");
  if (e != std::string_view::npos) {
    if (!parse_exponent(text.substr(e + 1), &exponent)) return DecimalText::kMalformed;
    text = text.substr(0, e);
  }
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::size_t digit_count = text.size() - (point < text.size() ? 1 : 0);
  if (digit_count == 0) return DecimalText::kMalformed;
  DigitCollector digits(static_cast<std::int64_t>(point) - 1 + exponent + scale);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == point) continue;
    if (!is_digit(text[i])) return DecimalText::kMalformed;
    digits.add(text[i] - '0');
  }
  Int128 unscaled = 0;
  if (!digits.finish(precision, &unscaled)) return DecimalText::kOverflow;
  *value = negative ? -unscaled : unscaled;
  return DecimalText::kOk;
}

void append_decimal(Int128 value, int scale, std::string& out) {
  char digits[48];
  char* const end = digits + sizeof(digits);
  char* first = end;
  auto rest = static_cast<unsigned __int128>(value);
  if (value < 0) rest = 0 - rest;
  for (int position = 0; rest != 0 || position <= scale; ++position) {
    if (position == scale && scale > 0) *--first = '.';
    if (rest >> 64 == 0) {
      // Most values: plain 64-bit divisions.
      auto low = static_cast<std::uint64_t>(rest);
      *--first = static_cast<char>('0' + low % 10);
      rest = low / 10;
    } else {
      *--first = static_cast<char>('0' + static_cast<int>(rest % 10));
      rest /= 10;
    }
  }
  if (value < 0) *--first = '-';
  out.append(first, static_cast<std::size_t>(end - first));
}

double decimal_to_double(Int128 value, int scale) {
  constexpr Int128 kExact = Int128{1} << 53;
  // Both exact: one rounding in all.
  if (value <= kExact && value >= -kExact && scale <= 22)
    return static_cast<double>(value) / std::pow(10.0, scale);
  std::string text;
  append_decimal(value, scale, text);
  return std::strtod(text.c_str(), nullptr);
}

bool double_to_decimal(double number, int precision, int scale, Int128* value) {
  if (!std::isfinite(number) || std::abs(number) >= 1e39) return false;
  // Java converts by the shortest decimal text, so that 0.1 becomes 0.1.
  char buffer[48];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), number);
  return parse_decimal({buffer, static_cast<std::size_t>(end.ptr - buffer)}, precision, scale,
                       value) == DecimalText::kOk;
}

void append_double(double value, std::string& out) { append_floating(value, out); }
void append_float(float value, std::string& out) { append_floating(value, out); }

}  // namespace tidegate
