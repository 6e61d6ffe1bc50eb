// SPDX-License-Identifier: Apache-2.0
#include "expr/boolean_bits.h"
#include "expr/expr.h"
#include "functions/binding.h"

namespace tidegate {

namespace {

/// A function of one BOOLEAN, NULL included.
void add_test(FunctionRegistry& registry, const char* name, const char* description,
              ScalarFunction::Example example, bool negated,
              Result<ArrayPtr> (BooleanBits::*test)() const) {
  registry.add({.name = name,
                .category = "logic",
                .signature = std::string("condition ") + name,
                .description = description,
                .examples = {std::move(example)},
                .bind = [name, negated,
                         test](std::span<const LogicalType> arguments) -> Result<BoundFunction> {
                  if (arguments.size() != 1 || (arguments[0].kind() != TypeKind::kBoolean &&
                                                arguments[0].kind() != TypeKind::kNull))
                    return argument_mismatch(name, "one condition", arguments);
                  BoundFunction bound;
                  bound.result_type = LogicalType(TypeKind::kBoolean, false);
                  bound.argument_types = {boolean_type()};
                  bound.can_fail = false;
                  bound.evaluate = [negated, test](std::span<const Argument> args,
                                                   std::int64_t num_rows,
                                                   EvalContext&) -> Result<ArrayPtr> {
                    const BooleanBits bits = BooleanBits::of(args[0], num_rows);
                    if (!negated) return (bits.*test)();
                    TG_ASSIGN_OR_RETURN(const ArrayPtr plain, (bits.*test)());
                    BooleanBits opposite = BooleanBits::of({plain, false}, num_rows);
                    opposite.negate();
                    return opposite.to_array();
                  };
                  return bound;
                }});
}

using Combine = ExprPtr (*)(std::vector<ExprPtr>);

void add_combination(FunctionRegistry& registry, const char* name, const char* description,
                     std::vector<ScalarFunction::Example> examples, Combine combine) {
  registry.add({.name = name,
                .category = "logic",
                .signature = std::string("a ") + name + " b",
                .description = description,
                .examples = std::move(examples),
                .rewrite = [name, combine](std::span<const ExprPtr> arguments) -> Result<ExprPtr> {
                  TG_RETURN_IF_ERROR(check_argument_count(name, arguments, 1, 100'000));
                  return combine({arguments.begin(), arguments.end()});
                }});
}

}  // namespace

void register_function_logic(FunctionRegistry& registry) {
  add_combination(registry, "AND",
                  "True when all conditions are true, false when one is false, else NULL.",
                  {{"TRUE AND NULL", "NULL"}, {"FALSE AND NULL", "FALSE"}}, logical_and);
  add_combination(registry, "OR",
                  "True when one condition is true, false when all are false, else NULL.",
                  {{"TRUE OR NULL", "TRUE"}, {"FALSE OR NULL", "NULL"}}, logical_or);
  registry.add(
      {.name = "NOT",
       .category = "logic",
       .signature = "NOT condition",
       .description = "True when the condition is false, false when it is true, else NULL.",
       .examples = {{"NOT TRUE", "FALSE"}},
       .bind = bind_fixed({.name = "NOT",
                           .takes = "one condition",
                           .parameters = {boolean_type()},
                           .result = boolean_type()},
                          [](std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
                            BooleanBits bits = BooleanBits::of(args[0], num_rows);
                            bits.negate();
                            return bits.to_array();
                          })});
  add_test(registry, "IS TRUE", "True when the condition is true, else false.",
           {"CAST(NULL AS BOOLEAN) IS TRUE", "FALSE"}, false, &BooleanBits::is_true);
  add_test(registry, "IS NOT TRUE", "True when the condition is false or NULL.",
           {"CAST(NULL AS BOOLEAN) IS NOT TRUE", "TRUE"}, true, &BooleanBits::is_true);
  add_test(registry, "IS FALSE", "True when the condition is false, else false.",
           {"FALSE IS FALSE", "TRUE"}, false, &BooleanBits::is_false);
  add_test(registry, "IS NOT FALSE", "True when the condition is true or NULL.",
           {"FALSE IS NOT FALSE", "FALSE"}, true, &BooleanBits::is_false);
}

}  // namespace tidegate
