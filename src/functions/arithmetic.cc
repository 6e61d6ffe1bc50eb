// SPDX-License-Identifier: Apache-2.0
#include "functions/arithmetic.h"

#include "base/check.h"
#include "expr/type_rules.h"

namespace tidegate {

bool are_numbers(std::span<const LogicalType> arguments) {
  if (arguments.size() != 2) return false;
  const auto is_number = [](const LogicalType& t) { return t.is_numeric(); };
  const auto is_null = [](const LogicalType& t) { return t.kind() == TypeKind::kNull; };
  return (is_number(arguments[0]) && (is_number(arguments[1]) || is_null(arguments[1]))) ||
         (is_null(arguments[0]) && is_number(arguments[1]));
}

std::optional<LogicalType> binary_number_type(std::span<const LogicalType> arguments) {
  if (!are_numbers(arguments)) return std::nullopt;
  std::optional<LogicalType> common = common_type(arguments[0], arguments[1]);
  if (common && common->kind() == TypeKind::kDecimal) return std::nullopt;
  return common;
}

BoundFunction same_type_function(const LogicalType& type, std::size_t num_arguments) {
  BoundFunction bound;
  bound.result_type = type;
  bound.argument_types.assign(num_arguments, type);
  bound.can_fail = false;
  return bound;
}

Status division_by_zero(std::string_view op) {
  return error(ErrorCode::kDivisionByZero, "'{}': the divisor is zero", op);
}

}  // namespace tidegate
