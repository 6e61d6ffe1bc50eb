// SPDX-License-Identifier: Apache-2.0
#include "expr/map_values.h"
#include "functions/binding.h"
#include "functions/utf8.h"

namespace tidegate {

namespace {

enum class Ends : std::uint8_t { kBoth, kLeading, kTrailing };

/// True when `set` holds the character as a whole.
bool holds(std::string_view set, std::string_view character) {
  for (std::size_t i = 0; i < set.size(); i += character_length(set, i))
    if (set.substr(i, character_length(set, i)) == character) return true;
  return false;
}

std::string_view trim(std::string_view text, std::string_view set, Ends ends) {
  if (ends != Ends::kTrailing) {
    while (!text.empty()) {
      const std::size_t length = character_length(text, 0);
      if (!holds(set, text.substr(0, length))) break;
      text.remove_prefix(length);
    }
  }
  if (ends != Ends::kLeading) {
    while (!text.empty()) {
      std::size_t last = text.size() - 1;
      while (last > 0 && is_continuation(text[last])) --last;
      if (!holds(set, text.substr(last))) break;
      text.remove_suffix(text.size() - last);
    }
  }
  return text;
}

Result<ArrayPtr> trim_rows(std::span<const Argument> args, std::int64_t num_rows, Ends ends) {
  if (args.size() == 1) {
    return map_values<std::string_view, std::string_view>(
        text_type(), args, num_rows,
        [ends](std::string_view text) { return std::optional(trim(text, " ", ends)); });
  }
  return map_values<std::string_view, std::string_view, std::string_view>(
      text_type(), args, num_rows, [ends](std::string_view text, std::string_view set) {
        return std::optional(trim(text, set, ends));
      });
}

void add_trim(FunctionRegistry& registry, const char* name, Ends ends, const char* description,
              std::vector<ScalarFunction::Example> examples) {
  registry.add(
      {.name = name,
       .category = "string",
       .signature = std::string(name) + "(string[, characters])",
       .description = description,
       .examples = std::move(examples),
       .bind = bind_fixed({.name = name,
                           .takes = "one or two strings",
                           .parameters = {text_type(), text_type()},
                           .required = 1,
                           .result = text_type()},
                          [ends](std::span<const Argument> args, std::int64_t num_rows,
                                 EvalContext&) { return trim_rows(args, num_rows, ends); })});
}

/// TRIM(string), or TRIM('BOTH' | 'LEADING' | 'TRAILING', characters, string) for
/// TRIM(BOTH characters FROM string).
Result<ExprPtr> rewrite_trim(std::span<const ExprPtr> arguments) {
  TG_RETURN_IF_ERROR(check_argument_count("TRIM", arguments, 1, 3));
  if (arguments.size() == 1) return call("BTRIM", {arguments[0]});
  if (arguments.size() == 3 && arguments[0]->kind() == Expr::Kind::kLiteral) {
    const std::string ends = arguments[0]->to_string();
    if (ends == "'BOTH'") return call("BTRIM", {arguments[2], arguments[1]});
    if (ends == "'LEADING'") return call("LTRIM", {arguments[2], arguments[1]});
    if (ends == "'TRAILING'") return call("RTRIM", {arguments[2], arguments[1]});
  }
  return error(ErrorCode::kTypeMismatch,
               "TRIM takes a string, or BOTH, LEADING or TRAILING, characters and a string");
}

}  // namespace

void register_function_trim(FunctionRegistry& registry) {
  registry.add({.name = "TRIM",
                .category = "string",
                .signature = "TRIM([BOTH | LEADING | TRAILING characters FROM] string)",
                .description = "The string without these characters (blanks) at its ends.",
                .examples = {{"TRIM('  a b ')", "a b"},
                             {"TRIM(BOTH 'x' FROM 'xaxx')", "a"},
                             {"TRIM(LEADING 'x' FROM 'xax')", "ax"},
                             {"TRIM(TRAILING 'x' FROM 'xax')", "xa"}},
                .rewrite = rewrite_trim});
  add_trim(registry, "BTRIM", Ends::kBoth,
           "The string without any of these characters (blanks) at both ends.",
           {{"BTRIM('yxaxy', 'xy')", "a"}});
  add_trim(registry, "LTRIM", Ends::kLeading,
           "The string without any of these characters (blanks) in front.",
           {{"LTRIM('  a ')", "a "}});
  add_trim(registry, "RTRIM", Ends::kTrailing,
           "The string without any of these characters (blanks) at its end.",
           {{"RTRIM('axy', 'yx')", "a"}});
}

}  // namespace tidegate
