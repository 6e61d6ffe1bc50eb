// SPDX-License-Identifier: Apache-2.0
#include "expr/type_rules.h"
#include "functions/arithmetic.h"
#include "functions/decimal_arithmetic.h"

namespace tidegate {

namespace {

/// Cut towards zero; the lowest value by -1 wraps around.
template <typename T>
Result<ArrayPtr> divide_integers(const LogicalType& type, std::span<const Argument> args,
                                 std::int64_t num_rows) {
  return map_values<T, T, T>(type, args, num_rows, [](T a, T b) -> Result<T> {
    if (b == 0) return division_by_zero("/");
    if (b == -1) return static_cast<T>(0 - wrapping(a));
    return static_cast<T>(a / b);
  });
}

Result<BoundFunction> bind_divide(std::span<const LogicalType> arguments) {
  const std::optional<LogicalType> type = binary_number_type(arguments);
  if (!type) {
    if (are_numbers(arguments))
      return bind_decimals(arguments, decimal_quotient_type, divide_decimals, "/");
    return argument_mismatch("/", "two numbers", arguments);
  }
  BoundFunction bound = same_type_function(*type, 2);
  bound.can_fail = type->is_integer();
  with_physical_type(*type, [&]<typename T>() {
    if constexpr (std::is_floating_point_v<T>) {
      bound.evaluate = [type = *type](std::span<const Argument> args, std::int64_t num_rows,
                                      EvalContext&) {
        return map_numbers<T>(type, args, num_rows, [](T a, T b) { return a / b; });
      };
    } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      bound.evaluate = [type = *type](std::span<const Argument> args, std::int64_t num_rows,
                                      EvalContext&) {
        return divide_integers<T>(type, args, num_rows);
      };
    }
  });
  return bound;
}

}  // namespace

void register_function_divide(FunctionRegistry& registry) {
  registry.add({.name = "/",
                .category = "arithmetic",
                .signature = "a / b",
                .description =
                    "Quotient; of whole numbers it is cut towards zero. By zero it is an "
                    "error, of floating-point numbers infinity or NaN.",
                .examples = {{"7 / 2", "3"}, {"-7 / 2", "-3"}, {"7.0 / 2", "3.500000000000"}},
                .bind = bind_divide});
}

}  // namespace tidegate
