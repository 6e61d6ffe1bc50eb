// SPDX-License-Identifier: Apache-2.0
//
// What is inside of a value: array[index], map[key], row.field, CARDINALITY, ELEMENT.
#include <arrow/array/array_nested.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/options.h"
#include "expr/map_values.h"
#include "expr/type_rules.h"
#include "functions/binding.h"
#include "functions/list_values.h"

namespace tidegate {

namespace {

using Types = std::span<const LogicalType>;
using Constants = std::span<const ArrayPtr>;

Result<ArrayPtr> elements_at(const LogicalType& type, std::span<const Argument> args,
                             std::int64_t num_rows) {
  const ListReader arrays(args[0]);
  const ArgumentReader<std::int64_t> indexes(args[1]);
  return pick_elements(type, arrays.elements(), num_rows, [&](std::int64_t row) -> std::int32_t {
    if (any_is_null(row, arrays, indexes)) return -1;
    const std::int64_t index = indexes[row];
    if (index < 1 || index > arrays.size(row)) return -1;
    return arrays.begin(row) + static_cast<std::int32_t>(index - 1);
  });
}

Result<BoundFunction> bind_array_element(Types arguments, Constants constants) {
  const LogicalType& index = arguments[1];
  if (!index.is_integer() && index.kind() != TypeKind::kNull)
    return argument_mismatch("[]", "an array and a whole number", arguments);
  if (index.kind() == TypeKind::kInt && constants[1] != nullptr && constants[1]->IsValid(0)) {
    const std::int32_t value = ValueReader<std::int32_t>(*constants[1])[0];
    if (value < 1)
      return error(ErrorCode::kInvalidArgument, "the elements of an array count from 1, not {}",
                   value);
  }
  BoundFunction bound;
  bound.result_type = arguments[0].children()[0].type.with_nullable(true);
  bound.argument_types = {arguments[0], integer_type().with_nullable(index.nullable())};
  bound.can_fail = false;
  bound.evaluate = [type = bound.result_type](std::span<const Argument> args, std::int64_t num_rows,
                                              EvalContext&) {
    return elements_at(type, args, num_rows);
  };
  return bound;
}

Result<ArrayPtr> values_of_keys(const LogicalType& key_type, const LogicalType& type,
                                std::span<const Argument> args, std::int64_t num_rows) {
  const ListReader maps(args[0]);
  TG_ASSIGN_OR_RETURN(const ElementKeys keys, ElementKeys::make(key_type, maps.keys()));
  TG_ASSIGN_OR_RETURN(const ElementKeys wanted, ElementKeys::make(key_type, args[1].array));
  return pick_elements(type, maps.items(), num_rows, [&](std::int64_t row) -> std::int32_t {
    const auto wanted_row = static_cast<std::int32_t>(args[1].is_constant ? 0 : row);
    if (maps.is_null(row) || args[1].array->IsNull(wanted_row)) return -1;
    // From the end: of equal keys, which files may hold, the last one counts.
    for (std::int32_t entry = maps.end(row); entry-- > maps.begin(row);)
      if (keys[entry] == wanted[wanted_row]) return entry;
    return -1;
  });
}

Result<BoundFunction> bind_map_value(Types arguments) {
  const LogicalType& map = arguments[0];
  const LogicalType& map_key = map.children()[0].type;
  std::optional<LogicalType> key = common_type(map_key, arguments[1]);
  if (!key && arguments[1].is_character() && is_flat(map_key)) key = map_key;  // '2020-10-10'
  if (!key) return argument_mismatch("[]", "a map and a key of its type", arguments);
  BoundFunction bound;
  bound.result_type = map.children()[1].type.with_nullable(true);
  bound.argument_types = {
      without_needless_cast(
          map, LogicalType::map(key->with_nullable(map_key.nullable()), map.children()[1].type)),
      without_needless_cast(arguments[1], *key)};
  bound.can_fail = false;
  bound.evaluate = [key = *key, type = bound.result_type](std::span<const Argument> args,
                                                          std::int64_t num_rows, EvalContext&) {
    return values_of_keys(key, type, args, num_rows);
  };
  return bound;
}

Status unknown_field(const LogicalType& row, std::string_view name) {
  std::vector<std::string> names;
  for (const LogicalType::Child& field : row.children()) names.push_back(field.name);
  const std::string nearest = nearest_name(name, names);
  return {ErrorCode::kUnknownName,
          fmt::format("{} has no field '{}'", row.with_nullable(true).to_string(), name),
          nearest.empty() ? nearest : "Did you mean " + nearest + "?"};
}

Result<BoundFunction> bind_field(Types arguments, Constants constants) {
  if (arguments.size() != 2 || arguments[0].kind() != TypeKind::kRow ||
      !arguments[1].is_character() || constants[1] == nullptr || constants[1]->IsNull(0))
    return argument_mismatch("FIELD", "a row and the name of one of its fields", arguments);
  const LogicalType& row = arguments[0];
  const std::string_view name = ValueReader<std::string_view>(*constants[1])[0];
  const auto& fields = row.children();
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [name](const LogicalType::Child& f) { return f.name == name; });
  if (found == fields.end()) return unknown_field(row, name);
  BoundFunction bound;
  bound.result_type = found->type.with_nullable(found->type.nullable() || row.nullable());
  bound.can_fail = false;
  bound.evaluate = [index = static_cast<int>(found - fields.begin())](
                       std::span<const Argument> args, std::int64_t num_rows,
                       EvalContext&) -> Result<ArrayPtr> {
    const auto& rows = static_cast<const arrow::StructArray&>(*args[0].array);
    TG_ASSIGN_ARROW_OR_RETURN(ArrayPtr field, rows.GetFlattenedField(index), "read a field");
    return spread({std::move(field), args[0].is_constant}, num_rows);
  };
  return bound;
}

Result<BoundFunction> bind_element_at(Types arguments, Constants constants) {
  if (arguments.size() == 2 && arguments[0].kind() == TypeKind::kArray)
    return bind_array_element(arguments, constants);
  if (arguments.size() == 2 && arguments[0].kind() == TypeKind::kMap)
    return bind_map_value(arguments);
  if (arguments.size() == 2 && arguments[0].kind() == TypeKind::kRow && constants[1] != nullptr)
    return bind_field(arguments, constants);
  return argument_mismatch(
      "[]", "an array and an index, a map and a key, or a row and the name of a field", arguments);
}

Result<BoundFunction> bind_cardinality(Types arguments) {
  if (arguments.size() != 1 ||
      (arguments[0].kind() != TypeKind::kArray && arguments[0].kind() != TypeKind::kMap))
    return argument_mismatch("CARDINALITY", "an array or a map", arguments);
  BoundFunction bound;
  bound.result_type = LogicalType(TypeKind::kInt, arguments[0].nullable());
  bound.can_fail = false;
  bound.evaluate = [type = bound.result_type](std::span<const Argument> args, std::int64_t num_rows,
                                              EvalContext&) -> Result<ArrayPtr> {
    const ListReader lists(args[0]);
    TG_ASSIGN_OR_RETURN(auto sizes, ValueWriter<std::int32_t>::make(num_rows));
    for (std::int64_t row = 0; row < num_rows; ++row) {
      if (lists.is_null(row)) {
        TG_RETURN_IF_ERROR(sizes.set_null(row));
      } else {
        sizes.set(row, lists.size(row));
      }
    }
    return sizes.finish(type);
  };
  return bound;
}

Result<BoundFunction> bind_element(Types arguments) {
  if (arguments.size() != 1 || arguments[0].kind() != TypeKind::kArray)
    return argument_mismatch("ELEMENT", "an array", arguments);
  BoundFunction bound;
  bound.result_type = arguments[0].children()[0].type.with_nullable(true);
  bound.evaluate = [type = bound.result_type](std::span<const Argument> args, std::int64_t num_rows,
                                              EvalContext&) -> Result<ArrayPtr> {
    const ListReader arrays(args[0]);
    for (std::int64_t row = 0; row < num_rows; ++row) {
      if (arrays.size(row) > 1)
        return error(ErrorCode::kInvalidArgument, "ELEMENT: the array has {} elements, not one",
                     arrays.size(row));
    }
    return pick_elements(type, arrays.elements(), num_rows, [&](std::int64_t row) {
      return arrays.size(row) == 1 ? arrays.begin(row) : -1;
    });
  };
  return bound;
}

}  // namespace

