// SPDX-License-Identifier: Apache-2.0
//
// Arrays as sets: ARRAY_DISTINCT, ARRAY_UNION, ARRAY_EXCEPT, ARRAY_INTERSECT. NULL is an element
// like others, and what is kept stays in order.
#include <utility>

#include "expr/type_rules.h"
#include "functions/binding.h"
#include "functions/list_values.h"

namespace tidegate {

namespace {

using Types = std::span<const LogicalType>;

/// The arrays of all arguments over one pool.
struct Arrays {
  std::vector<ListReader> readers;
  std::vector<std::int32_t> bases;
  ArrayPtr pool;
  ElementKeys keys;

  static Result<Arrays> of(const LogicalType& element, std::span<const Argument> args) {
    Arrays arrays;
    ElementPool pool;
    for (const Argument& argument : args)
      arrays.bases.push_back(pool.add(arrays.readers.emplace_back(argument).elements()));
    TG_ASSIGN_OR_RETURN(arrays.pool, pool.column());
    TG_ASSIGN_OR_RETURN(arrays.keys, ElementKeys::make(element, arrays.pool));
    return arrays;
  }
  bool any_is_null(std::int64_t row) const {
    for (const ListReader& reader : readers)
      if (reader.is_null(row)) return true;
    return false;
  }
  /// f(element, key) for each element of an argument.
  template <typename F>
  void for_each(std::size_t argument, std::int64_t row, F f) const {
    const ListReader& reader = readers[argument];
    for (std::int32_t i = reader.begin(row); i < reader.end(row); ++i)
      f(bases[argument] + i, keys[bases[argument] + i]);
  }
};

enum class SetOperation : std::uint8_t { kUnion, kExcept, kIntersect };

/// Of one array, kUnion leaves out what is there already.
Result<ArrayPtr> combine(SetOperation operation, const LogicalType& type,
                         std::span<const Argument> args, std::int64_t num_rows) {
  TG_ASSIGN_OR_RETURN(const Arrays arrays, Arrays::of(type.children()[0].type, args));
  ListWriter out(num_rows);
  ElementIndex others;
  ElementIndex seen;
  for (std::int64_t row = 0; row < num_rows; ++row) {
    if (arrays.any_is_null(row)) {
      TG_RETURN_IF_ERROR(out.set_null());
      continue;
    }
    others.clear();
    seen.clear();
    const bool is_union = operation == SetOperation::kUnion;
    if (!is_union)
      arrays.for_each(1, row, [&](std::int32_t, std::string_view key) { others.put(key, 0); });
    const bool wanted = operation == SetOperation::kIntersect;
    for (std::size_t argument = 0; argument < (is_union ? args.size() : 1); ++argument) {
      arrays.for_each(argument, row, [&](std::int32_t element, std::string_view key) {
        if ((is_union || others.contains(key) == wanted) && seen.put(key, 0) < 0) out.push(element);
      });
    }
    out.end_row();
  }
  return out.finish(type, arrays.pool);
}

Result<BoundFunction> bind_set(const char* name, SetOperation operation, std::size_t count,
                               Types arguments) {
  const std::optional<LogicalType> common = common_type(arguments);
  if (arguments.size() != count || !common || common->kind() != TypeKind::kArray)
    return argument_mismatch(name, count == 1 ? "an array" : "two arrays of a type in common",
                             arguments);
  BoundFunction bound;
  bound.result_type = common->with_nullable(any_nullable(arguments));
  for (const LogicalType& argument : arguments)
    bound.argument_types.push_back(without_needless_cast(argument, *common));
  bound.can_fail = false;
  bound.evaluate = [operation, type = bound.result_type](std::span<const Argument> args,
                                                         std::int64_t num_rows, EvalContext&) {
    return combine(operation, type, args, num_rows);
  };
  return bound;
}

void add_set(FunctionRegistry& registry, const char* name, SetOperation operation,
             std::size_t count, const char* description, ScalarFunction::Example example) {
  registry.add({.name = name,
                .category = "collection",
                .signature = std::string(name) + (count == 1 ? "(array)" : "(array, array)"),
                .description = description,
                .examples = {std::move(example)},
                .bind = [name, operation, count](Types arguments) {
                  return bind_set(name, operation, count, arguments);
                }});
}

}  // namespace

void register_function_array_sets(FunctionRegistry& registry) {
  add_set(registry, "ARRAY_DISTINCT", SetOperation::kUnion, 1, "The different elements.",
          {"ARRAY_DISTINCT(ARRAY[1, 2, 1, NULL, NULL])", "[1, 2, NULL]"});
  add_set(registry, "ARRAY_UNION", SetOperation::kUnion, 2,
          "The different elements of both arrays; NULL when one of them is.",
          {"ARRAY_UNION(ARRAY[1, 2], ARRAY[2, 3])", "[1, 2, 3]"});
  add_set(registry, "ARRAY_EXCEPT", SetOperation::kExcept, 2,
          "The different elements of the first array that the second does not have; NULL when one "
          "of them is.",
          {"ARRAY_EXCEPT(ARRAY[1, 2, 2, 3], ARRAY[3])", "[1, 2]"});
  add_set(registry, "ARRAY_INTERSECT", SetOperation::kIntersect, 2,
          "The different elements of the first array that the second has as well; NULL when one "
          "of them is.",
          {"ARRAY_INTERSECT(ARRAY[3, 1, 3, 2], ARRAY[2, 3])", "[3, 2]"});
}

}  // namespace tidegate
