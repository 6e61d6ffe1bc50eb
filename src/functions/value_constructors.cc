// SPDX-License-Identifier: Apache-2.0
//
// ARRAY[a, b, ...], MAP[key, value, ...] and ROW(a, b, ...).
#include <utility>

#include "expr/type_rules.h"
#include "functions/binding.h"
#include "functions/list_values.h"

namespace tidegate {

namespace {

using Types = std::span<const LogicalType>;

Result<BoundFunction> bind_array(Types arguments) {
  // Of nothing: the elements have the type of a bare NULL, which casts to any.
  const std::optional<LogicalType> element =
      arguments.empty() ? LogicalType() : common_type(arguments);
  if (!element) return argument_mismatch("ARRAY", "values with a type in common", arguments);
  BoundFunction bound;
  bound.result_type = LogicalType::array(*element, /*nullable=*/false);
  for (const LogicalType& argument : arguments)
    bound.argument_types.push_back(without_needless_cast(argument, *element));
  bound.can_fail = false;
  bound.evaluate = [type = bound.result_type](std::span<const Argument> args, std::int64_t num_rows,
                                              EvalContext&) -> Result<ArrayPtr> {
    ListWriter lists(num_rows);
    if (args.empty()) {
      for (std::int64_t row = 0; row < num_rows; ++row) lists.end_row();
      TG_ASSIGN_OR_RETURN(const ArrayPtr nothing,
                          null_column(type.children()[0].type.arrow_type(), 0));
      return lists.finish(type, nothing);
    }
    ElementPool pool;
    std::vector<ElementPool::Rows> rows;
    for (const Argument& argument : args) rows.push_back(pool.add(argument));
    for (std::int64_t row = 0; row < num_rows; ++row) {
      for (const ElementPool::Rows& elements : rows) lists.push(elements[row]);
      lists.end_row();
    }
    TG_ASSIGN_OR_RETURN(const ArrayPtr elements, pool.column());
    return lists.finish(type, elements);
  };
  return bound;
}

Result<ArrayPtr> make_maps(const LogicalType& type, std::span<const Argument> args,
                           std::int64_t num_rows) {
  ElementPool key_pool;
  ElementPool item_pool;
  std::vector<std::pair<ElementPool::Rows, ElementPool::Rows>> entries;
  for (std::size_t i = 0; i < args.size(); i += 2)
    entries.emplace_back(key_pool.add(args[i]), item_pool.add(args[i + 1]));
  TG_ASSIGN_OR_RETURN(const ArrayPtr key_column, key_pool.column());
  TG_ASSIGN_OR_RETURN(const ArrayPtr item_column, item_pool.column());
  TG_ASSIGN_OR_RETURN(const ElementKeys keys,
                      ElementKeys::make(type.children()[0].type, key_column));
  ListWriter maps(num_rows);
  ElementIndex index;
  for (std::int64_t row = 0; row < num_rows; ++row) {
    index.clear();
    for (const auto& [key_rows, item_rows] : entries) {
      const std::int32_t key = key_rows[row];
      if (key_column->IsNull(key)) return error(ErrorCode::kNullKey, "MAP: a key is NULL");
      const std::int64_t before = index.put(keys[key], maps.row_size());
      if (before < 0) {
        maps.push_entry(key, item_rows[row]);
      } else {
        maps.replace_item(before, item_rows[row]);
      }
    }
    maps.end_row();
  }
  return maps.finish_map(type, key_column, item_column);
}

Result<BoundFunction> bind_map(Types arguments) {
  constexpr const char* kTakes = "keys and values in turn, each with a type in common";
  if (arguments.empty() || arguments.size() % 2 != 0)
    return argument_mismatch("MAP", kTakes, arguments);
  std::vector<LogicalType> sides[2];
  for (std::size_t i = 0; i < arguments.size(); ++i) sides[i % 2].push_back(arguments[i]);
  const std::optional<LogicalType> key = common_type(sides[0]);
  const std::optional<LogicalType> value = common_type(sides[1]);
  if (!key || !value) return argument_mismatch("MAP", kTakes, arguments);
  BoundFunction bound;
  bound.result_type = LogicalType::map(*key, *value, /*nullable=*/false);
  for (std::size_t i = 0; i < arguments.size(); ++i)
    bound.argument_types.push_back(without_needless_cast(arguments[i], i % 2 == 0 ? *key : *value));
  bound.can_fail = key->nullable();
  bound.evaluate = [type = bound.result_type](std::span<const Argument> args, std::int64_t num_rows,
                                              EvalContext&) {
    return make_maps(type, args, num_rows);
  };
  return bound;
}

Result<BoundFunction> bind_row(Types arguments) {
  if (arguments.empty()) return argument_mismatch("ROW", "at least one value", arguments);
  std::vector<LogicalType::Child> fields;
  for (const LogicalType& argument : arguments)
    fields.push_back({"EXPR$" + std::to_string(fields.size()), argument});
  BoundFunction bound;
  bound.result_type = LogicalType::row(std::move(fields), /*nullable=*/false);
  bound.can_fail = false;
  bound.evaluate = [type = bound.result_type](std::span<const Argument> args, std::int64_t num_rows,
                                              EvalContext&) -> Result<ArrayPtr> {
    std::vector<std::shared_ptr<arrow::ArrayData>> columns;
    for (const Argument& argument : args) {
      TG_ASSIGN_OR_RETURN(const ArrayPtr column, spread(argument, num_rows));
      columns.push_back(column->data());
    }
    return arrow::MakeArray(
        arrow::ArrayData::Make(type.arrow_type(), num_rows, {nullptr}, std::move(columns), 0));
  };
  return bound;
}

}  // namespace

void register_function_value_constructors(FunctionRegistry& registry) {
  registry.add(
      {.name = "ARRAY",
       .category = "value-construction",
       .signature = "ARRAY[value, ...]",
       .description = "The values as an ARRAY, in the type that they have in common.",
       .examples = {{"ARRAY[1, 2, NULL]", "[1, 2, NULL]"}, {"ARRAY[1, 2.5]", "[1.0, 2.5]"}},
       .bind = bind_array});
  registry.add(
      {.name = "MAP",
       .category = "value-construction",
       .signature = "MAP[key, value, ...]",
       .description = "A MAP of these keys and values; of equal keys the last one's value "
                      "counts, and a key that is NULL is an error.",
       .examples = {{"MAP['a', 1, 'b', 2]", "{a=1, b=2}"}, {"MAP['a', 1, 'a', NULL]", "{a=NULL}"}},
       .bind = bind_map});
  registry.add({.name = "ROW",
                .category = "value-construction",
                .signature = "ROW(value, ...) | (value, value, ...)",
                .description = "The values as a ROW with fields EXPR$0, EXPR$1 and so on.",
                .examples = {{"ROW(1, 'a', NULL)", "(1, a, NULL)"}},
                .bind = bind_row});
}

}  // namespace tidegate
