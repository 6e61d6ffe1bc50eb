// SPDX-License-Identifier: Apache-2.0
//
// Functions of floating-point numbers; other numbers are cast to DOUBLE first. Outside of their
// domain they answer what Java does: NaN or an infinity. The last digits are Java's too: it has no
// logarithm to base 2, and multiplies by a factor for degrees.
#include <cmath>
#include <numbers>

#include "expr/map_values.h"
#include "functions/arithmetic.h"
#include "functions/binding.h"

namespace tidegate {

namespace {

struct OneNumber {
  const char* name;
  double (*function)(double);
  const char* description;
  ScalarFunction::Example example;
};

double cotangent(double x) { return 1 / std::tan(x); }
double degrees(double x) { return x * (180 / std::numbers::pi); }
double radians(double x) { return x * (std::numbers::pi / 180); }

double apply_sqrt(double x) { return std::sqrt(x); }
double apply_exp(double x) { return std::exp(x); }
double apply_ln(double x) { return std::log(x); }
double apply_log10(double x) { return std::log10(x); }
double apply_log2(double x) { return std::log(x) / std::numbers::ln2; }
double apply_sin(double x) { return std::sin(x); }
double apply_cos(double x) { return std::cos(x); }
double apply_tan(double x) { return std::tan(x); }
double apply_asin(double x) { return std::asin(x); }
double apply_acos(double x) { return std::acos(x); }
double apply_atan(double x) { return std::atan(x); }
double apply_sinh(double x) { return std::sinh(x); }
double apply_cosh(double x) { return std::cosh(x); }
double apply_tanh(double x) { return std::tanh(x); }

std::vector<OneNumber> functions_of_one_number() {
  return {{"SQRT", apply_sqrt, "Square root.", {"SQRT(16)", "4.0"}},
          {"EXP", apply_exp, "e to the power of the number.", {"EXP(0)", "1.0"}},
          {"LN", apply_ln, "Natural logarithm.", {"LN(1)", "0.0"}},
          {"LOG10", apply_log10, "Logarithm to base 10.", {"LOG10(1000)", "3.0"}},
          {"LOG2", apply_log2, "Logarithm to base 2.", {"LOG2(8)", "3.0"}},
          {"SIN", apply_sin, "Sine.", {"SIN(0)", "0.0"}},
          {"COS", apply_cos, "Cosine.", {"COS(0)", "1.0"}},
          {"TAN", apply_tan, "Tangent.", {"TAN(0)", "0.0"}},
          {"COT", cotangent, "Cotangent.", {"COT(0)", "Infinity"}},
          {"ASIN", apply_asin, "Arc sine.", {"ASIN(0)", "0.0"}},
          {"ACOS", apply_acos, "Arc cosine.", {"ACOS(1)", "0.0"}},
          {"ATAN", apply_atan, "Arc tangent.", {"ATAN(0)", "0.0"}},
          {"SINH", apply_sinh, "Hyperbolic sine.", {"SINH(0)", "0.0"}},
          {"COSH", apply_cosh, "Hyperbolic cosine.", {"COSH(0)", "1.0"}},
          {"TANH", apply_tanh, "Hyperbolic tangent.", {"TANH(0)", "0.0"}},
          {"DEGREES", degrees, "Radians in degrees.", {"DEGREES(PI())", "180.0"}},
          {"RADIANS", radians, "Degrees in radians.", {"RADIANS(0)", "0.0"}}};
}

FixedSignature numbers_to_double(const char* name, std::size_t count, std::size_t required) {
  return {.name = name,
          .takes = count == 1 ? "one number" : "two numbers",
          .parameters = std::vector<LogicalType>(count, double_type()),
          .required = required,
          .result = double_type()};
}

void add_two_numbers(FunctionRegistry& registry, const char* name, const char* signature,
                     const char* description, std::vector<ScalarFunction::Example> examples,
                     double (*function)(double, double)) {
  registry.add(
      {.name = name,
       .category = "math",
       .signature = signature,
       .description = description,
       .examples = std::move(examples),
       .bind = bind_fixed(
           numbers_to_double(name, 2, 2),
           [function](std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
             return map_values<double, double, double>(double_type(), args, num_rows, function);
           })});
}

void add_constant(FunctionRegistry& registry, const char* name, const char* description,
                  const char* text, double value) {
  registry.add({.name = name,
                .category = "math",
                .signature = std::string(name) + "()",
                .description = description,
                .examples = {{std::string(name) + "()", text}},
                .rewrite = [name, value](std::span<const ExprPtr> arguments) -> Result<ExprPtr> {
                  TG_RETURN_IF_ERROR(check_argument_count(name, arguments, 0, 0));
                  return lit(value);
                }});
}

/// LOG(x), LOG(base, x).
Result<ExprPtr> rewrite_log(std::span<const ExprPtr> arguments) {
  TG_RETURN_IF_ERROR(check_argument_count("LOG", arguments, 1, 2));
  if (arguments.size() == 1) return call("LN", {arguments[0]});
  return call("/", {call("LN", {arguments[1]}), call("LN", {arguments[0]})});
}

/// ABS and SIGN: of the type of their argument.
template <typename Op>
Result<BoundFunction> bind_same_type(const char* name, std::span<const LogicalType> arguments,
                                     Op op) {
  if (arguments.size() != 1 || !arguments[0].is_numeric())
    return argument_mismatch(name, "one number", arguments);
  const LogicalType& type = arguments[0];
  BoundFunction bound = same_type_function(type, 1);
  with_physical_type(type, [&]<typename T>() {
    if constexpr (!std::is_same_v<T, bool> && !std::is_same_v<T, std::string_view>) {
      bound.evaluate = [type, op](std::span<const Argument> args, std::int64_t num_rows,
                                  EvalContext&) {
        return map_values<T, T>(type, args, num_rows, [&](T value) { return op(type, value); });
      };
    }
  });
  return bound;
}

/// The lowest whole number, which has no positive one, stays, as in Java.
struct AbsoluteValue {
  template <typename T>
  T operator()(const LogicalType&, T value) const {
    if constexpr (std::is_floating_point_v<T>) {
      return std::abs(value);
    } else if constexpr (std::is_same_v<T, Int128>) {
      return value < 0 ? -value : value;
    } else {
      return value < 0 ? static_cast<T>(0 - wrapping(value)) : value;
    }
  }
};

struct Sign {
  template <typename T>
  T operator()(const LogicalType& type, T value) const {
    const auto one =
        static_cast<T>(type.kind() == TypeKind::kDecimal ? power_of_ten(type.scale()) : Int128{1});
    if (value > 0) return one;
    if (value < 0) return static_cast<T>(-one);
    return value;  // zero or NaN
  }
};

}  // namespace

void register_function_math(FunctionRegistry& registry) {
  for (const OneNumber& one : functions_of_one_number()) {
    registry.add({.name = one.name,
                  .category = "math",
                  .signature = std::string(one.name) + "(number)",
                  .description = one.description,
                  .examples = {one.example},
                  .bind = bind_fixed(
                      numbers_to_double(one.name, 1, 1),
                      [function = one.function](std::span<const Argument> args,
                                                std::int64_t num_rows, EvalContext&) {
                        return map_values<double, double>(double_type(), args, num_rows, function);
                      })});
  }
  add_two_numbers(registry, "POWER", "POWER(base, exponent)", "base to the power of exponent.",
                  {{"POWER(2, 10)", "1024.0"}},
                  [](double base, double exponent) { return std::pow(base, exponent); });
  add_two_numbers(registry, "ATAN2", "ATAN2(y, x)", "Angle of the point (x, y).",
                  {{"ATAN2(0, 1)", "0.0"}}, [](double y, double x) { return std::atan2(y, x); });
  add_constant(registry, "PI", "The ratio of a circle's circumference to its diameter.",
               "3.141592653589793", std::numbers::pi);
  add_constant(registry, "E", "The base of natural logarithms.", "2.718281828459045",
               std::numbers::e);
  registry.add({.name = "LOG",
                .category = "math",
                .signature = "LOG([base, ]number)",
                .description = "Logarithm to the base, without one the natural logarithm.",
                .examples = {{"LOG(2, 8)", "3.0"}},
                .rewrite = rewrite_log});
  registry.add({.name = "ABS",
                .category = "math",
                .signature = "ABS(number)",
                .description = "Absolute value.",
                .examples = {{"ABS(-1.5)", "1.5"}},
                .bind = [](std::span<const LogicalType> arguments) {
                  return bind_same_type("ABS", arguments, AbsoluteValue());
                }});
  registry.add({.name = "SIGN",
                .category = "math",
                .signature = "SIGN(number)",
                .description = "-1, 0 or 1, in the type of the number.",
                .examples = {{"SIGN(-7)", "-1"}},
                .bind = [](std::span<const LogicalType> arguments) {
                  return bind_same_type("SIGN", arguments, Sign());
                }});
}

}  // namespace tidegate
