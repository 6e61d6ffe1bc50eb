// SPDX-License-Identifier: Apache-2.0
//
// ARRAY_CONCAT, ARRAY_REVERSE, ARRAY_SLICE: arrays from parts of arrays.
#include <algorithm>
#include <utility>

#include "expr/map_values.h"
#include "expr/type_rules.h"
#include "functions/binding.h"
#include "functions/list_values.h"

namespace tidegate {

namespace {

using Types = std::span<const LogicalType>;

Result<ArrayPtr> concat_arrays(const LogicalType& type, std::span<const Argument> args,
                               std::int64_t num_rows) {
  ElementPool pool;
  std::vector<std::pair<ListReader, std::int32_t>> arrays;
  for (const Argument& argument : args) {
    ListReader reader(argument);
    const std::int32_t base = pool.add(reader.elements());
    arrays.emplace_back(std::move(reader), base);
  }
  ListWriter out(num_rows);
  for (std::int64_t row = 0; row < num_rows; ++row) {
    const bool any_null = std::any_of(arrays.begin(), arrays.end(), [row](const auto& array) {
      return array.first.is_null(row);
    });
    if (any_null) {
      TG_RETURN_IF_ERROR(out.set_null());
      continue;
    }
    for (const auto& [array, base] : arrays)
      out.push(base + array.begin(row), base + array.end(row));
    out.end_row();
  }
  TG_ASSIGN_OR_RETURN(const ArrayPtr elements, pool.column());
  return out.finish(type, elements);
}

Result<BoundFunction> bind_concat(Types arguments) {
  return bind_to_common_type("ARRAY_CONCAT", TypeKind::kArray, "arrays of a type in common",
                             arguments, concat_arrays);
}

Result<BoundFunction> bind_reverse(Types arguments) {
  if (arguments.size() != 1 || arguments[0].kind() != TypeKind::kArray)
    return argument_mismatch("ARRAY_REVERSE", "an array", arguments);
  BoundFunction bound;
  bound.result_type = arguments[0];
  bound.can_fail = false;
  bound.evaluate = [type = bound.result_type](std::span<const Argument> args, std::int64_t num_rows,
                                              EvalContext&) -> Result<ArrayPtr> {
    const ListReader arrays(args[0]);
    ListWriter out(num_rows);
    for (std::int64_t row = 0; row < num_rows; ++row) {
      if (arrays.is_null(row)) {
        TG_RETURN_IF_ERROR(out.set_null());
        continue;
      }
      for (std::int32_t i = arrays.end(row); i-- > arrays.begin(row);) out.push(i);
      out.end_row();
    }
    return out.finish(type, arrays.elements());
  };
  return bound;
}

/// Offsets count from 1, below zero from the end (-1 is the last), and 0 is the first one too.
struct SliceBounds {
  std::int64_t from;  // from 1
  std::int64_t to;    // with it

  SliceBounds(std::int64_t start, std::int64_t end, std::int64_t size)
      : from(std::max<std::int64_t>(start < 0 ? start + size + 1 : start, 1)) {
    if (end < 0) end += size + 1;
    to = end == 0 ? 1 : std::min(end, size);
  }
};

Result<ArrayPtr> slice_arrays(const LogicalType& type, std::span<const Argument> args,
                              std::int64_t num_rows) {
  const ListReader arrays(args[0]);
  std::vector<ArgumentReader<std::int64_t>> bounds(args.begin() + 1, args.end());
  ListWriter out(num_rows);
  for (std::int64_t row = 0; row < num_rows; ++row) {
    const bool unknown = std::any_of(bounds.begin(), bounds.end(),
                                     [row](const auto& bound) { return bound.is_null(row); });
    if (unknown || arrays.is_null(row)) {
      TG_RETURN_IF_ERROR(out.set_null());
      continue;
    }
    const std::int32_t size = arrays.size(row);
    const SliceBounds slice(bounds[0][row], bounds.size() > 1 ? bounds[1][row] : size, size);
    if (size > 0 && slice.from <= slice.to) {
      out.push(arrays.begin(row) + static_cast<std::int32_t>(slice.from - 1),
               arrays.begin(row) + static_cast<std::int32_t>(slice.to));
    }
    out.end_row();
  }
  return out.finish(type, arrays.elements());
}

Result<BoundFunction> bind_slice(Types arguments) {
  bool fits =
      (arguments.size() == 2 || arguments.size() == 3) && arguments[0].kind() == TypeKind::kArray;
  for (std::size_t i = 1; i < arguments.size(); ++i)
    fits = fits && (arguments[i].is_integer() || arguments[i].kind() == TypeKind::kNull);
  if (!fits)
    return argument_mismatch("ARRAY_SLICE", "an array and one or two whole numbers", arguments);
  BoundFunction bound;
  bound.result_type = arguments[0].with_nullable(any_nullable(arguments));
  bound.argument_types = {arguments[0]};
  for (std::size_t i = 1; i < arguments.size(); ++i)
    bound.argument_types.push_back(integer_type().with_nullable(arguments[i].nullable()));
  bound.can_fail = false;
  bound.evaluate = [type = bound.result_type](std::span<const Argument> args, std::int64_t num_rows,
                                              EvalContext&) {
    return slice_arrays(type, args, num_rows);
  };
  return bound;
}

}  // namespace

void register_function_array_parts(FunctionRegistry& registry) {
  registry.add({.name = "ARRAY_CONCAT",
                .category = "collection",
                .signature = "ARRAY_CONCAT(array, ...)",
                .description = "The elements of all arrays; NULL when one of them is.",
                .examples = {{"ARRAY_CONCAT(ARRAY[1, 2], ARRAY[2], ARRAY[3])", "[1, 2, 2, 3]"}},
                .bind = bind_concat});
  registry.add({.name = "ARRAY_REVERSE",
                .category = "collection",
                .signature = "ARRAY_REVERSE(array)",
                .description = "The elements from the last to the first.",
                .examples = {{"ARRAY_REVERSE(ARRAY[1, 2, NULL])", "[NULL, 2, 1]"}},
                .bind = bind_reverse});
  registry.add({.name = "ARRAY_SLICE",
                .category = "collection",
                .signature = "ARRAY_SLICE(array, start[, end])",
                .description = "The elements from the start to the end, with both. They count from "
                               "1, below zero from the end of the array.",
                .examples = {{"ARRAY_SLICE(ARRAY['a', 'b', 'c', 'd'], 2, 3)", "[b, c]"},
                             {"ARRAY_SLICE(ARRAY['a', 'b', 'c', 'd'], -2)", "[c, d]"},
                             {"ARRAY_SLICE(ARRAY['a', 'b'], 3)", "[]"}},
                .bind = bind_slice});
}

}  // namespace tidegate
