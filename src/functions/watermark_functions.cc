// SPDX-License-Identifier: Apache-2.0
//
// Functions that ask for a watermark, which expressions do not see. They are known so that a query
// with one of them fails with its name and not with that of another function.
#include "functions/binding.h"

namespace tidegate {

namespace {

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
  add_unsupported(registry, "CURRENT_WATERMARK", "CURRENT_WATERMARK(rowtime)",
                  "Rows that are late are counted and can go to a late output.");
  add_unsupported(registry, "SOURCE_WATERMARK", "SOURCE_WATERMARK()",
                  "Declare the watermark in the table: WATERMARK FOR ts AS ts - INTERVAL '5' "
                  "SECOND.");
}

}  // namespace tidegate
