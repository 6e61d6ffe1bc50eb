// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic on DECIMAL(p, s). Intermediate results are exact (up to 256 bits); results are rounded
// half up to the scale of the result type. All answer false when the result has more digits than
// `precision`, which SQL turns into NULL.
#pragma once

#include <span>

#include "expr/function_registry.h"
#include "types/decimal.h"

namespace tidegate {

/// A result type's digits.
struct DecimalDigits {
  int precision;
  int scale;
};

bool add_decimals(Int128 a, int a_scale, Int128 b, int b_scale, DecimalDigits to, Int128* out);
bool multiply_decimals(Int128 a, int a_scale, Int128 b, int b_scale, DecimalDigits to, Int128* out);
/// b is not zero.
bool divide_decimals(Int128 a, int a_scale, Int128 b, int b_scale, DecimalDigits to, Int128* out);
/// b is not zero; the sign is that of a.
bool modulo_decimals(Int128 a, int a_scale, Int128 b, int b_scale, DecimalDigits to, Int128* out);

using DecimalOperation = bool (*)(Int128 a, int a_scale, Int128 b, int b_scale, DecimalDigits to,
                                  Int128* out);

/// `arguments` are two numbers of which at least one is DECIMAL and none FLOAT or DOUBLE.
/// `result_type` derives the type of the result; `divisor_of`: the operator that cannot divide by
/// zero, else null.
BoundFunction bind_decimals(std::span<const LogicalType> arguments,
                            LogicalType (*result_type)(const LogicalType&, const LogicalType&),
                            DecimalOperation operation, const char* divisor_of = nullptr);

}  // namespace tidegate
