// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "expr/type_rules.h"
#include "functions/arithmetic.h"
#include "functions/decimal_arithmetic.h"

namespace tidegate {

namespace {

/// Computed in the wider type, answered in that of the divisor (which holds every remainder).
template <typename T>
Result<BoundFunction> bind_integers(std::span<const LogicalType> arguments,
                                    const LogicalType& wide) {
  BoundFunction bound = same_type_function(wide, 2);
  const LogicalType narrow =
      arguments[1].kind() == TypeKind::kNull ? wide : arguments[1].with_nullable(wide.nullable());
  bound.result_type = narrow;
  bound.can_fail = true;
  bound.evaluate = [narrow](std::span<const Argument> args, std::int64_t num_rows,
                            EvalContext&) -> Result<ArrayPtr> {
    return with_physical_type(narrow, [&]<typename Out>() -> Result<ArrayPtr> {
      if constexpr (std::is_integral_v<Out> && !std::is_same_v<Out, bool>) {
        return map_values<Out, T, T>(narrow, args, num_rows, [](T a, T b) -> Result<Out> {
          if (b == 0) return division_by_zero("%");
          return static_cast<Out>(b == -1 ? T{0} : static_cast<T>(a % b));
        });
      } else {
        return null_column(narrow.arrow_type(), num_rows);
      }
    });
  };
  return bound;
}

Result<BoundFunction> bind_modulo(std::span<const LogicalType> arguments) {
  const std::optional<LogicalType> type = binary_number_type(arguments);
  if (!type) {
    if (are_numbers(arguments))
      return bind_decimals(arguments, decimal_modulo_type, modulo_decimals, "%");
    return argument_mismatch("%", "two numbers", arguments);
  }
  return with_physical_type(*type, [&]<typename T>() -> Result<BoundFunction> {
    if constexpr (std::is_floating_point_v<T>) {
      BoundFunction bound = same_type_function(*type, 2);
      bound.evaluate = [type = *type](std::span<const Argument> args, std::int64_t num_rows,
                                      EvalContext&) {
        return map_numbers<T>(type, args, num_rows, [](T a, T b) { return std::fmod(a, b); });
      };
      return bound;
    } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      return bind_integers<T>(arguments, *type);
    } else {
      return argument_mismatch("%", "two numbers", arguments);
    }
  });
}

}  // namespace

void register_function_modulo(FunctionRegistry& registry) {
  registry.add({.name = "%",
                .category = "arithmetic",
                .signature = "a % b",
                .description = "Remainder of a / b, with the sign of a; an error when b is zero.",
                .examples = {{"7 % 3", "1"}, {"-7 % 3", "-1"}, {"7.5 % 2", "1.5"}},
                .bind = bind_modulo});
  registry.add_alias("MOD", "%");
}

}  // namespace tidegate
