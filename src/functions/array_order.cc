// SPDX-License-Identifier: Apache-2.0
//
// ARRAY_SORT, ARRAY_MAX, ARRAY_MIN: of elements that have an order.
#include <algorithm>
#include <utility>

#include "expr/map_values.h"
#include "expr/type_rules.h"
#include "functions/binding.h"
#include "functions/list_values.h"

namespace tidegate {

namespace {

using Types = std::span<const LogicalType>;

bool has_order(const LogicalType& array) {
  return array.kind() == TypeKind::kArray && !array.children()[0].type.is_nested();
}

Result<ArrayPtr> sort_arrays(const LogicalType& type, std::span<const Argument> args,
                             std::int64_t num_rows) {
  const ListReader arrays(args[0]);
  const ArrayPtr& elements = arrays.elements();
  TG_ASSIGN_OR_RETURN(const ElementKeys keys, ElementKeys::make(type.children()[0].type, elements));
  std::vector<ArgumentReader<bool>> flags(args.begin() + 1, args.end());
  ListWriter out(num_rows);
  std::vector<std::int32_t> order;
  for (std::int64_t row = 0; row < num_rows; ++row) {
    const bool unknown = std::any_of(flags.begin(), flags.end(),
                                     [row](const auto& flag) { return flag.is_null(row); });
    if (unknown || arrays.is_null(row)) {
      TG_RETURN_IF_ERROR(out.set_null());
      continue;
    }
    const bool ascending = flags.empty() || flags[0][row];
    const bool nulls_first = flags.size() > 1 ? flags[1][row] : ascending;
    order.clear();
    for (std::int32_t i = arrays.begin(row); i < arrays.end(row); ++i) order.push_back(i);
    const auto nulls_end = std::stable_partition(order.begin(), order.end(), [&](std::int32_t i) {
      return elements->IsNull(i) == nulls_first;
    });
    const auto first = nulls_first ? nulls_end : order.begin();
    const auto last = nulls_first ? order.end() : nulls_end;
    std::stable_sort(first, last, [&](std::int32_t a, std::int32_t b) {
      return ascending ? keys[a] < keys[b] : keys[b] < keys[a];
    });
    for (const std::int32_t i : order) out.push(i);
    out.end_row();
  }
  return out.finish(type, elements);
}

Result<BoundFunction> bind_sort(Types arguments) {
  bool fits = !arguments.empty() && arguments.size() <= 3 && has_order(arguments[0]);
  for (std::size_t i = 1; i < arguments.size(); ++i)
    fits = fits &&
           (arguments[i].kind() == TypeKind::kBoolean || arguments[i].kind() == TypeKind::kNull);
  if (!fits)
    return argument_mismatch("ARRAY_SORT", "an array of values with an order and two BOOLEANs",
                             arguments);
  BoundFunction bound;
  bound.result_type = arguments[0].with_nullable(any_nullable(arguments));
  bound.argument_types = {arguments[0]};
  for (std::size_t i = 1; i < arguments.size(); ++i)
    bound.argument_types.push_back(boolean_type().with_nullable(arguments[i].nullable()));
  bound.can_fail = false;
  bound.evaluate = [type = bound.result_type](std::span<const Argument> args, std::int64_t num_rows,
                                              EvalContext&) {
    return sort_arrays(type, args, num_rows);
  };
  return bound;
}

Result<BoundFunction> bind_extreme(const char* name, bool largest, Types arguments) {
  if (arguments.size() != 1 || !has_order(arguments[0]))
    return argument_mismatch(name, "an array of values with an order", arguments);
  const LogicalType element = arguments[0].children()[0].type;
  BoundFunction bound;
  bound.result_type = element.with_nullable(true);
  bound.can_fail = false;
  bound.evaluate = [element, largest](std::span<const Argument> args, std::int64_t num_rows,
                                      EvalContext&) -> Result<ArrayPtr> {
    const ListReader arrays(args[0]);
    const ArrayPtr& elements = arrays.elements();
    TG_ASSIGN_OR_RETURN(const ElementKeys keys, ElementKeys::make(element, elements));
    return pick_elements(element, elements, num_rows, [&](std::int64_t row) {
      std::int32_t best = -1;
      if (arrays.is_null(row)) return best;
      for (std::int32_t i = arrays.begin(row); i < arrays.end(row); ++i) {
        if (elements->IsNull(i)) continue;
        if (best < 0 || (largest ? keys[best] < keys[i] : keys[i] < keys[best])) best = i;
      }
      return best;
    });
  };
  return bound;
}

}  // namespace

void register_function_array_order(FunctionRegistry& registry) {
  registry.add({.name = "ARRAY_SORT",
                .category = "collection",
                .signature = "ARRAY_SORT(array[, ascending[, nulls_first]])",
                .description = "The array in ascending order with NULLs first, or in descending "
                               "order with NULLs last, unless said otherwise.",
                .examples = {{"ARRAY_SORT(ARRAY[2, NULL, 1])", "[NULL, 1, 2]"},
                             {"ARRAY_SORT(ARRAY[1, NULL, 2], FALSE)", "[2, 1, NULL]"},
                             {"ARRAY_SORT(ARRAY[1, NULL, 2], FALSE, TRUE)", "[NULL, 2, 1]"}},
                .bind = bind_sort});
  registry.add(
      {.name = "ARRAY_MAX",
       .category = "collection",
       .signature = "ARRAY_MAX(array)",
       .description = "The largest element that is not NULL; NULL when there is none.",
       .examples = {{"ARRAY_MAX(ARRAY[1, NULL, 3])", "3"}},
       .bind = [](Types arguments) { return bind_extreme("ARRAY_MAX", true, arguments); }});
  registry.add(
      {.name = "ARRAY_MIN",
       .category = "collection",
       .signature = "ARRAY_MIN(array)",
       .description = "The smallest element that is not NULL; NULL when there is none.",
       .examples = {{"ARRAY_MIN(ARRAY['b', NULL, 'a'])", "a"}},
       .bind = [](Types arguments) { return bind_extreme("ARRAY_MIN", false, arguments); }});
}

}  // namespace tidegate
