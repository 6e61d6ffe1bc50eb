// SPDX-License-Identifier: Apache-2.0
//
// Functions that ask for a watermark, which expressions do not see. The planner makes a column of
// CURRENT_WATERMARK; SOURCE_WATERMARK is known so that a query with it fails with its name and not
// with that of another function.
#include "functions/binding.h"

namespace tidegate {

namespace {

Result<BoundFunction> bind_current_watermark(std::span<const LogicalType> arguments) {
  const bool is_time = arguments.size() == 1 && (arguments[0].kind() == TypeKind::kTimestamp ||
                                                 arguments[0].kind() == TypeKind::kTimestampLtz);
  if (!is_time) return argument_mismatch("CURRENT_WATERMARK", "a column of event time", arguments);
  BoundFunction bound;
  bound.result_type = arguments[0].kind() == TypeKind::kTimestampLtz ? LogicalType::timestamp_ltz(3)
                                                                     : LogicalType::timestamp(3);
  bound.evaluate = [](std::span<const Argument>, std::int64_t, EvalContext&) -> Result<ArrayPtr> {
    return Status(ErrorCode::kNotSupported, "CURRENT_WATERMARK outside of SELECT and WHERE",
                  "Take it in a subquery.");
  };
  return bound;
}

void add_unsupported(FunctionRegistry& registry, const char* name, const char* signature,
                     const char* remedy) {
  registry.add({.name = name,
                .category = "time",
                .signature = signature,
                .description = std::string("Not supported yet. ") + remedy,
                .deterministic = false,
                .rewrite = [name, remedy](std::span<const ExprPtr>) -> Result<ExprPtr> {
                  return Status(ErrorCode::kNotSupported, std::string(name), remedy);
                }});
}

}  // namespace

void register_function_watermark_functions(FunctionRegistry& registry) {
  registry.add({.name = "CURRENT_WATERMARK",
                .category = "time",
                .signature = "CURRENT_WATERMARK(rowtime)",
                .description =
                    "The watermark in front of the row, in SELECT and WHERE: the last event time "
                    "that is not expected any more; NULL before the first one.",
                .deterministic = false,
                .bind = bind_current_watermark});
  add_unsupported(registry, "SOURCE_WATERMARK", "SOURCE_WATERMARK()",
                  "Declare the watermark in the table: WATERMARK FOR ts AS ts - INTERVAL '5' "
                  "SECOND.");
}

}  // namespace tidegate
