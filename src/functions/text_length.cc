// SPDX-License-Identifier: Apache-2.0
#include "expr/map_values.h"
#include "functions/binding.h"
#include "functions/utf8.h"

namespace tidegate {

namespace {

LogicalType int_type() { return LogicalType(TypeKind::kInt); }

/// The 1-based character at which `part` first starts, from character `from` on; 0 when it does
/// not. A place in front of the text is its start; an empty part is found there always.
std::int32_t position(std::string_view part, std::string_view text, std::int64_t from) {
  if (part.empty()) return 1;
  const std::size_t start = byte_of_character(text, std::max<std::int64_t>(from - 1, 0));
  const std::size_t at = text.find(part, start);
  if (at == std::string_view::npos) return 0;
  return static_cast<std::int32_t>(count_characters(text.substr(0, at))) + 1;
}

/// INSTR from a place on, the nth of the places found; from the end for a negative place.
Result<std::int32_t> nth_position(std::string_view text, std::string_view part, std::int64_t from,
                                  std::int64_t nth) {
  if (nth <= 0)
    return error(ErrorCode::kInvalidArgument, "INSTR: occurrence {} is not positive", nth);
  if (from == 0) return 0;
  if (from > 0) {
    std::int32_t found = 0;
    for (; nth > 0; --nth) {
      found = position(part, text, from);
      if (found == 0) return 0;
      from = std::int64_t{found} + 1;
    }
    return found;
  }
  // Places at which the part may start, from the last one on.
  const std::int64_t length = count_characters(part);
  for (std::int64_t at = count_characters(text) + from - length + 2; at > 0; --at) {
    if (text.substr(byte_of_character(text, at - 1)).starts_with(part) && --nth == 0)
      return static_cast<std::int32_t>(at);
  }
  return 0;
}

Result<ArrayPtr> evaluate_instr(std::span<const Argument> args, std::int64_t num_rows,
                                EvalContext&) {
  if (args.size() == 4) {
    return map_values<std::int32_t, std::string_view, std::string_view, std::int64_t, std::int64_t>(
        int_type(), args, num_rows, nth_position);
  }
  if (args.size() == 3) {
    return map_values<std::int32_t, std::string_view, std::string_view, std::int64_t>(
        int_type(), args, num_rows,
        [](std::string_view text, std::string_view part, std::int64_t from) {
          return nth_position(text, part, from, 1);
        });
  }
  return map_values<std::int32_t, std::string_view, std::string_view>(
      int_type(), args, num_rows,
      [](std::string_view text, std::string_view part) { return position(part, text, 1); });
}

Result<ArrayPtr> evaluate_position(std::span<const Argument> args, std::int64_t num_rows,
                                   EvalContext&) {
  if (args.size() == 3) {
    return map_values<std::int32_t, std::string_view, std::string_view, std::int64_t>(
        int_type(), args, num_rows, position);
  }
  return map_values<std::int32_t, std::string_view, std::string_view>(
      int_type(), args, num_rows,
      [](std::string_view part, std::string_view text) { return position(part, text, 1); });
}

FixedSignature two_texts(const char* name) {
  return {.name = name,
          .takes = "two strings",
          .parameters = {text_type(), text_type()},
          .result = int_type()};
}

}  // namespace

void register_function_text_length(FunctionRegistry& registry) {
  registry.add(
      {.name = "CHAR_LENGTH",
       .category = "string",
       .signature = "CHAR_LENGTH(string)",
       .description = "Number of characters.",
       .examples = {{"CHAR_LENGTH('abc')", "3"}, {"CHAR_LENGTH('äöü')", "3"}},
       .bind = bind_fixed({.name = "CHAR_LENGTH",
                           .takes = "one string",
                           .parameters = {text_type()},
                           .result = int_type()},
                          [](std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
                            return map_values<std::int32_t, std::string_view>(
                                int_type(), args, num_rows, [](std::string_view text) {
                                  return static_cast<std::int32_t>(count_characters(text));
                                });
                          })});
  registry.add_alias("CHARACTER_LENGTH", "CHAR_LENGTH");
  registry.add({.name = "POSITION",
                .category = "string",
                .signature = "POSITION(part IN string)",
                .description = "The 1-based place where the part first starts, 0 when it does not.",
                .examples = {{"POSITION('l' IN 'hello')", "3"}, {"POSITION('x' IN 'hello')", "0"}},
                .bind = bind_fixed(two_texts("POSITION"), evaluate_position)});
  registry.add({.name = "LOCATE",
                .category = "string",
                .signature = "LOCATE(part, string[, from])",
                .description = "The 1-based place where the part first starts, looking from the "
                               "given place on; 0 when it does not.",
                .examples = {{"LOCATE('l', 'hello')", "3"}, {"LOCATE('l', 'hello', 4)", "4"}},
                .bind = bind_fixed({.name = "LOCATE",
                                    .takes = "two strings and a whole number",
                                    .parameters = {text_type(), text_type(), integer_type()},
                                    .required = 2,
                                    .result = int_type()},
                                   evaluate_position)});
  registry.add(
      {.name = "INSTR",
       .category = "string",
       .signature = "INSTR(string, part[, from[, nth]])",
       .description = "The 1-based place where the part starts, 0 when it does not: the first one, "
                      "or the nth from a place on, from the end when that is negative.",
       .examples = {{"INSTR('hello', 'l')", "3"}},
       .bind = bind_fixed({.name = "INSTR",
                           .takes = "two strings and one or two whole numbers",
                           .parameters = {text_type(), text_type(), integer_type(), integer_type()},
                           .required = 2,
                           .result = int_type(),
                           .can_fail = true},
                          evaluate_instr)});
  registry.add(
      {.name = "ASCII",
       .category = "string",
       .signature = "ASCII(string)",
       .description = "The number of the first byte of the UTF-8, negative past 127; 0 for "
                      "an empty string.",
       .examples = {{"ASCII('abc')", "97"}, {"ASCII('')", "0"}},
       .bind = bind_fixed({.name = "ASCII",
                           .takes = "one string",
                           .parameters = {text_type()},
                           .result = int_type()},
                          [](std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
                            return map_values<std::int32_t, std::string_view>(
                                int_type(), args, num_rows, [](std::string_view text) {
                                  return text.empty()
                                             ? 0
                                             : std::int32_t{static_cast<signed char>(text[0])};
                                });
                          })});
  registry.add(
      {.name = "CHR",
       .category = "string",
       .signature = "CHR(number)",
       .description = "The ASCII character of number % 256 (of Latin-1 past 127); an empty string "
                      "for a negative number.",
       .examples = {{"CHR(97)", "a"}, {"CHR(353)", "a"}},
       .bind = bind_fixed({.name = "CHR",
                           .takes = "one whole number",
                           .parameters = {integer_type()},
                           .result = text_type()},
                          [](std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
                            return map_to_text<std::int64_t>(
                                text_type(), args, num_rows, [](std::int64_t n, std::string& out) {
                                  if (n < 0) return;
                                  const auto code = static_cast<unsigned>(n % 256);
                                  if (code < 0x80) {
                                    out += static_cast<char>(code);
                                  } else {
                                    out += static_cast<char>(0xC0 | code >> 6);
                                    out += static_cast<char>(0x80 | (code & 0x3F));
                                  }
                                });
                          })});
}

}  // namespace tidegate
