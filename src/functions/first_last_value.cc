// SPDX-License-Identifier: Apache-2.0
#include "expr/encoded_argument.h"
#include "expr/function_registry.h"
#include "functions/binding.h"
#include "functions/keep_one.h"
#include "functions/value_sequence.h"

namespace tidegate {

namespace {

template <template <typename, typename> typename Aggregate, typename Choice>
Result<std::unique_ptr<Aggregator>> bind_one(std::string_view name,
                                             std::span<const LogicalType> arguments) {
  if (arguments.size() != 1 || arguments[0].kind() == TypeKind::kNull)
    return argument_mismatch(name, "one value", arguments);
  const LogicalType type = arguments[0].with_nullable(true);
  if (type.is_nested()) {
    return encode_argument(type, std::make_unique<Aggregate<std::string_view, Choice>>(
                                     LogicalType(TypeKind::kVarbinary)));
  }
  return with_physical_type(type, [&]<typename T>() -> Result<std::unique_ptr<Aggregator>> {
    return std::make_unique<Aggregate<T, Choice>>(type);
  });
}

template <typename Choice>
void add_one(FunctionRegistry& registry, const char* name, const char* description) {
  registry.add_aggregate({.name = name,
                          .signature = std::string(name) + "(value)",
                          .description = description,
                          .bind =
                              [name](std::span<const LogicalType> arguments) {
                                return bind_one<KeepOne, Choice>(name, arguments);
                              },
                          .bind_retracting =
                              [name](std::span<const LogicalType> arguments) {
                                return bind_one<RetractableSequence, Choice>(name, arguments);
                              }});
}

}  // namespace

void register_function_first_last_value(FunctionRegistry& registry) {
  add_one<KeepFirst>(registry, "FIRST_VALUE",
                     "The value that came first of those that are not NULL; NULL when there are "
                     "none.");
  add_one<KeepLast>(registry, "LAST_VALUE",
                    "The value that came last of those that are not NULL; NULL when there are "
                    "none.");
}

}  // namespace tidegate