void register_function_value_access(FunctionRegistry& registry) {
  registry.add({.name = "ELEMENT_AT",
                .category = "collection",
                .signature = "array[index] | map[key] | row['field']",
                .description = "The element at the index, from 1 on, the value of the key, or "
                               "the field; NULL when there is none.",
                .examples = {{"ARRAY['a', 'b'][2]", "b"},
                             {"ARRAY['a', 'b'][3]", "NULL"},
                             {"MAP['a', 1, 'b', 2]['b']", "2"},
                             {"MAP['a', 1]['c']", "NULL"}},
                .bind_with_constants = bind_element_at});
  registry.add({.name = "FIELD",
                .category = "value-access",
                .signature = "row.field",
                .description = "The field of a ROW; NULL when the row is.",
                .examples = {{"CAST(ROW(1, 'x') AS ROW<a INT, b STRING>).b", "x"}},
                .bind_with_constants = bind_field});
  registry.add(
      {.name = "CARDINALITY",
       .category = "collection",
       .signature = "CARDINALITY(array | map)",
       .description = "Number of elements or entries.",
       .examples = {{"CARDINALITY(ARRAY[5, NULL])", "2"}, {"CARDINALITY(MAP['a', 1])", "1"}},
       .bind = bind_cardinality});
  registry.add({.name = "ELEMENT",
                .category = "collection",
                .signature = "ELEMENT(array)",
                .description = "The only element of an array; NULL when it is empty, an error when "
                               "there are more.",
                .examples = {{"ELEMENT(ARRAY[42])", "42"}},
                .bind = bind_element});
}

}  // namespace tidegate
