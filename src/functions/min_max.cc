// SPDX-License-Identifier: Apache-2.0
#include "expr/function_registry.h"
#include "functions/binding.h"
#include "functions/counted_values.h"
#include "functions/keep_one.h"

namespace tidegate {

namespace {

template <template <typename, typename> typename Aggregate, typename Choice>
Result<std::unique_ptr<Aggregator>> bind_extreme(std::string_view name,
                                                 std::span<const LogicalType> arguments) {
  if (arguments.size() != 1 || !is_flat(arguments[0]))
    return argument_mismatch(name, "one value of a type with an order", arguments);
  const LogicalType type = arguments[0].with_nullable(true);
  return with_physical_type(type, [&]<typename T>() -> Result<std::unique_ptr<Aggregator>> {
    return std::make_unique<Aggregate<T, Choice>>(type);
  });
}

template <typename Choice>
void add_extreme(FunctionRegistry& registry, const char* name, const char* description) {
  registry.add_aggregate({.name = name,
                          .signature = std::string(name) + "([DISTINCT] value)",
                          .description = description,
                          .bind =
                              [name](std::span<const LogicalType> arguments) {
                                return bind_extreme<KeepOne, Choice>(name, arguments);
                              },
                          .bind_retracting =
                              [name](std::span<const LogicalType> arguments) {
                                return bind_extreme<RetractableExtreme, Choice>(name, arguments);
                              }});
}

}  // namespace

void register_function_min_max(FunctionRegistry& registry) {
  add_extreme<KeepSmallest>(registry, "MIN",
                            "Smallest of the values that are not NULL; NULL when there are none.");
  add_extreme<KeepLargest>(registry, "MAX",
                           "Largest of the values that are not NULL; NULL when there are none.");
}

}  // namespace tidegate
