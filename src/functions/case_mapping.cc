// SPDX-License-Identifier: Apache-2.0
#include <arrow/compute/exec.h>
#include <arrow/compute/initialize.h>
#include <arrow/datum.h>

#include "expr/map_values.h"
#include "functions/binding.h"
#include "functions/utf8.h"

namespace tidegate {

namespace {

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// The bytes of all values in view.
std::string_view bytes_in_view(const arrow::Array& texts) {
  if (texts.length() == 0) return {};
  const ValueReader<std::string_view> values(texts);
  const std::string_view first = values[0];
  const std::string_view last = values[texts.length() - 1];
  return {first.data(), static_cast<std::size_t>(last.data() + last.size() - first.data())};
}

constexpr std::string_view kSharpS = "ß";

/// Its upper case is two letters, which a table of letters does not have.
void without_sharp_s(std::string_view text, std::string& out) {
  for (std::size_t at = text.find(kSharpS); at != std::string_view::npos; at = text.find(kSharpS)) {
    out += text.substr(0, at);
    out += "SS";
    text.remove_prefix(at + kSharpS.size());
  }
  out += text;
}

/// ASCII here; what has other letters goes through Arrow's tables of Unicode.
template <char (*kMap)(char)>
Result<ArrayPtr> map_case(const char* kernel, std::span<const Argument> args,
                          std::int64_t num_rows) {
  if (is_ascii(bytes_in_view(*args[0].array))) {
    return map_to_text<std::string_view>(text_type(), args, num_rows,
                                         [](std::string_view text, std::string& out) {
                                           for (char c : text) out += kMap(c);
                                         });
  }
  ArrayPtr texts = args[0].array;
  if (kMap == upper && bytes_in_view(*texts).find(kSharpS) != std::string_view::npos) {
    const Argument own{texts, false};
    TG_ASSIGN_OR_RETURN(texts, map_to_text<std::string_view>(text_type(), {&own, 1},
                                                             texts->length(), without_sharp_s));
  }
  TG_ASSIGN_ARROW_OR_RETURN(arrow::Datum mapped, arrow::compute::CallFunction(kernel, {texts}),
                            kernel);
  return mapped.make_array();
}

/// The first letter of each word in upper case, the others in lower case. Words are of ASCII.
void capitalize(std::string_view text, std::string& out) {
  bool inside = false;
  for (char c : text) {
    const bool letter = (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
    out += inside ? lower(c) : upper(c);
    inside = letter;
  }
}

FixedSignature one_text(const char* name) {
  return {.name = name, .takes = "one string", .parameters = {text_type()}, .result = text_type()};
}

}  // namespace

void register_function_case_mapping(FunctionRegistry& registry) {
  // Arrow's kernels beyond the basic ones have to be asked for; asking again is harmless.
  const bool ready = arrow::compute::Initialize().ok();
  TG_CHECK(ready, "Arrow's compute functions cannot be used");
  registry.add({.name = "UPPER",
                .category = "string",
                .signature = "UPPER(string)",
                .description = "The string in upper case, letter by letter.",
                .examples = {{"UPPER('äbc 7b')", "ÄBC 7B"}},
                .bind = bind_fixed(one_text("UPPER"), [](std::span<const Argument> args,
                                                         std::int64_t num_rows, EvalContext&) {
                  return map_case<upper>("utf8_upper", args, num_rows);
                })});
  registry.add({.name = "LOWER",
                .category = "string",
                .signature = "LOWER(string)",
                .description = "The string in lower case, letter by letter.",
                .examples = {{"LOWER('ÄBc')", "äbc"}},
                .bind = bind_fixed(one_text("LOWER"), [](std::span<const Argument> args,
                                                         std::int64_t num_rows, EvalContext&) {
                  return map_case<lower>("utf8_lower", args, num_rows);
                })});
  registry.add({.name = "INITCAP",
                .category = "string",
                .signature = "INITCAP(string)",
                .description = "The string with each word's first letter in upper case and the "
                               "others in lower case (of the letters A to Z).",
                .examples = {{"INITCAP('hELLO wORLD')", "Hello World"}},
                .bind = bind_fixed(one_text("INITCAP"), [](std::span<const Argument> args,
                                                           std::int64_t num_rows, EvalContext&) {
                  return map_to_text<std::string_view>(text_type(), args, num_rows, capitalize);
                })});
}

}  // namespace tidegate
