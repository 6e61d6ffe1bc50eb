// SPDX-License-Identifier: Apache-2.0
//
// Functions of an array and one value: ARRAY_APPEND, ARRAY_PREPEND, ARRAY_REMOVE, ARRAY_CONTAINS,
// ARRAY_POSITION. NULL as the value is a value like others (but for ARRAY_POSITION).
#include <utility>

#include "expr/map_values.h"
#include "expr/type_rules.h"
#include "functions/binding.h"
#include "functions/list_values.h"

namespace tidegate {

namespace {

using Types = std::span<const LogicalType>;

/// The arguments in one pool, made ready for a batch.
struct ArrayAndValue {
  ListReader arrays;
  ElementPool::Rows values;
  ArrayPtr pool;

  static Result<ArrayAndValue> of(std::span<const Argument> args) {
    ListReader arrays(args[0]);
    ElementPool pool;
    pool.add(arrays.elements());
    const ElementPool::Rows values = pool.add(args[1]);
    TG_ASSIGN_OR_RETURN(ArrayPtr column, pool.column());
    return ArrayAndValue{std::move(arrays), values, std::move(column)};
  }
};

/// The element type that both have in common is the last argument of `bind`.
template <typename F>
Result<BoundFunction> bind_with_value(const char* name, Types arguments, F bind) {
  const bool is_array = arguments.size() == 2 && arguments[0].kind() == TypeKind::kArray;
  const std::optional<LogicalType> element =
      is_array ? common_type(arguments[0].children()[0].type, arguments[1]) : std::nullopt;
  if (!element) return argument_mismatch(name, "an array and a value for it", arguments);
  BoundFunction bound;
  bound.argument_types = {
      without_needless_cast(arguments[0], LogicalType::array(*element)),
      without_needless_cast(arguments[1], *element),
  };
  bound.can_fail = false;
  bind(bound, *element);
  return bound;
}

Result<ArrayPtr> extend(const LogicalType& type, std::span<const Argument> args,
                        std::int64_t num_rows, bool in_front) {
  TG_ASSIGN_OR_RETURN(const ArrayAndValue both, ArrayAndValue::of(args));
  ListWriter out(num_rows);
  for (std::int64_t row = 0; row < num_rows; ++row) {
    if (both.arrays.is_null(row)) {
      TG_RETURN_IF_ERROR(out.set_null());
      continue;
    }
    if (in_front) out.push(both.values[row]);
    out.push(both.arrays.begin(row), both.arrays.end(row));
    if (!in_front) out.push(both.values[row]);
    out.end_row();
  }
  return out.finish(type, both.pool);
}

Result<BoundFunction> bind_extend(const char* name, bool in_front, Types arguments) {
  return bind_with_value(name, arguments, [&](BoundFunction& bound, const LogicalType& element) {
    bound.result_type = LogicalType::array(element, arguments[0].nullable());
    bound.evaluate = [type = bound.result_type, in_front](std::span<const Argument> args,
                                                          std::int64_t num_rows, EvalContext&) {
      return extend(type, args, num_rows, in_front);
    };
  });
}

Result<ArrayPtr> remove_value(const LogicalType& type, std::span<const Argument> args,
                              std::int64_t num_rows) {
  TG_ASSIGN_OR_RETURN(const ArrayAndValue both, ArrayAndValue::of(args));
  TG_ASSIGN_OR_RETURN(const ElementKeys keys,
                      ElementKeys::make(type.children()[0].type, both.pool));
  ListWriter out(num_rows);
  for (std::int64_t row = 0; row < num_rows; ++row) {
    if (both.arrays.is_null(row)) {
      TG_RETURN_IF_ERROR(out.set_null());
      continue;
    }
    const std::string_view value = keys[both.values[row]];
    for (std::int32_t i = both.arrays.begin(row); i < both.arrays.end(row); ++i)
      if (keys[i] != value) out.push(i);
    out.end_row();
  }
  return out.finish(type, both.pool);
}

Result<BoundFunction> bind_remove(Types arguments) {
  return bind_with_value(
      "ARRAY_REMOVE", arguments, [&](BoundFunction& bound, const LogicalType& element) {
        const bool nullable = arguments[0].children()[0].type.nullable();
        bound.result_type =
            LogicalType::array(element.with_nullable(nullable), arguments[0].nullable());
        bound.evaluate = [type = bound.result_type](std::span<const Argument> args,
                                                    std::int64_t num_rows, EvalContext&) {
          return remove_value(type, args, num_rows);
        };
      });
}

/// answer(place): of the value's first place, from 1 on, or of 0. Calls is_null(both, row) first.
template <typename Out, typename IsNull, typename F>
Result<ArrayPtr> find_value(const LogicalType& element, const LogicalType& type,
                            std::span<const Argument> args, std::int64_t num_rows, IsNull is_null,
                            F answer) {
  TG_ASSIGN_OR_RETURN(const ArrayAndValue both, ArrayAndValue::of(args));
  TG_ASSIGN_OR_RETURN(const ElementKeys keys, ElementKeys::make(element, both.pool));
  TG_ASSIGN_OR_RETURN(auto out, ValueWriter<Out>::make(num_rows));
  for (std::int64_t row = 0; row < num_rows; ++row) {
    if (is_null(both, row)) {
      TG_RETURN_IF_ERROR(out.set_null(row));
      continue;
    }
    const std::string_view value = keys[both.values[row]];
    std::int32_t found = both.arrays.begin(row);
    while (found < both.arrays.end(row) && keys[found] != value) ++found;
    out.set(row, answer(found == both.arrays.end(row) ? 0 : found - both.arrays.begin(row) + 1));
  }
  return out.finish(type);
}

Result<BoundFunction> bind_contains(Types arguments) {
  return bind_with_value(
      "ARRAY_CONTAINS", arguments, [&](BoundFunction& bound, const LogicalType& element) {
        bound.result_type = LogicalType(TypeKind::kBoolean, arguments[0].nullable());
        bound.evaluate = [element, type = bound.result_type](std::span<const Argument> args,
                                                             std::int64_t num_rows, EvalContext&) {
          return find_value<bool>(
              element, type, args, num_rows,
              [](const ArrayAndValue& both, std::int64_t row) { return both.arrays.is_null(row); },
              [](std::int32_t place) { return place > 0; });
        };
      });
}

Result<BoundFunction> bind_position(Types arguments) {
  return bind_with_value(
      "ARRAY_POSITION", arguments, [&](BoundFunction& bound, const LogicalType& element) {
        bound.result_type = LogicalType(TypeKind::kInt, any_nullable(arguments));
        bound.evaluate = [element, type = bound.result_type](std::span<const Argument> args,
                                                             std::int64_t num_rows, EvalContext&) {
          return find_value<std::int32_t>(
              element, type, args, num_rows,
              [](const ArrayAndValue& both, std::int64_t row) {
                return both.arrays.is_null(row) || both.pool->IsNull(both.values[row]);
              },
              [](std::int32_t place) { return place; });
        };
      });
}

}  // namespace

void register_function_array_elements(FunctionRegistry& registry) {
  registry.add({.name = "ARRAY_APPEND",
                .category = "collection",
                .signature = "ARRAY_APPEND(array, value)",
                .description = "The array with the value, NULL too, as its last element.",
                .examples = {{"ARRAY_APPEND(ARRAY[1, 2], 3)", "[1, 2, 3]"},
                             {"ARRAY_APPEND(ARRAY[1], NULL)", "[1, NULL]"}},
                .bind = [](Types arguments) {
                  return bind_extend("ARRAY_APPEND", /*in_front=*/false, arguments);
                }});
  registry.add({.name = "ARRAY_PREPEND",
                .category = "collection",
                .signature = "ARRAY_PREPEND(array, value)",
                .description = "The array with the value, NULL too, as its first element.",
                .examples = {{"ARRAY_PREPEND(ARRAY[1, 2], 3)", "[3, 1, 2]"}},
                .bind = [](Types arguments) {
                  return bind_extend("ARRAY_PREPEND", /*in_front=*/true, arguments);
                }});
  registry.add({.name = "ARRAY_REMOVE",
                .category = "collection",
                .signature = "ARRAY_REMOVE(array, value)",
                .description = "The array without the elements that are equal to the value; with "
                               "NULL, without those that are NULL.",
                .examples = {{"ARRAY_REMOVE(ARRAY[1, 2, 1], 1)", "[2]"}},
                .bind = bind_remove});
  registry.add({.name = "ARRAY_CONTAINS",
                .category = "collection",
                .signature = "ARRAY_CONTAINS(array, value)",
                .description = "True when an element is equal to the value, or with NULL, is NULL.",
                .examples = {{"ARRAY_CONTAINS(ARRAY[1, 2], 2)", "TRUE"},
                             {"ARRAY_CONTAINS(ARRAY[1, NULL], NULL)", "TRUE"}},
                .bind = bind_contains});
  registry.add({.name = "ARRAY_POSITION",
                .category = "collection",
                .signature = "ARRAY_POSITION(array, value)",
                .description = "Where the value is in the array first, from 1 on; 0 when it is "
                               "not there.",
                .examples = {{"ARRAY_POSITION(ARRAY['a', 'b', 'b'], 'b')", "2"},
                             {"ARRAY_POSITION(ARRAY['a'], 'x')", "0"}},
                .bind = bind_position});
}

}  // namespace tidegate
