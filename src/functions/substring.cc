// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "expr/map_values.h"
#include "functions/binding.h"
#include "functions/utf8.h"

namespace tidegate {

namespace {

/// `length` characters from the 1-based `start` on, or from the end when it is negative; none
/// (NULL) for a negative length.
std::optional<std::string_view> substring(std::string_view text, std::int64_t start,
                                          std::int64_t length) {
  if (length < 0) return std::nullopt;
  std::int64_t first = start > 0 ? start - 1 : 0;
  if (start < 0) {
    first = count_characters(text) + start;
    if (first < 0) return std::string_view();
  }
  const std::string_view rest = text.substr(byte_of_character(text, first));
  return first_characters(rest, length);
}

Result<ArrayPtr> evaluate_substring(std::span<const Argument> args, std::int64_t num_rows,
                                    EvalContext&) {
  if (args.size() == 3) {
    return map_values<std::string_view, std::string_view, std::int64_t, std::int64_t>(
        text_type(), args, num_rows, substring);
  }
  return map_values<std::string_view, std::string_view, std::int64_t>(
      text_type(), args, num_rows, [](std::string_view text, std::int64_t start) {
        return substring(text, start, std::numeric_limits<std::int64_t>::max());
      });
}

FixedSignature text_and_count(const char* name) {
  return {.name = name,
          .takes = "a string and a whole number",
          .parameters = {text_type(), integer_type()},
          .result = text_type()};
}

}  // namespace

void register_function_substring(FunctionRegistry& registry) {
  registry.add({.name = "SUBSTRING",
                .category = "string",
                .signature = "SUBSTRING(string FROM start [FOR length])",
                .description = "Characters of the string from the 1-based start on; a negative "
                               "start counts from the end, a negative length gives NULL.",
                .examples = {{"SUBSTRING('hello', 2, 3)", "ell"},
                             {"SUBSTRING('hello', -3)", "llo"},
                             {"SUBSTRING('hello', 1, -1)", "NULL"}},
                .bind = bind_fixed({.name = "SUBSTRING",
                                    .takes = "a string and one or two whole numbers",
                                    .parameters = {text_type(), integer_type(), integer_type()},
                                    .required = 2,
                                    .result = text_type(),
                                    .may_be_null = true},
                                   evaluate_substring)});
  registry.add_alias("SUBSTR", "SUBSTRING");
  registry.add({.name = "LEFT",
                .category = "string",
                .signature = "LEFT(string, n)",
                .description = "The first n characters.",
                .examples = {{"LEFT('hello', 2)", "he"}, {"LEFT('hello', -1)", ""}},
                .bind = bind_fixed(text_and_count("LEFT"), [](std::span<const Argument> args,
                                                              std::int64_t num_rows, EvalContext&) {
                  return map_values<std::string_view, std::string_view, std::int64_t>(
                      text_type(), args, num_rows, [](std::string_view text, std::int64_t n) {
                        return std::optional(first_characters(text, n));
                      });
                })});
  registry.add(
      {.name = "RIGHT",
       .category = "string",
       .signature = "RIGHT(string, n)",
       .description = "The last n characters.",
       .examples = {{"RIGHT('hello', 2)", "lo"}, {"RIGHT('hello', 0)", ""}},
       .bind = bind_fixed(text_and_count("RIGHT"), [](std::span<const Argument> args,
                                                      std::int64_t num_rows, EvalContext&) {
         return map_values<std::string_view, std::string_view, std::int64_t>(
             text_type(), args, num_rows, [](std::string_view text, std::int64_t n) {
               if (n <= 0) return std::optional(std::string_view());
               const std::int64_t skipped = std::max<std::int64_t>(count_characters(text) - n, 0);
               return std::optional(text.substr(byte_of_character(text, skipped)));
             });
       })});
}

}  // namespace tidegate
