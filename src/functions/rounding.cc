// SPDX-License-Identifier: Apache-2.0
//
// FLOOR, CEIL (of numbers; of times see time_rounding.h), ROUND, TRUNCATE.
#include <algorithm>
#include <cmath>

#include "functions/arithmetic.h"
#include "functions/binding.h"
#include "functions/time_rounding.h"

namespace tidegate {

namespace {

/// value / divisor, down or up to a whole number; divisor > 0.
Int128 divide_down(Int128 value, Int128 divisor) {
  return value / divisor - (value % divisor < 0 ? 1 : 0);
}
Int128 divide_up(Int128 value, Int128 divisor) {
  return value / divisor + (value % divisor > 0 ? 1 : 0);
}

Result<BoundFunction> bind_whole(const char* name, bool up, std::span<const LogicalType> arguments,
                                 std::span<const ArrayPtr> constants) {
  if (arguments.size() == 2) return bind_time_rounding(name, up, arguments, constants);
  if (arguments.size() != 1 || !arguments[0].is_numeric())
    return argument_mismatch(name, "a number, or a date or time and a unit", arguments);
  const LogicalType& type = arguments[0];
  BoundFunction bound = same_type_function(type, 1);
  if (type.is_integer()) {
    bound.evaluate = [](std::span<const Argument> args, std::int64_t, EvalContext&) {
      return Result<ArrayPtr>(args[0].array);
    };
  } else if (type.kind() == TypeKind::kDecimal) {
    bound.result_type = LogicalType::decimal(type.precision(), 0, type.nullable());
    bound.evaluate = [up, scale = type.scale(), result = bound.result_type](
                         std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
      const Int128 divisor = power_of_ten(scale);
      return map_values<Int128, Int128>(result, args, num_rows, [up, divisor](Int128 value) {
        return up ? divide_up(value, divisor) : divide_down(value, divisor);
      });
    };
  } else {
    bound.evaluate = [up, type](std::span<const Argument> args, std::int64_t num_rows,
                                EvalContext&) -> Result<ArrayPtr> {
      if (type.kind() == TypeKind::kFloat) {
        return map_values<float, float>(type, args, num_rows, [up](float value) {
          return up ? std::ceil(value) : std::floor(value);
        });
      }
      return map_values<double, double>(type, args, num_rows, [up](double value) {
        return up ? std::ceil(value) : std::floor(value);
      });
    };
  }
  return bound;
}

/// A decimal's unscaled value with `digits` behind the point (negative: in front), at the same
/// scale.
Int128 round_decimal(Int128 value, int scale, std::int64_t digits, bool half_up) {
  if (digits >= scale) return value;
  if (scale - digits > kMaxDecimalPrecision) return 0;
  const Int128 unit = power_of_ten(scale - static_cast<int>(digits));
  return (half_up ? divide_half_up(value, unit) : value / unit) * unit;
}

/// By the shortest decimal text, as Java's BigDecimal.valueOf(double) has it: 2.675 is 2.68.
double round_double(double value, std::int64_t digits, bool half_up) {
  constexpr int kDoubleDigits = 17;
  Int128 exact = 0;
  // Numbers too large for a decimal with these digits have none there to round.
  if (half_up && digits >= 0) {
    if (digits > kMaxDecimalPrecision) return value;
    const int scale = static_cast<int>(digits);
    const bool fits = double_to_decimal(value, kMaxDecimalPrecision, scale, &exact);
    return fits ? decimal_to_double(exact, scale) : value;
  }
  if (digits >= kDoubleDigits) return value;
  for (int scale = kDoubleDigits; scale >= 0; --scale) {
    if (double_to_decimal(value, kMaxDecimalPrecision, scale, &exact))
      return decimal_to_double(round_decimal(exact, scale, digits, half_up), scale);
  }
  return value;
}

/// DECIMAL(p, s) rounded to `digits`.
LogicalType rounded_decimal_type(const LogicalType& type, std::int64_t digits) {
  if (digits >= type.scale()) return type;
  const int whole = type.precision() - type.scale() + 1;
  if (digits < 0)
    return LogicalType::decimal(std::min(whole, kMaxDecimalPrecision), 0, type.nullable());
  const int kept = static_cast<int>(digits);
  return LogicalType::decimal(std::min(whole + kept, kMaxDecimalPrecision), kept, type.nullable());
}

struct Rounding {
  bool half_up;
  LogicalType type;
  LogicalType result;
};

template <typename T>
auto round_one(const Rounding& rounding, T value, std::int64_t digits) {
  if constexpr (std::is_same_v<T, Int128>) {
    const Int128 rounded = round_decimal(value, rounding.type.scale(), digits, rounding.half_up);
    Int128 out = 0;
    const bool fits = rescale_decimal(rounded, rounding.type.scale(), rounding.result.scale(),
                                      rounding.result.precision(), &out);
    return fits ? std::optional<Int128>(out) : std::optional<Int128>();
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(round_double(static_cast<double>(value), digits, rounding.half_up));
  } else {
    return static_cast<T>(round_decimal(value, 0, digits, rounding.half_up));
  }
}

Result<BoundFunction> bind_round(const char* name, bool half_up,
                                 std::span<const LogicalType> arguments,
                                 std::span<const ArrayPtr> constants) {
  constexpr const char* kTakes = "a number and a whole number";
  if (arguments.empty() || arguments.size() > 2 || !arguments[0].is_numeric() ||
      (arguments.size() == 2 && !arguments[1].is_integer()))
    return argument_mismatch(name, kTakes, arguments);
  const LogicalType& type = arguments[0];
  BoundFunction bound;
  bound.result_type = type;
  bound.argument_types = {type};
  if (type.kind() == TypeKind::kDecimal) {
    std::optional<std::int64_t> digits;
    if (arguments.size() == 1) digits = 0;
    if (arguments.size() == 2 && constants[1] != nullptr && constants[1]->IsValid(0) &&
        arguments[1].kind() == TypeKind::kInt)
      digits = ValueReader<std::int32_t>(*constants[1])[0];
    if (arguments.size() == 2 && constants[1] != nullptr && constants[1]->IsValid(0) &&
        arguments[1].kind() == TypeKind::kBigInt)
      digits = ValueReader<std::int64_t>(*constants[1])[0];
    // How many digits is only known row by row: all that there may be are kept.
    bound.result_type =
        rounded_decimal_type(type, digits.value_or(type.scale())).with_nullable(true);
  }
  if (arguments.size() == 2) {
    bound.argument_types.push_back(integer_type().with_nullable(arguments[1].nullable()));
    bound.result_type =
        bound.result_type.with_nullable(bound.result_type.nullable() || arguments[1].nullable());
  }
  bound.can_fail = false;
  const Rounding rounding{half_up, type, bound.result_type};
  bound.evaluate = [rounding](std::span<const Argument> args, std::int64_t num_rows,
                              EvalContext&) -> Result<ArrayPtr> {
    return with_physical_type(rounding.type, [&]<typename T>() -> Result<ArrayPtr> {
      if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::string_view>) {
        return null_column(rounding.result.arrow_type(), num_rows);
      } else if (args.size() == 1) {
        return map_values<T, T>(rounding.result, args, num_rows,
                                [&](T value) { return round_one<T>(rounding, value, 0); });
      } else {
        return map_values<T, T, std::int64_t>(
            rounding.result, args, num_rows,
            [&](T value, std::int64_t digits) { return round_one<T>(rounding, value, digits); });
      }
    });
  };
  return bound;
}

}  // namespace

