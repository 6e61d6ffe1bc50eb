// SPDX-License-Identifier: Apache-2.0
#include "expr/type_rules.h"
#include "functions/arithmetic.h"
#include "functions/decimal_arithmetic.h"

namespace tidegate {

namespace {

bool is_interval(const LogicalType& type) {
  return type.kind() == TypeKind::kIntervalYearMonth || type.kind() == TypeKind::kIntervalDayTime;
}

template <typename T>
Evaluate multiply(const LogicalType& type) {
  return [type](std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
    return map_numbers<T>(type, args, num_rows, [](T a, T b) {
      if constexpr (std::is_floating_point_v<T>) {
        return a * b;
      } else {
        return static_cast<T>(wrapping(a) * wrapping(b));
      }
    });
  };
}

/// INTERVAL * 3, 3 * INTERVAL.
Result<BoundFunction> bind_interval_times(const LogicalType& a, const LogicalType& b) {
  const LogicalType& interval = is_interval(a) ? a : b;
  const LogicalType result = interval.with_nullable(a.nullable() || b.nullable());
  const bool months = interval.kind() == TypeKind::kIntervalYearMonth;
  const LogicalType number(months ? TypeKind::kInt : TypeKind::kBigInt);
  BoundFunction bound;
  bound.result_type = result;
  bound.argument_types = {is_interval(a) ? a : number.with_nullable(a.nullable()),
                          is_interval(b) ? b : number.with_nullable(b.nullable())};
  bound.can_fail = false;
  bound.evaluate = months ? multiply<std::int32_t>(result) : multiply<std::int64_t>(result);
  return bound;
}

Result<BoundFunction> bind_times(std::span<const LogicalType> arguments) {
  if (arguments.size() == 2 && ((is_interval(arguments[0]) && arguments[1].is_integer()) ||
                                (is_interval(arguments[1]) && arguments[0].is_integer())))
    return bind_interval_times(arguments[0], arguments[1]);
  const std::optional<LogicalType> type = binary_number_type(arguments);
  if (!type) {
    if (are_numbers(arguments))
      return bind_decimals(arguments, decimal_product_type, multiply_decimals);
    return argument_mismatch("*", "two numbers, or an interval and a whole number", arguments);
  }
  BoundFunction bound = same_type_function(*type, 2);
  with_physical_type(*type, [&]<typename T>() {
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>)
      bound.evaluate = multiply<T>(*type);
  });
  return bound;
}

}  // namespace

void register_function_times(FunctionRegistry& registry) {
  registry.add({.name = "*",
                .category = "arithmetic",
                .signature = "a * b",
                .description = "Product; a whole number that overflows wraps around.",
                .examples = {{"6 * 7", "42"},
                             {"1.5 * 2.5", "3.75"},
                             {"INTERVAL '1' HOUR * 3", "+0 03:00:00.000"}},
                .bind = bind_times});
}

}  // namespace tidegate
