// SPDX-License-Identifier: Apache-2.0
//
// MAP_KEYS, MAP_VALUES, MAP_ENTRIES, MAP_UNION, MAP_FROM_ARRAYS.
#include <algorithm>
#include <utility>

#include "expr/type_rules.h"
#include "functions/binding.h"
#include "functions/list_values.h"

namespace tidegate {

namespace {

using Types = std::span<const LogicalType>;

enum class Part : std::uint8_t { kKeys, kValues, kEntries };

Result<ArrayPtr> parts_of_maps(Part part, const LogicalType& type, const Argument& argument,
                               std::int64_t num_rows) {
  const ListReader maps(argument);
  ListWriter out(num_rows);
  for (std::int64_t row = 0; row < num_rows; ++row) {
    if (maps.is_null(row)) {
      TG_RETURN_IF_ERROR(out.set_null());
      continue;
    }
    out.push(maps.begin(row), maps.end(row));
    out.end_row();
  }
  if (part == Part::kKeys) return out.finish(type, maps.keys());
  if (part == Part::kValues) return out.finish(type, maps.items());
  const ArrayPtr fields[] = {maps.keys(), maps.items()};
  return out.finish_rows(type, fields);
}

LogicalType part_type(Part part, const LogicalType& map) {
  const LogicalType& key = map.children()[0].type;
  const LogicalType& value = map.children()[1].type;
  if (part == Part::kKeys) return key;
  if (part == Part::kValues) return value;
  return LogicalType::row({{"key", key}, {"value", value}});
}

Result<BoundFunction> bind_part(const char* name, Part part, Types arguments) {
  if (arguments.size() != 1 || arguments[0].kind() != TypeKind::kMap)
    return argument_mismatch(name, "a map", arguments);
  BoundFunction bound;
  bound.result_type = LogicalType::array(part_type(part, arguments[0]), arguments[0].nullable());
  bound.can_fail = false;
  bound.evaluate = [part, type = bound.result_type](std::span<const Argument> args,
                                                    std::int64_t num_rows, EvalContext&) {
    return parts_of_maps(part, type, args[0], num_rows);
  };
  return bound;
}

/// Puts the entry into the row at hand of `out`, in place of one with the same key.
void put_entry(ListWriter& out, ElementIndex& index, std::string_view key, std::int32_t key_at,
               std::int32_t item_at) {
  const std::int64_t before = index.put(key, out.row_size());
  if (before < 0) {
    out.push_entry(key_at, item_at);
  } else {
    out.replace_item(before, item_at);
  }
}

Result<ArrayPtr> unite_maps(const LogicalType& type, std::span<const Argument> args,
                            std::int64_t num_rows) {
  ElementPool key_pool;
  ElementPool item_pool;
  std::vector<std::pair<ListReader, std::int32_t>> maps;
  for (const Argument& argument : args) {
    ListReader reader(argument);
    const std::int32_t base = key_pool.add(reader.keys());
    item_pool.add(reader.items());
    maps.emplace_back(std::move(reader), base);
  }
  TG_ASSIGN_OR_RETURN(const ArrayPtr key_column, key_pool.column());
  TG_ASSIGN_OR_RETURN(const ArrayPtr item_column, item_pool.column());
  TG_ASSIGN_OR_RETURN(const ElementKeys keys,
                      ElementKeys::make(type.children()[0].type, key_column));
  ListWriter out(num_rows);
  ElementIndex index;
  for (std::int64_t row = 0; row < num_rows; ++row) {
    const bool any_null = std::any_of(maps.begin(), maps.end(),
                                      [row](const auto& map) { return map.first.is_null(row); });
    if (any_null) {
      TG_RETURN_IF_ERROR(out.set_null());
      continue;
    }
    index.clear();
    for (const auto& [map, base] : maps)
      for (std::int32_t i = base + map.begin(row); i < base + map.end(row); ++i)
        put_entry(out, index, keys[i], i, i);
    out.end_row();
  }
  return out.finish_map(type, key_column, item_column);
}

Result<BoundFunction> bind_union(Types arguments) {
  return bind_to_common_type("MAP_UNION", TypeKind::kMap, "maps of a type in common", arguments,
                             unite_maps);
}

Result<ArrayPtr> maps_from_arrays(const LogicalType& type, std::span<const Argument> args,
                                  std::int64_t num_rows) {
  const ListReader key_arrays(args[0]);
  const ListReader item_arrays(args[1]);
  const ArrayPtr& key_column = key_arrays.elements();
  TG_ASSIGN_OR_RETURN(const ElementKeys keys,
                      ElementKeys::make(type.children()[0].type, key_column));
  ListWriter out(num_rows);
  ElementIndex index;
  for (std::int64_t row = 0; row < num_rows; ++row) {
    if (any_is_null(row, key_arrays, item_arrays)) {
      TG_RETURN_IF_ERROR(out.set_null());
      continue;
    }
    const std::int32_t size = key_arrays.size(row);
    if (size != item_arrays.size(row))
      return error(ErrorCode::kInvalidArgument, "MAP_FROM_ARRAYS: {} keys and {} values", size,
                   item_arrays.size(row));
    index.clear();
    for (std::int32_t i = 0; i < size; ++i) {
      const std::int32_t key = key_arrays.begin(row) + i;
      if (key_column->IsNull(key))
        return error(ErrorCode::kNullKey, "MAP_FROM_ARRAYS: a key is NULL");
      put_entry(out, index, keys[key], key, item_arrays.begin(row) + i);
    }
    out.end_row();
  }
  return out.finish_map(type, key_column, item_arrays.elements());
}

Result<BoundFunction> bind_from_arrays(Types arguments) {
  const bool fits = arguments.size() == 2 && arguments[0].kind() == TypeKind::kArray &&
                    arguments[1].kind() == TypeKind::kArray;
  if (!fits) return argument_mismatch("MAP_FROM_ARRAYS", "two arrays", arguments);
  BoundFunction bound;
  bound.result_type = LogicalType::map(arguments[0].children()[0].type,
                                       arguments[1].children()[0].type, any_nullable(arguments));
  bound.evaluate = [type = bound.result_type](std::span<const Argument> args, std::int64_t num_rows,
                                              EvalContext&) {
    return maps_from_arrays(type, args, num_rows);
  };
  return bound;
}

void add_part(FunctionRegistry& registry, const char* name, Part part, const char* description,
              ScalarFunction::Example example) {
  registry.add(
      {.name = name,
       .category = "collection",
       .signature = std::string(name) + "(map)",
       .description = description,
       .examples = {std::move(example)},
       .bind = [name, part](Types arguments) { return bind_part(name, part, arguments); }});
}

}  // namespace

void register_function_map_parts(FunctionRegistry& registry) {
  add_part(registry, "MAP_KEYS", Part::kKeys, "The keys as an ARRAY.",
           {"MAP_KEYS(MAP['a', 1, 'b', 2])", "[a, b]"});
  add_part(registry, "MAP_VALUES", Part::kValues, "The values as an ARRAY, in the order of keys.",
           {"MAP_VALUES(MAP['a', 1, 'b', 2])", "[1, 2]"});
  add_part(registry, "MAP_ENTRIES", Part::kEntries,
           "The entries as an ARRAY of ROWs with fields key and value.",
           {"MAP_ENTRIES(MAP['a', 1, 'b', 2])", "[(a, 1), (b, 2)]"});
  registry.add({.name = "MAP_UNION",
                .category = "collection",
                .signature = "MAP_UNION(map, ...)",
                .description = "The entries of all maps; of equal keys the last one's value "
                               "counts. NULL when one of the maps is.",
                .examples = {{"MAP_UNION(MAP['a', 1, 'b', 2], MAP['b', 3])", "{a=1, b=3}"}},
                .bind = bind_union});
  registry.add({.name = "MAP_FROM_ARRAYS",
                .category = "collection",
                .signature = "MAP_FROM_ARRAYS(keys, values)",
                .description = "A MAP of two arrays of equal length; of equal keys the last one's "
                               "value counts, and a key that is NULL is an error.",
                .examples = {{"MAP_FROM_ARRAYS(ARRAY['a', 'b'], ARRAY[1, 2])", "{a=1, b=2}"}},
                .bind = bind_from_arrays});
}

}  // namespace tidegate
