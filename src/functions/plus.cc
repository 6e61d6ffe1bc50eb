// SPDX-License-Identifier: Apache-2.0
#include "expr/type_rules.h"
#include "functions/arithmetic.h"
#include "functions/decimal_arithmetic.h"
#include "functions/moment_arithmetic.h"

namespace tidegate {

namespace {

Result<BoundFunction> bind_plus(std::span<const LogicalType> arguments,
                                std::span<const ArrayPtr> constants) {
  constexpr const char* kTakes = "two numbers, or a date or time and an interval";
  const auto has_sign = [](const LogicalType& type) {
    return type.is_numeric() || type.kind() == TypeKind::kIntervalDayTime ||
           type.kind() == TypeKind::kIntervalYearMonth;
  };
  if (arguments.size() == 1 && has_sign(arguments[0])) {
    BoundFunction same = same_type_function(arguments[0], 1);
    same.evaluate = [](std::span<const Argument> args, std::int64_t, EvalContext&) {
      return Result<ArrayPtr>(args[0].array);
    };
    return same;
  }
  if (arguments.size() != 2) return argument_mismatch("+", kTakes, arguments);
  if (std::optional<BoundFunction> bound = bind_moment_sum(arguments, constants, 1))
    return *std::move(bound);
  const std::optional<LogicalType> type = binary_number_type(arguments);
  if (!type) {
    if (are_numbers(arguments)) return bind_decimals(arguments, decimal_sum_type, add_decimals);
    return argument_mismatch("+", kTakes, arguments);
  }
  BoundFunction bound = same_type_function(*type, 2);
  with_physical_type(*type, [&]<typename T>() {
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
      bound.evaluate = [type = *type](std::span<const Argument> args, std::int64_t num_rows,
                                      EvalContext&) {
        return map_numbers<T>(type, args, num_rows, [](T a, T b) {
          if constexpr (std::is_floating_point_v<T>) {
            return a + b;
          } else {
            return static_cast<T>(wrapping(a) + wrapping(b));
          }
        });
      };
    }
  });
  return bound;
}

}  // namespace

void register_function_plus(FunctionRegistry& registry) {
  registry.add({.name = "+",
                .category = "arithmetic",
                .signature = "a + b | +a",
                .description = "Sum; a whole number that overflows wraps around.",
                .examples = {{"1 + 2", "3"},
                             {"+(5)", "5"},
                             {"2147483647 + 1", "-2147483648"},
                             {"1.5 + 2.25", "3.75"},
                             {"DATE '2020-01-31' + INTERVAL '1' MONTH", "2020-02-29"}},
                .bind_with_constants = bind_plus});
}

}  // namespace tidegate
