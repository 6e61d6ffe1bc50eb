// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tidegate {

/// The unscaled value of a DECIMAL(p, s): the number times 10^s, as Arrow's decimal128 stores it.
using Int128 = __int128;

inline constexpr int kMaxDecimalPrecision = 38;

/// 10^0 .. 10^38.
constexpr Int128 power_of_ten(int exponent) {
  constexpr auto kPowers = [] {
    std::array<Int128, kMaxDecimalPrecision + 1> powers{};
    powers[0] = 1;
    for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
    return powers;
  }();
  return kPowers[static_cast<std::size_t>(exponent)];
}

/// True when the value has at most `precision` digits.
constexpr bool fits_precision(Int128 value, int precision) {
  return value > -power_of_ten(precision) && value < power_of_ten(precision);
}

/// value / divisor, halves away from zero (as SQL and Java's HALF_UP round); divisor > 0.
constexpr Int128 divide_half_up(Int128 value, Int128 divisor) {
  const Int128 quotient = value / divisor;
  const Int128 rest = value % divisor;
  const Int128 rest_abs = rest < 0 ? -rest : rest;
  if (rest_abs < divisor - rest_abs) return quotient;
  return quotient + (value < 0 ? -1 : 1);
}

/// The same number with another scale, rounded half up; false when it has more than `precision`
/// digits then.
constexpr bool rescale_decimal(Int128 value, int from_scale, int to_scale, int precision,
                               Int128* out) {
  if (to_scale >= from_scale) {
    Int128 scaled = 0;
    if (__builtin_mul_overflow(value, power_of_ten(to_scale - from_scale), &scaled)) return false;
    *out = scaled;
  } else {
    *out = divide_half_up(value, power_of_ten(from_scale - to_scale));
  }
  return fits_precision(*out, precision);
}

enum class DecimalText : std::uint8_t { kOk, kMalformed, kOverflow };

/// Reads "[+-]digits[.digits][e[+-]digits]" as a DECIMAL(precision, scale), rounded half up.
DecimalText parse_decimal(std::string_view text, int precision, int scale, Int128* value);

/// Plain digits, never an exponent: "-0.05".
void append_decimal(Int128 value, int scale, std::string& out);

/// The nearest double.
double decimal_to_double(Int128 value, int scale);

/// From a double's exact value, rounded half up; false for NaN, infinities and what does not fit.
bool double_to_decimal(double number, int precision, int scale, Int128* value);

/// The shortest digits that read back as the same number, in Java's form: 1.0, 1.0E10, NaN,
/// Infinity.
void append_double(double value, std::string& out);
void append_float(float value, std::string& out);

}  // namespace tidegate
