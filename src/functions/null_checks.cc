// SPDX-License-Identifier: Apache-2.0
#include "expr/map_values.h"
#include "expr/type_rules.h"
#include "functions/binding.h"
#include "functions/comparison.h"

namespace tidegate {

namespace {

/// Which rows are null, or which are not, as BOOLEAN.
Result<ArrayPtr> null_rows(const Argument& argument, std::int64_t num_rows, bool wanted) {
  TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<bool>::make(num_rows));
  const bool may_be_null = argument.array->null_count() > 0;
  for (std::int64_t i = 0; i < num_rows; ++i) {
    const bool is_null = may_be_null && argument.array->IsNull(argument.is_constant ? 0 : i);
    writer.set(i, is_null == wanted);
  }
  return writer.finish(boolean_type());
}

void add_null_test(FunctionRegistry& registry, const char* name, bool wanted,
                   const char* description, ScalarFunction::Example example) {
  registry.add(
      {.name = name,
       .category = "comparison",
       .signature = std::string("value ") + name,
       .description = description,
       .examples = {std::move(example)},
       .bind = [name, wanted](std::span<const LogicalType> arguments) -> Result<BoundFunction> {
         if (arguments.size() != 1) return argument_mismatch(name, "one value", arguments);
         BoundFunction bound;
         bound.result_type = LogicalType(TypeKind::kBoolean, false);
         bound.can_fail = false;
         bound.evaluate = [wanted](std::span<const Argument> args, std::int64_t num_rows,
                                   EvalContext&) { return null_rows(args[0], num_rows, wanted); };
         return bound;
       }});
}

/// a IS [NOT] DISTINCT FROM b: as <> and =, but NULL is a value like others.
void add_distinct_test(FunctionRegistry& registry, const char* name, bool wanted,
                       const char* description, ScalarFunction::Example example) {
  registry.add(
      {.name = name,
       .category = "comparison",
       .signature = std::string("a ") + name + " b",
       .description = description,
       .examples = {std::move(example)},
       .bind = [name, wanted](std::span<const LogicalType> arguments) -> Result<BoundFunction> {
         const std::optional<LogicalType> type =
             arguments.size() == 2 ? comparison_type(arguments[0], arguments[1]) : std::nullopt;
         if (!type) return argument_mismatch(name, "two values of comparable types", arguments);
         BoundFunction bound;
         bound.result_type = LogicalType(TypeKind::kBoolean, false);
         bound.argument_types = {*type, *type};
         bound.can_fail = false;
         bound.evaluate = [type = *type, wanted](std::span<const Argument> args,
                                                 std::int64_t num_rows,
                                                 EvalContext&) -> Result<ArrayPtr> {
           TG_ASSIGN_OR_RETURN(const ArrayPtr equal,
                               compare(Comparison::kEqual, type, args, num_rows));
           const ValueReader<bool> is_equal(*equal);
           TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<bool>::make(num_rows));
           for (std::int64_t i = 0; i < num_rows; ++i) {
             const bool a_null = args[0].array->IsNull(args[0].is_constant ? 0 : i);
             const bool b_null = args[1].array->IsNull(args[1].is_constant ? 0 : i);
             const bool same = a_null || b_null ? a_null && b_null : is_equal[i];
             writer.set(i, same != wanted);
           }
           return writer.finish(boolean_type());
         };
         return bound;
       }});
}

}  // namespace

void register_function_null_checks(FunctionRegistry& registry) {
  add_null_test(registry, "IS NULL", true, "True when the value is NULL.",
                {"NULL IS NULL", "TRUE"});
  add_null_test(registry, "IS NOT NULL", false, "True when the value is not NULL.",
                {"1 IS NOT NULL", "TRUE"});
  registry.add_alias("IS UNKNOWN", "IS NULL");
  registry.add_alias("IS NOT UNKNOWN", "IS NOT NULL");
  add_distinct_test(registry, "IS DISTINCT FROM", true,
                    "True when the values are not equal; NULL equals NULL.",
                    {"1 IS DISTINCT FROM NULL", "TRUE"});
  add_distinct_test(registry, "IS NOT DISTINCT FROM", false,
                    "True when the values are equal; NULL equals NULL.",
                    {"NULL IS NOT DISTINCT FROM NULL", "TRUE"});
}

}  // namespace tidegate
