// SPDX-License-Identifier: Apache-2.0
#include "functions/regex_function.h"
#include "functions/utf8.h"

namespace tidegate {

namespace {

Status wrong_pattern(std::string_view pattern, const char* what) {
  return error(ErrorCode::kInvalidSyntax, "SIMILAR TO pattern '{}': {}", pattern, what);
}

/// [[:ALPHA:]] and the like are written in lower case in regular expressions.
void append_lower(std::string_view text, std::string& out) {
  for (char c : text) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Appends the set of characters that starts at byte `at`; answers the byte behind it.
Result<std::size_t> append_set(std::string_view pattern, std::size_t at, std::string_view escape,
                               std::string& out) {
  out += '[';
  for (std::size_t i = at + 1; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (!escape.empty() && pattern.substr(i).starts_with(escape)) {
      i += escape.size();
      if (i >= pattern.size()) break;
      out += '\\';
      out += pattern[i];
    } else if (c == ']') {
      out += ']';
      return i + 1;
    } else if (c == '[' && pattern.substr(i).starts_with("[:")) {
      const std::size_t end = pattern.find(":]", i);
      if (end == std::string_view::npos) break;
      append_lower(pattern.substr(i, end + 2 - i), out);
      i = end + 1;
    } else {
      if (c == '\\' || c == '[') out += '\\';
      out += c;
    }
  }
  return wrong_pattern(pattern, "a [ without ]");
}

/// % is any text, _ any character, and the whole string has to match; the rest is as in regular
/// expressions but $ and \, which are themselves. (The point is any character as there: Calcite,
/// and so Flink, has it so, though the standard has not.)
Result<std::string> from_similar(std::string_view pattern, std::string_view escape) {
  if (escape.size() > 1 && character_length(escape, 0) != escape.size())
    return error(ErrorCode::kInvalidArgument, "the escape '{}' of SIMILAR TO is not one character",
                 escape);
  std::string out = "\\A(?:";
  for (std::size_t i = 0; i < pattern.size();) {
    const char c = pattern[i];
    if (!escape.empty() && pattern.substr(i).starts_with(escape)) {
      i += escape.size();
      if (i >= pattern.size()) return wrong_pattern(pattern, "nothing behind the escape");
      const std::size_t length = character_length(pattern, i);
      if (static_cast<unsigned char>(pattern[i]) < 0x80) out += '\\';
      out += pattern.substr(i, length);
      i += length;
      continue;
    }
    if (c == '[') {
      TG_ASSIGN_OR_RETURN(i, append_set(pattern, i, escape, out));
      continue;
    }
    if (c == '%') {
      out += "(?s:.*)";
    } else if (c == '_') {
      out += '.';
    } else {
      if (c == '\\' || c == '$') out += '\\';
      out += c;
    }
    ++i;
  }
  return out + ")\\z";
}

Result<ArrayPtr> evaluate(PatternColumn& patterns, std::span<const Argument> args,
                          std::int64_t num_rows) {
  const auto match = [&](std::string_view text, std::string_view pattern,
                         std::string_view escape) -> Result<bool> {
    TG_ASSIGN_OR_RETURN(RegexMatcher* const matcher, patterns.matcher(pattern, escape));
    return matcher->find(text);
  };
  if (args.size() == 3) {
    return map_values<bool, std::string_view, std::string_view, std::string_view>(
        boolean_type(), args, num_rows, match);
  }
  return map_values<bool, std::string_view, std::string_view>(
      boolean_type(), args, num_rows,
      [&](std::string_view text, std::string_view pattern) { return match(text, pattern, {}); });
}

}  // namespace

void register_function_similar_to(FunctionRegistry& registry) {
  add_regex(registry,
            {.name = "SIMILAR TO",
             .signature = "string SIMILAR TO pattern [ESCAPE character]",
             .description = "True when the whole string matches a pattern of SQL's own kind: % is "
                            "any text, _ any character, | * + ? {n} ( ) [ ] as in regular "
                            "expressions.",
             .examples = {{"'abc' SIMILAR TO '(a|b)%c'", "TRUE"},
                          {"'abd' SIMILAR TO '(a|b)%c'", "FALSE"},
                          {"'100%' SIMILAR TO '1+0+!%' ESCAPE '!'", "TRUE"}}},
            {.signature = {.takes = "a string, a pattern and an escape character",
                           .parameters = {text_type(), text_type(), text_type()},
                           .required = 2,
                           .result = boolean_type()},
             .evaluate = evaluate,
             .translate = from_similar,
             .wrong_pattern = WrongPattern::kIsAnError,
             .with_escape = true});
}

}  // namespace tidegate
