// SPDX-License-Identifier: Apache-2.0
//
// What +, -, *, / and % share: which type an operation is done in, and the loops.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "expr/column_values.h"
#include "expr/function_registry.h"
#include "expr/map_values.h"
#include "functions/binding.h"

namespace tidegate {

/// The type in which two numbers are added or compared: the wider whole number, or FLOAT or DOUBLE,
/// or none when it is decimals.
std::optional<LogicalType> binary_number_type(std::span<const LogicalType> arguments);

/// True for two numbers (or a number and NULL).
bool are_numbers(std::span<const LogicalType> arguments);

/// The same type for the arguments and the result.
BoundFunction same_type_function(const LogicalType& type, std::size_t num_arguments);

/// out[i] = op(a[i], b[i]) on values of one fixed-width type, without looking at nulls: `op` takes
/// any values. Plain loops per case of constants, which the compiler can unroll.
template <typename T, typename Op>
Result<ArrayPtr> map_numbers(const LogicalType& type, std::span<const Argument> arguments,
                             std::int64_t num_rows, Op op) {
  const Argument& left = arguments[0];
  const Argument& right = arguments[1];
  if (is_constant_null(left) || is_constant_null(right))
    return null_column(type.arrow_type(), num_rows);
  TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<T>::make(num_rows));
  const T* a = ValueReader<T>(*left.array).values();
  const T* b = ValueReader<T>(*right.array).values();
  T* __restrict out = writer.values();
  if (left.is_constant) {
    const T constant = a[0];
    if (right.is_constant) {
      for (std::int64_t i = 0; i < num_rows; ++i) out[i] = op(constant, b[0]);
    } else {
      for (std::int64_t i = 0; i < num_rows; ++i) out[i] = op(constant, b[i]);
    }
  } else if (right.is_constant) {
    const T constant = b[0];
    for (std::int64_t i = 0; i < num_rows; ++i) out[i] = op(a[i], constant);
  } else {
    for (std::int64_t i = 0; i < num_rows; ++i) out[i] = op(a[i], b[i]);
  }
  TG_ASSIGN_OR_RETURN(auto validity, rows_without_nulls(arguments, num_rows));
  return writer.finish(type, std::move(validity));
}

/// As an unsigned number of the same width, where overflow wraps around.
template <typename T>
auto wrapping(T value) {
  // Narrow types are promoted to int, whose multiplication could overflow.
  if constexpr (sizeof(T) < 4) {
    return static_cast<std::uint32_t>(value);
  } else {
    return static_cast<std::make_unsigned_t<T>>(value);
  }
}

/// kDivisionByZero in operator `op`.
Status division_by_zero(std::string_view op);

}  // namespace tidegate
