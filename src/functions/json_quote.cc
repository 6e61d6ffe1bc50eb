// SPDX-License-Identifier: Apache-2.0
//
// JSON_QUOTE and JSON_UNQUOTE.
#include <fmt/format.h>

#include <algorithm>

#include "expr/map_values.h"
#include "functions/binding.h"
#include "functions/json_document.h"
#include "functions/unicode.h"

namespace tidegate {

namespace {

/// All but ASCII is escaped, and so is the slash.
void quote(std::string_view text, std::string& out) {
  constexpr std::string_view kEscaped = "\"\\/\b\f\n\r\t";
  constexpr std::string_view kNames = "\"\\/bfnrt";
  out += '"';
  while (!text.empty()) {
    const char32_t point = take_code_point(text);
    if (point >= 0x80) {
      for_each_utf16_unit(point, [&out](char16_t unit) {
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(unit));
      });
      continue;
    }
    const std::size_t known = kEscaped.find(static_cast<char>(point));
    if (known != std::string_view::npos) {
      out += '\\';
      out += kNames[known];
    } else {
      out += static_cast<char>(point);
    }
  }
  out += '"';
}

/// Behind the first quote from `at` on that no backslash escapes; the end when there is none.
std::size_t behind_quote(std::string_view text, std::size_t at) {
  while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  return std::min(at + 1, text.size());
}

/// What does not begin with a JSON string and end with a quote stays as it is. Quotes inside need
/// no backslash, as in Flink.
void unquote(JsonDocument& document, std::string_view text, std::string& out) {
  const auto is_string = [&document](std::string_view token) {
    return document.parse(token) && document.kind(JsonDocument::kRoot) == JsonKind::kString &&
           document.token(JsonDocument::kRoot).size() + 2 == token.size();
  };
  if (text.size() < 2 || !text.starts_with('"') || !text.ends_with('"') ||
      !is_string(text.substr(0, behind_quote(text, 1)))) {
    out += text;
    return;
  }
  std::string escaped = "\"";
  std::size_t at = 1;
  for (std::size_t end = behind_quote(text, at); end < text.size(); end = behind_quote(text, at)) {
    escaped.append(text.substr(at, end - 1 - at)).append("\\\"");
    at = end;
  }
  escaped.append(text.substr(at));
  if (is_string(escaped)) {
    document.append_scalar(JsonDocument::kRoot, out);
  } else {
    out += text;
  }
}

FixedSignature one_text(const char* name) {
  return {.name = name, .takes = "one string", .parameters = {text_type()}, .result = text_type()};
}

}  // namespace

void register_function_json_quote(FunctionRegistry& registry) {
  registry.add({.name = "JSON_QUOTE",
                .category = "string",
                .signature = "JSON_QUOTE(string)",
                .description = "The string as a JSON string in ASCII.",
                .examples = {{"JSON_QUOTE('a\"é')", "\"a\\\"\\u00e9\""}},
                .bind = bind_fixed(one_text("JSON_QUOTE"), [](std::span<const Argument> args,
                                                              std::int64_t num_rows, EvalContext&) {
                  return map_to_text<std::string_view>(text_type(), args, num_rows, quote);
                })});
  registry.add(
      {.name = "JSON_UNQUOTE",
       .category = "string",
       .signature = "JSON_UNQUOTE(string)",
       .description = "The text of a JSON string; other strings stay as they are.",
       .examples = {{"JSON_UNQUOTE('\"a\\u00e9\"')", "aé"}, {"JSON_UNQUOTE('[1]')", "[1]"}},
       .bind = bind_fixed(one_text("JSON_UNQUOTE"), [](std::span<const Argument> args,
                                                       std::int64_t num_rows, EvalContext&) {
         JsonDocument document;
         return map_to_text<std::string_view>(
             text_type(), args, num_rows,
             [&](std::string_view text, std::string& out) { unquote(document, text, out); });
       })});
}

}  // namespace tidegate