void register_function_rounding(FunctionRegistry& registry) {
  registry.add(
      {.name = "FLOOR",
       .category = "math",
       .signature = "FLOOR(number) | FLOOR(date or time TO unit)",
       .description = "The number rounded down, or the start of the unit.",
       .examples = {{"FLOOR(-1.5)", "-2"},
                    {"FLOOR(TIMESTAMP '2020-10-10 12:34:56' TO HOUR)", "2020-10-10 12:00:00"}},
       .bind_with_constants = [](std::span<const LogicalType> arguments,
                                 std::span<const ArrayPtr> constants) {
         return bind_whole("FLOOR", false, arguments, constants);
       }});
  registry.add(
      {.name = "CEIL",
       .category = "math",
       .signature = "CEIL(number) | CEIL(date or time TO unit)",
       .description = "The number rounded up, or the start of the next unit (unless the "
                      "time is the start of one).",
       .examples = {{"CEIL(1.2)", "2"}, {"CEIL(DATE '2020-10-10' TO MONTH)", "2020-11-01"}},
       .bind_with_constants = [](std::span<const LogicalType> arguments,
                                 std::span<const ArrayPtr> constants) {
         return bind_whole("CEIL", true, arguments, constants);
       }});
  registry.add_alias("CEILING", "CEIL");
  registry.add({.name = "ROUND",
                .category = "math",
                .signature = "ROUND(number[, digits])",
                .description = "The number with this many digits behind the point (negative: in "
                               "front of it), halves away from zero.",
                .examples = {{"ROUND(2.675, 2)", "2.68"}, {"ROUND(-15, -1)", "-20"}},
                .bind_with_constants = [](std::span<const LogicalType> arguments,
                                          std::span<const ArrayPtr> constants) {
                  return bind_round("ROUND", true, arguments, constants);
                }});
  registry.add({.name = "TRUNCATE",
                .category = "math",
                .signature = "TRUNCATE(number[, digits])",
                .description = "The number with this many digits behind the point, the others cut "
                               "off.",
                .examples = {{"TRUNCATE(42.345, 2)", "42.34"}},
                .bind_with_constants = [](std::span<const LogicalType> arguments,
                                          std::span<const ArrayPtr> constants) {
                  return bind_round("TRUNCATE", false, arguments, constants);
                }});
}

}  // namespace tidegate
