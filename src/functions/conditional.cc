// SPDX-License-Identifier: Apache-2.0
//
// Functions that leave arguments unevaluated: all are CASE in the end.
#include <algorithm>

#include "functions/binding.h"

namespace tidegate {

namespace {

using Arguments = std::span<const ExprPtr>;

/// condition, result, condition, result, ... and, with an odd number, the result otherwise.
Result<ExprPtr> rewrite_case(Arguments arguments) {
  TG_RETURN_IF_ERROR(check_argument_count("CASE", arguments, 2, 100'000));
  std::vector<CaseBranch> branches;
  for (std::size_t i = 0; i + 1 < arguments.size(); i += 2)
    branches.push_back({arguments[i], arguments[i + 1]});
  return case_when(branches, arguments.size() % 2 == 1 ? arguments.back() : nullptr);
}

Result<ExprPtr> rewrite_coalesce(Arguments arguments) {
  TG_RETURN_IF_ERROR(check_argument_count("COALESCE", arguments, 1, 100'000));
  if (arguments.size() == 1) return arguments[0];
  std::vector<CaseBranch> branches;
  for (const ExprPtr& argument : arguments.first(arguments.size() - 1))
    branches.push_back({call("IS NOT NULL", {argument}), argument});
  return case_when(branches, arguments.back());
}

Result<ExprPtr> rewrite_if(Arguments arguments) {
  TG_RETURN_IF_ERROR(check_argument_count("IF", arguments, 3, 3));
  return case_when({{arguments[0], arguments[1]}}, arguments[2]);
}

Result<ExprPtr> rewrite_ifnull(Arguments arguments) {
  TG_RETURN_IF_ERROR(check_argument_count("IFNULL", arguments, 2, 2));
  return rewrite_coalesce(arguments);
}

Result<ExprPtr> rewrite_nullif(Arguments arguments) {
  TG_RETURN_IF_ERROR(check_argument_count("NULLIF", arguments, 2, 2));
  return case_when({{call("=", {arguments[0], arguments[1]}), lit_null()}}, arguments[0]);
}

}  // namespace

void register_function_conditional(FunctionRegistry& registry) {
  constexpr const char* kCategory = "conditional";
  registry.add({.name = "CASE",
                .category = kCategory,
                .signature = "CASE WHEN condition THEN a ... [ELSE b] END",
                .description = "The result of the first condition that is true; only that one is "
                               "evaluated.",
                .examples = {{"CASE WHEN 1 > 2 THEN 'a' WHEN 2 > 1 THEN 'b' ELSE 'c' END", "b"},
                             {"CASE WHEN FALSE THEN 1 / 0 END", "NULL"}},
                .rewrite = rewrite_case});
  registry.add({.name = "COALESCE",
                .category = kCategory,
                .signature = "COALESCE(a, b, ...)",
                .description = "The first value that is not NULL; those behind it are not "
                               "evaluated.",
                .examples = {{"COALESCE(NULL, 5, 6)", "5"}},
                .rewrite = rewrite_coalesce});
  registry.add({.name = "IF",
                .category = kCategory,
                .signature = "IF(condition, a, b)",
                .description = "a when the condition is true, else b; only that one is evaluated.",
                .examples = {{"IF(1 = 1, 'yes', 'no')", "yes"}},
                .rewrite = rewrite_if});
  registry.add({.name = "IFNULL",
                .category = kCategory,
                .signature = "IFNULL(a, b)",
                .description = "a, or b when a is NULL.",
                .examples = {{"IFNULL(NULL, 5)", "5"}},
                .rewrite = rewrite_ifnull});
  registry.add({.name = "NULLIF",
                .category = kCategory,
                .signature = "NULLIF(a, b)",
                .description = "NULL when a equals b, else a.",
                .examples = {{"NULLIF(5, 5)", "NULL"}, {"NULLIF(5, 0)", "5"}},
                .rewrite = rewrite_nullif});
}

}  // namespace tidegate
