// SPDX-License-Identifier: Apache-2.0
#include "functions/decimal_arithmetic.h"

#include <arrow/util/basic_decimal.h>

#include <algorithm>
#include <optional>

#include "expr/map_values.h"
#include "expr/type_rules.h"
#include "functions/arithmetic.h"

namespace tidegate {

namespace {

using Wide = arrow::BasicDecimal256;
constexpr int kWideDigits = 76;

Wide wide(Int128 value) {
  return Wide(arrow::BasicDecimal128(static_cast<std::int64_t>(value >> 64),
                                     static_cast<std::uint64_t>(value)));
}

/// To an Int128 of at most `precision` digits.
bool narrow(const Wide& value, int precision, Int128* out) {
  if (!value.FitsInPrecision(precision)) return false;
  const auto& words = value.little_endian_array();
  *out = static_cast<Int128>(static_cast<unsigned __int128>(words[1]) << 64 | words[0]);
  return true;
}

/// value * 10^exponent, or false when that passes 256 bits.
bool scale_up(Wide* value, int exponent) {
  if (exponent > kWideDigits || !value->FitsInPrecision(std::max(kWideDigits - exponent, 1)))
    return *value == Wide(0);
  if (exponent > 0) *value *= Wide::GetScaleMultiplier(exponent);
  return true;
}

/// From one scale to the other, rounded half up.
bool rescale(Wide value, int from_scale, DecimalDigits to, Int128* out) {
  if (from_scale > to.scale) {
    value = value.ReduceScaleBy(from_scale - to.scale, /*round=*/true);
  } else if (!scale_up(&value, to.scale - from_scale)) {
    return false;
  }
  return narrow(value, to.precision, out);
}

}  // namespace

bool add_decimals(Int128 a, int a_scale, Int128 b, int b_scale, DecimalDigits to, Int128* out) {
  const int scale = std::max(a_scale, b_scale);
  Int128 left = 0;
  Int128 right = 0;
  Int128 sum = 0;
  if (!__builtin_mul_overflow(a, power_of_ten(scale - a_scale), &left) &&
      !__builtin_mul_overflow(b, power_of_ten(scale - b_scale), &right) &&
      !__builtin_add_overflow(left, right, &sum)) {
    return rescale_decimal(sum, scale, to.scale, to.precision, out);
  }
  Wide wide_a = wide(a);
  Wide wide_b = wide(b);
  return scale_up(&wide_a, scale - a_scale) && scale_up(&wide_b, scale - b_scale) &&
         rescale(wide_a + wide_b, scale, to, out);
}

bool multiply_decimals(Int128 a, int a_scale, Int128 b, int b_scale, DecimalDigits to,
                       Int128* out) {
  Int128 product = 0;
  if (!__builtin_mul_overflow(a, b, &product) && a_scale + b_scale <= kMaxDecimalPrecision)
    return rescale_decimal(product, a_scale + b_scale, to.scale, to.precision, out);
  return rescale(wide(a) * wide(b), a_scale + b_scale, to, out);
}

bool divide_decimals(Int128 a, int a_scale, Int128 b, int b_scale, DecimalDigits to, Int128* out) {
  const int exponent = to.scale + b_scale - a_scale;
  Int128 scaled = 0;
  if (exponent >= 0 && exponent <= kMaxDecimalPrecision &&
      !__builtin_mul_overflow(a, power_of_ten(exponent), &scaled)) {
    *out = b > 0 ? divide_half_up(scaled, b) : divide_half_up(-scaled, -b);
    return fits_precision(*out, to.precision);
  }
  Wide dividend = wide(a);
  Wide divisor = wide(b);
  // A dividend past 256 bits makes a quotient past 38 digits.
  if (exponent >= 0 ? !scale_up(&dividend, exponent) : !scale_up(&divisor, -exponent)) return false;
  Wide quotient;
  Wide remainder;
  dividend.Divide(divisor, &quotient, &remainder);
  const Wide twice = Wide::Abs(remainder) + Wide::Abs(remainder);
  if (twice >= Wide::Abs(divisor))
    quotient += Wide((dividend < Wide(0)) != (divisor < Wide(0)) ? -1 : 1);
  return narrow(quotient, to.precision, out);
}

bool modulo_decimals(Int128 a, int a_scale, Int128 b, int b_scale, DecimalDigits to, Int128* out) {
  const int scale = std::max(a_scale, b_scale);
  Wide left = wide(a);
  Wide right = wide(b);
  if (!scale_up(&left, scale - a_scale) || !scale_up(&right, scale - b_scale)) return false;
  Wide quotient;
  Wide remainder;
  left.Divide(right, &quotient, &remainder);
  return rescale(remainder, scale, to, out);
}

BoundFunction bind_decimals(std::span<const LogicalType> arguments,
                            LogicalType (*result_type)(const LogicalType&, const LogicalType&),
                            DecimalOperation operation, const char* divisor_of) {
  const auto decimal_of = [&arguments](std::size_t i) {
    const LogicalType& other = arguments[1 - i];
    return arguments[i].kind() == TypeKind::kNull ? as_decimal(other).with_nullable(true)
                                                  : as_decimal(arguments[i]);
  };
  const LogicalType a = decimal_of(0);
  const LogicalType b = decimal_of(1);
  BoundFunction bound;
  bound.argument_types = {a, b};
  bound.result_type = result_type(a, b).with_nullable(true);  // NULL past the precision
  bound.can_fail = divisor_of != nullptr;
  bound.evaluate = [type = bound.result_type, a_scale = a.scale(), b_scale = b.scale(), operation,
                    divisor_of](std::span<const Argument> args, std::int64_t num_rows,
                                EvalContext&) {
    const DecimalDigits to{type.precision(), type.scale()};
    return map_values<Int128, Int128, Int128>(
        type, args, num_rows, [&](Int128 left, Int128 right) -> Result<std::optional<Int128>> {
          if (divisor_of != nullptr && right == 0) return division_by_zero(divisor_of);
          Int128 out = 0;
          if (!operation(left, a_scale, right, b_scale, to, &out)) return std::optional<Int128>();
          return std::optional<Int128>(out);
        });
  };
  return bound;
}

}  // namespace tidegate
