// SPDX-License-Identifier: Apache-2.0
//
// REGEXP, REGEXP_EXTRACT, REGEXP_REPLACE. A pattern that is not one makes FALSE (REGEXP) or NULL,
// as in Flink.
#include "functions/regex_function.h"

namespace tidegate {

namespace {

Result<ArrayPtr> evaluate_test(PatternColumn& patterns, std::span<const Argument> args,
                               std::int64_t num_rows) {
  return map_values<bool, std::string_view, std::string_view>(
      boolean_type(), args, num_rows,
      [&](std::string_view text, std::string_view pattern) -> Result<bool> {
        if (pattern.empty()) return false;
        TG_ASSIGN_OR_RETURN(RegexMatcher* const matcher, patterns.matcher(pattern));
        return matcher == nullptr ? Result<bool>(false) : matcher->find(text);
      });
}

/// A text, or none: NULL.
using MaybeText = std::optional<std::string_view>;

Result<MaybeText> extract(PatternColumn& patterns, std::string_view text, std::string_view pattern,
                          std::int64_t group) {
  TG_ASSIGN_OR_RETURN(RegexMatcher* const matcher, patterns.matcher(pattern));
  if (matcher == nullptr || group < 0) return MaybeText();
  TG_ASSIGN_OR_RETURN(const bool found, matcher->find(text));
  if (!found || group > matcher->num_groups()) return MaybeText();
  const std::string_view matched = matcher->group(static_cast<int>(group));
  return matched.data() == nullptr ? MaybeText() : MaybeText(matched);
}

Result<ArrayPtr> evaluate_extract(PatternColumn& patterns, std::span<const Argument> args,
                                  std::int64_t num_rows) {
  if (args.size() == 3) {
    return map_values<std::string_view, std::string_view, std::string_view, std::int64_t>(
        text_type(), args, num_rows,
        [&](std::string_view text, std::string_view pattern, std::int64_t group) {
          return extract(patterns, text, pattern, group);
        });
  }
  return map_values<std::string_view, std::string_view, std::string_view>(
      text_type(), args, num_rows, [&](std::string_view text, std::string_view pattern) {
        return extract(patterns, text, pattern, 0);
      });
}

/// Every match becomes `to`, which is plain text.
Status replace_all(RegexMatcher& matcher, std::string_view text, std::string_view to,
                   std::string& out) {
  std::size_t copied = 0;
  TG_RETURN_IF_ERROR(for_each_match(matcher, text, [&](std::size_t begin, std::string_view match) {
    out += text.substr(copied, begin - copied);
    out += to;
    copied = begin + match.size();
    return true;
  }));
  out += text.substr(copied);
  return Status::ok();
}

Result<ArrayPtr> evaluate_replace(PatternColumn& patterns, std::span<const Argument> args,
                                  std::int64_t num_rows) {
  std::string scratch;
  return map_values<std::string_view, std::string_view, std::string_view, std::string_view>(
      text_type(), args, num_rows,
      [&](std::string_view text, std::string_view pattern,
          std::string_view to) -> Result<MaybeText> {
        TG_ASSIGN_OR_RETURN(RegexMatcher* const matcher, patterns.matcher(pattern));
        if (matcher == nullptr) return MaybeText();
        scratch.clear();
        TG_RETURN_IF_ERROR(replace_all(*matcher, text, to, scratch));
        return MaybeText(scratch);
      });
}

}  // namespace

void register_function_regexp(FunctionRegistry& registry) {
  add_regex(registry,
            {.name = "REGEXP",
             .signature = "REGEXP(string, pattern)",
             .description = "True when the regular expression matches a part of the string.",
             .examples = {{"REGEXP('hello 42', '[0-9]+')", "TRUE"}}},
            {.signature = {.takes = "a string and a pattern",
                           .parameters = {text_type(), text_type()},
                           .result = boolean_type()},
             .evaluate = evaluate_test});
  add_regex(registry,
            {.name = "REGEXP_EXTRACT",
             .signature = "REGEXP_EXTRACT(string, pattern[, group])",
             .description = "What the regular expression, or one of its groups, first matches; "
                            "NULL when it does not.",
             .examples = {{"REGEXP_EXTRACT('foothebar', 'foo(.*?)(bar)', 2)", "bar"},
                          {"REGEXP_EXTRACT('abc', '[0-9]')", "NULL"}}},
            {.signature = {.takes = "a string, a pattern and a whole number",
                           .parameters = {text_type(), text_type(), integer_type()},
                           .required = 2,
                           .result = text_type(),
                           .may_be_null = true},
             .evaluate = evaluate_extract});
  add_regex(registry,
            {.name = "REGEXP_REPLACE",
             .signature = "REGEXP_REPLACE(string, pattern, to)",
             .description = "The string with every match of the regular expression replaced by the "
                            "text `to`.",
             .examples = {{"REGEXP_REPLACE('foobar', 'oo|ar', '')", "fb"}}},
            {.signature = {.takes = "three strings",
                           .parameters = {text_type(), text_type(), text_type()},
                           .result = text_type(),
                           .may_be_null = true},
             .evaluate = evaluate_replace});
}

}  // namespace tidegate
