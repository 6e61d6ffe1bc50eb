// SPDX-License-Identifier: Apache-2.0
#include "functions/comparison.h"

#include <functional>
#include <utility>

#include "expr/map_values.h"
#include "expr/type_rules.h"
#include "functions/binding.h"
#include "types/key_encoding.h"

namespace tidegate {

namespace {

/// A BOOLEAN column of f(row), built in whole words.
template <typename F>
Result<ArrayPtr> fill_bits(std::span<const Argument> arguments, std::int64_t num_rows, F f) {
  TG_ASSIGN_ARROW_OR_RETURN(std::shared_ptr<arrow::Buffer> bits,
                            arrow::AllocateEmptyBitmap(num_rows), "compare");
  std::uint8_t* out = bits->mutable_data();
  for (std::int64_t first = 0; first < num_rows; first += 64) {
    const std::int64_t count = std::min<std::int64_t>(64, num_rows - first);
    std::uint64_t word = 0;
    for (std::int64_t i = 0; i < count; ++i)
      word |= static_cast<std::uint64_t>(f(first + i) ? 1 : 0) << i;
    std::memcpy(out + first / 8, &word, static_cast<std::size_t>((count + 7) / 8));
  }
  TG_ASSIGN_OR_RETURN(auto validity, rows_without_nulls(arguments, num_rows));
  return make_column(LogicalType(TypeKind::kBoolean), num_rows, std::move(validity),
                     {std::move(bits)});
}

template <typename T, typename Op>
Result<ArrayPtr> compare_values(std::span<const Argument> arguments, std::int64_t num_rows, Op op) {
  const Argument& left = arguments[0];
  const Argument& right = arguments[1];
  const ValueReader<T> a(*left.array);
  const ValueReader<T> b(*right.array);
  if (right.is_constant && !left.is_constant) {
    const T constant = b[0];
    return fill_bits(arguments, num_rows, [&](std::int64_t i) { return op(a[i], constant); });
  }
  if (!right.is_constant && !left.is_constant)
    return fill_bits(arguments, num_rows, [&](std::int64_t i) { return op(a[i], b[i]); });
  const ArgumentReader<T> any(right);
  const T constant = a[0];
  return fill_bits(arguments, num_rows, [&](std::int64_t i) { return op(constant, any[i]); });
}

template <typename T>
Result<ArrayPtr> compare_typed(Comparison comparison, std::span<const Argument> arguments,
                               std::int64_t num_rows) {
  switch (comparison) {
    case Comparison::kEqual:
      return compare_values<T>(arguments, num_rows, std::equal_to<T>());
    case Comparison::kNotEqual:
      return compare_values<T>(arguments, num_rows, std::not_equal_to<T>());
    case Comparison::kLess:
      return compare_values<T>(arguments, num_rows, std::less<T>());
    case Comparison::kLessOrEqual:
      return compare_values<T>(arguments, num_rows, std::less_equal<T>());
    case Comparison::kGreater:
      return compare_values<T>(arguments, num_rows, std::greater<T>());
    default:
      return compare_values<T>(arguments, num_rows, std::greater_equal<T>());
  }
}

/// Nested values are equal when their keys are.
Result<ArrayPtr> compare_nested(bool equal, const LogicalType& type,
                                std::span<const Argument> arguments, std::int64_t num_rows) {
  const KeyCodec codec({type});
  EncodedKeys keys[2];
  for (std::size_t side = 0; side < 2; ++side) {
    const ArrayPtr& array = arguments[side].array;
    TG_RETURN_IF_ERROR(codec.encode({&array, 1}, array->length(), keys[side]));
  }
  const std::int64_t left_step = arguments[0].is_constant ? 0 : 1;
  const std::int64_t right_step = arguments[1].is_constant ? 0 : 1;
  return fill_bits(arguments, num_rows, [&](std::int64_t i) {
    return (keys[0].key(i * left_step) == keys[1].key(i * right_step)) == equal;
  });
}

struct Operator {
  const char* sign;
  Comparison comparison;
  const char* description;
  ScalarFunction::Example example;
};

Result<BoundFunction> bind_comparison(const Operator& op, std::span<const LogicalType> arguments) {
  if (arguments.size() != 2) return argument_mismatch(op.sign, "two values", arguments);
  const std::optional<LogicalType> type = comparison_type(arguments[0], arguments[1]);
  if (!type) return argument_mismatch(op.sign, "two values of comparable types", arguments);
  const bool equality =
      op.comparison == Comparison::kEqual || op.comparison == Comparison::kNotEqual;
  if (type->is_nested() && !equality)
    return argument_mismatch(op.sign, "two values of types with an order", arguments);
  BoundFunction bound;
  bound.result_type = LogicalType(TypeKind::kBoolean, type->nullable());
  bound.argument_types = {*type, *type};
  bound.can_fail = false;
  bound.evaluate = [type = *type, comparison = op.comparison](std::span<const Argument> args,
                                                              std::int64_t num_rows, EvalContext&) {
    return compare(comparison, type, args, num_rows);
  };
  return bound;
}

}  // namespace

Result<ArrayPtr> compare(Comparison comparison, const LogicalType& type,
                         std::span<const Argument> arguments, std::int64_t num_rows) {
  if (type.kind() == TypeKind::kNull || is_constant_null(arguments[0]) ||
      is_constant_null(arguments[1]))
    return null_column(LogicalType(TypeKind::kBoolean).arrow_type(), num_rows);
  if (type.is_nested())
    return compare_nested(comparison == Comparison::kEqual, type, arguments, num_rows);
  return with_physical_type(
      type, [&]<typename T>() { return compare_typed<T>(comparison, arguments, num_rows); });
}

void register_function_comparison(FunctionRegistry& registry) {
  const std::vector<Operator> operators = {
      {"=", Comparison::kEqual, "True when both values are equal.", {"'a' = 'a'", "TRUE"}},
      {"<>", Comparison::kNotEqual, "True when the values are not equal.", {"1 <> 1", "FALSE"}},
      {"<", Comparison::kLess, "True when a is less than b.", {"1 < 1.5", "TRUE"}},
      {"<=", Comparison::kLessOrEqual, "True when a is less than b or equal.", {"2 <= 1", "FALSE"}},
      {">", Comparison::kGreater, "True when a is greater than b.", {"'b' > 'abc'", "TRUE"}},
      {">=",
       Comparison::kGreaterOrEqual,
       "True when a is greater than b or equal.",
       {"DATE '2020-10-10' >= '2020-01-01'", "TRUE"}}};
  for (const Operator& op : operators) {
    registry.add({.name = op.sign,
                  .category = "comparison",
                  .signature = std::string("a ") + op.sign + " b",
                  .description = op.description,
                  .examples = {op.example},
                  .bind = [op](std::span<const LogicalType> arguments) {
                    return bind_comparison(op, arguments);
                  }});
  }
  registry.add_alias("!=", "<>");
}

}  // namespace tidegate
