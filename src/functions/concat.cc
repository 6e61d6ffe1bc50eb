// SPDX-License-Identifier: Apache-2.0
#include "expr/map_values.h"
#include "functions/binding.h"

namespace tidegate {

namespace {

Result<ArrayPtr> evaluate_concat(std::span<const Argument> args, std::int64_t num_rows,
                                 EvalContext&) {
  const std::vector<ArgumentReader<std::string_view>> parts(args.begin(), args.end());
  TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<std::string_view>::make(num_rows));
  for (std::int64_t i = 0; i < num_rows; ++i) {
    bool any_null = false;
    for (const auto& part : parts) any_null = any_null || part.is_null(i);
    if (any_null) {
      TG_RETURN_IF_ERROR(writer.set_null(i));
      continue;
    }
    for (const auto& part : parts) writer.text() += part[i];
    writer.end_row();
  }
  return writer.finish(text_type());
}

/// The first argument between the others; NULLs among these are left out.
Result<ArrayPtr> evaluate_concat_ws(std::span<const Argument> args, std::int64_t num_rows,
                                    EvalContext&) {
  const std::vector<ArgumentReader<std::string_view>> parts(args.begin(), args.end());
  TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<std::string_view>::make(num_rows));
  for (std::int64_t i = 0; i < num_rows; ++i) {
    if (parts[0].is_null(i)) {
      TG_RETURN_IF_ERROR(writer.set_null(i));
      continue;
    }
    bool first = true;
    for (std::size_t p = 1; p < parts.size(); ++p) {
      if (parts[p].is_null(i)) continue;
      if (!first) writer.text() += parts[0][i];
      writer.text() += parts[p][i];
      first = false;
    }
    writer.end_row();
  }
  return writer.finish(text_type());
}

}  // namespace

void register_function_concat(FunctionRegistry& registry) {
  registry.add({.name = "CONCAT",
                .category = "string",
                .signature = "CONCAT(a, b, ...) | a || b",
                .description = "The strings one behind the other; NULL when one is NULL.",
                .examples = {{"CONCAT('a', 'b', 'c')", "abc"}, {"'a' || NULL", "NULL"}},
                .bind = bind_fixed({.name = "CONCAT",
                                    .takes = "strings",
                                    .parameters = {text_type()},
                                    .variadic = true,
                                    .result = text_type()},
                                   evaluate_concat)});
  registry.add_alias("||", "CONCAT");
  registry.add({.name = "CONCAT_WS",
                .category = "string",
                .signature = "CONCAT_WS(separator, a, b, ...)",
                .description = "The strings with the separator between them; NULLs are left out.",
                .examples = {{"CONCAT_WS('-', 'a', NULL, 'b')", "a-b"}},
                .bind = bind_fixed({.name = "CONCAT_WS",
                                    .takes = "strings",
                                    .parameters = {text_type()},
                                    .variadic = true,
                                    .result = text_type()},
                                   evaluate_concat_ws)});
}

}  // namespace tidegate
