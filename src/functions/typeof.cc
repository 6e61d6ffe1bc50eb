// SPDX-License-Identifier: Apache-2.0
#include "expr/map_values.h"
#include "functions/binding.h"

namespace tidegate {

namespace {

/// The second argument (print long names for long types) changes nothing in this notation.
Result<BoundFunction> bind_typeof(std::span<const LogicalType> arguments) {
  const bool fits =
      arguments.size() == 1 || (arguments.size() == 2 && arguments[1].kind() == TypeKind::kBoolean);
  if (!fits) return argument_mismatch("TYPEOF", "a value, and a BOOLEAN", arguments);
  BoundFunction bound;
  bound.result_type = text_type();
  bound.can_fail = false;
  bound.evaluate = [type = arguments[0].to_string()](std::span<const Argument>,
                                                     std::int64_t num_rows,
                                                     EvalContext&) -> Result<ArrayPtr> {
    TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<std::string_view>::make(num_rows));
    for (std::int64_t row = 0; row < num_rows; ++row) writer.set(row, type);
    return writer.finish(text_type());
  };
  return bound;
}

}  // namespace

void register_function_typeof(FunctionRegistry& registry) {
  registry.add({.name = "TYPEOF",
                .category = "conversion",
                .signature = "TYPEOF(value)",
                .description = "The type of a value, as it is written in SQL.",
                .examples = {{"TYPEOF('abc')", "CHAR(3) NOT NULL"}, {"TYPEOF(NULL)", "NULL"}},
                .bind = bind_typeof});
}

}  // namespace tidegate
