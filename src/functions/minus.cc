// SPDX-License-Identifier: Apache-2.0
#include "expr/type_rules.h"
#include "functions/arithmetic.h"
#include "functions/decimal_arithmetic.h"
#include "functions/moment_arithmetic.h"

namespace tidegate {

namespace {

bool subtract_decimals(Int128 a, int a_scale, Int128 b, int b_scale, DecimalDigits to,
                       Int128* out) {
  return add_decimals(a, a_scale, -b, b_scale, to, out);
}

/// -x of a number or an interval.
Result<BoundFunction> bind_negative(const LogicalType& type) {
  BoundFunction bound = same_type_function(type, 1);
  with_physical_type(type, [&]<typename T>() {
    if constexpr (!std::is_same_v<T, bool> && !std::is_same_v<T, std::string_view>) {
      bound.evaluate = [type](std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
        return map_values<T, T>(type, args, num_rows, [](T value) {
          if constexpr (std::is_floating_point_v<T> || std::is_same_v<T, Int128>) {
            return static_cast<T>(-value);
          } else {
            return static_cast<T>(0 - wrapping(value));
          }
        });
      };
    }
  });
  return bound;
}

Result<BoundFunction> bind_minus(std::span<const LogicalType> arguments,
                                 std::span<const ArrayPtr> constants) {
  constexpr const char* kTakes =
      "two numbers, a date or time and an interval, or two dates or timestamps";
  if (arguments.size() == 1 &&
      (arguments[0].is_numeric() || arguments[0].kind() == TypeKind::kIntervalDayTime ||
       arguments[0].kind() == TypeKind::kIntervalYearMonth))
    return bind_negative(arguments[0]);
  if (arguments.size() != 2) return argument_mismatch("-", kTakes, arguments);
  if (std::optional<BoundFunction> bound = bind_moment_sum(arguments, constants, -1))
    return *std::move(bound);
  const std::optional<LogicalType> type = binary_number_type(arguments);
  if (!type) {
    if (are_numbers(arguments))
      return bind_decimals(arguments, decimal_sum_type, subtract_decimals);
    return argument_mismatch("-", kTakes, arguments);
  }
  BoundFunction bound = same_type_function(*type, 2);
  with_physical_type(*type, [&]<typename T>() {
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
      bound.evaluate = [type = *type](std::span<const Argument> args, std::int64_t num_rows,
                                      EvalContext&) {
        return map_numbers<T>(type, args, num_rows, [](T a, T b) {
          if constexpr (std::is_floating_point_v<T>) {
            return a - b;
          } else {
            return static_cast<T>(wrapping(a) - wrapping(b));
          }
        });
      };
    }
  });
  return bound;
}

}  // namespace

void register_function_minus(FunctionRegistry& registry) {
  registry.add(
      {.name = "-",
       .category = "arithmetic",
       .signature = "a - b | -a",
       .description = "Difference, or the negative; a whole number that overflows wraps around.",
       .examples = {{"1 - 2", "-1"},
                    {"-(5)", "-5"},
                    {"TIMESTAMP '2020-01-01 00:00:01' - TIMESTAMP '2020-01-01 00:00:00'",
                     "+0 00:00:01.000"}},
       .bind_with_constants = bind_minus});
}

}  // namespace tidegate
