// SPDX-License-Identifier: Apache-2.0
#include "functions/binding.h"

namespace tidegate {

namespace {

/// The catalog's current database is known where SQL is bound, which puts its name in place of the
/// call; this is the one of a pipeline without a catalog.
Result<ExprPtr> rewrite_current_database(std::span<const ExprPtr> arguments) {
  TG_RETURN_IF_ERROR(check_argument_count("CURRENT_DATABASE", arguments, 0, 0));
  return cast(lit("default_database"), text_type());
}

}  // namespace

void register_function_current_database(FunctionRegistry& registry) {
  registry.add({.name = "CURRENT_DATABASE",
                .category = "catalog",
                .signature = "CURRENT_DATABASE()",
                .description = "The name of the current database.",
                .examples = {{"CURRENT_DATABASE()", "default_database"}},
                .rewrite = rewrite_current_database});
}

}  // namespace tidegate
