// SPDX-License-Identifier: Apache-2.0
#include "expr/map_values.h"
#include "expr/type_rules.h"
#include "functions/binding.h"
#include "functions/keep_one.h"

namespace tidegate {

namespace {

template <typename Choice>
Result<BoundFunction> bind_extreme(const char* name, std::span<const LogicalType> arguments) {
  const std::optional<LogicalType> type = common_type(arguments);
  if (!type || !is_flat(*type))
    return argument_mismatch(name, "values of one type with an order", arguments);
  BoundFunction bound;
  bound.result_type = type->with_nullable(any_nullable(arguments));
  bound.argument_types.assign(arguments.size(), bound.result_type);
  bound.can_fail = false;
  bound.evaluate = [type = bound.result_type](std::span<const Argument> args, std::int64_t num_rows,
                                              EvalContext&) -> Result<ArrayPtr> {
    return with_physical_type(type, [&]<typename T>() -> Result<ArrayPtr> {
      std::vector<ArgumentReader<T>> readers(args.begin(), args.end());
      TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<T>::make(num_rows));
      for (std::int64_t i = 0; i < num_rows; ++i) {
        bool any_null = false;
        for (const auto& reader : readers) any_null = any_null || reader.is_null(i);
        if (any_null) {
          TG_RETURN_IF_ERROR(writer.set_null(i));
          continue;
        }
        T best = readers[0][i];
        for (const auto& reader : readers)
          if (Choice::template replaces<T>(reader[i], best)) best = reader[i];
        writer.set(i, best);
      }
      return writer.finish(type);
    });
  };
  return bound;
}

}  // namespace

void register_function_greatest_least(FunctionRegistry& registry) {
  registry.add({.name = "GREATEST",
                .category = "comparison",
                .signature = "GREATEST(a, b, ...)",
                .description = "The largest value; NULL when one is NULL.",
                .examples = {{"GREATEST(3, 1, 2)", "3"}, {"GREATEST(3, NULL)", "NULL"}},
                .bind = [](std::span<const LogicalType> arguments) {
                  return bind_extreme<KeepLargest>("GREATEST", arguments);
                }});
  registry.add({.name = "LEAST",
                .category = "comparison",
                .signature = "LEAST(a, b, ...)",
                .description = "The smallest value; NULL when one is NULL.",
                .examples = {{"LEAST('b', 'abc')", "abc"}},
                .bind = [](std::span<const LogicalType> arguments) {
                  return bind_extreme<KeepSmallest>("LEAST", arguments);
                }});
}

}  // namespace tidegate
