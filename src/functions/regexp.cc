// SPDX-License-Identifier: Apache-2.0
//
// REGEXP, REGEXP_EXTRACT, REGEXP_REPLACE, SIMILAR TO. A pattern that is written down is compiled
// once, and a wrong one is an error of the query; one that comes from a row and is wrong makes
// NULL.
#include <utility>

#include "expr/map_values.h"
#include "functions/binding.h"
#include "functions/regex.h"
#include "functions/utf8.h"

namespace tidegate {

namespace {

using RegexPtr = std::shared_ptr<const Regex>;
using Translate = Result<std::string> (*)(std::string_view pattern);

Result<std::string> as_it_is(std::string_view pattern) { return std::string(pattern); }

/// SIMILAR TO: % is any text, _ any character, and the whole string has to match; of the rest,
/// | * + ? { } ( ) [ ] are as in regular expressions.
Result<std::string> from_similar(std::string_view pattern) {
  std::string out = "(?s)\\A(?:";
  bool in_set = false;
  for (char c : pattern) {
    if (c == '[') in_set = true;
    if (c == ']') in_set = false;
    if (!in_set && c == '%') {
      out += ".*";
    } else if (!in_set && c == '_') {
      out += '.';
    } else if (c == '\\' || (!in_set && (c == '.' || c == '^' || c == '$'))) {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
  return out + ")\\z";
}

/// The matcher for each row's pattern.
class PatternColumn {
 public:
  PatternColumn(RegexPtr prepared, Translate translate) : translate_(translate) {
    if (prepared != nullptr) matcher_.emplace(std::move(prepared));
    prepared_ = matcher_.has_value();
  }

  /// Null when the pattern is not one.
  RegexMatcher* matcher(std::string_view pattern) {
    if (prepared_) return &*matcher_;
    if (!compiled_any_ || pattern != last_pattern_) {
      compiled_any_ = true;
      last_pattern_ = pattern;
      matcher_.reset();
      const Result<std::string> text = translate_(pattern);
      if (text.is_ok()) {
        Result<RegexPtr> regex = Regex::compile(*text);
        if (regex.is_ok()) matcher_.emplace(*std::move(regex));
      }
    }
    return matcher_ ? &*matcher_ : nullptr;
  }

 private:
  Translate translate_;
  bool prepared_ = false;
  bool compiled_any_ = false;
  std::string last_pattern_;
  std::optional<RegexMatcher> matcher_;
};

using RegexEvaluate = Result<ArrayPtr> (*)(PatternColumn& patterns, std::span<const Argument> args,
                                           std::int64_t num_rows);

struct RegexFunction {
  FixedSignature signature;
  Translate translate;
  RegexEvaluate evaluate;
};

/// Binds a function whose second argument is the pattern.
Result<BoundFunction> bind_regex(const RegexFunction& function,
                                 std::span<const LogicalType> arguments,
                                 std::span<const ArrayPtr> constants) {
  RegexPtr prepared;
  if (constants.size() > 1 && constants[1] != nullptr && arguments[1].is_character() &&
      constants[1]->IsValid(0)) {
    const ValueReader<std::string_view> pattern(*constants[1]);
    TG_ASSIGN_OR_RETURN(const std::string text, function.translate(pattern[0]));
    TG_ASSIGN_OR_RETURN(prepared, Regex::compile(text));
  }
  FixedSignature signature = function.signature;
  signature.can_fail = true;
  const Bind bind =
      bind_fixed(std::move(signature),
                 [prepared, translate = function.translate, evaluate = function.evaluate](
                     std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
                   PatternColumn patterns(prepared, translate);
                   return evaluate(patterns, args, num_rows);
                 });
  return bind(arguments);
}

Result<ArrayPtr> evaluate_test(PatternColumn& patterns, std::span<const Argument> args,
                               std::int64_t num_rows) {
  return map_values<bool, std::string_view, std::string_view>(
      boolean_type(), args, num_rows,
      [&](std::string_view text, std::string_view pattern) -> Result<std::optional<bool>> {
        RegexMatcher* matcher = patterns.matcher(pattern);
        if (matcher == nullptr) return std::optional<bool>();
        TG_ASSIGN_OR_RETURN(const bool found, matcher->find(text));
        return std::optional<bool>(found);
      });
}

/// A text, or none: NULL.
using MaybeText = std::optional<std::string_view>;

Result<MaybeText> extract(PatternColumn& patterns, std::string_view text, std::string_view pattern,
                          std::int64_t group) {
  RegexMatcher* matcher = patterns.matcher(pattern);
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
  for (std::size_t from = 0; from <= text.size();) {
    TG_ASSIGN_OR_RETURN(const bool found, matcher.find(text, from));
    if (!found) break;
    const std::string_view match = matcher.group(0);
    const auto begin =
        static_cast<std::size_t>(match.data() - (text.empty() ? match.data() : text.data()));
    out += text.substr(copied, begin - copied);
    out += to;
    copied = begin + match.size();
    // Behind an empty match, go on with the next character.
    from = match.empty() ? copied + (copied < text.size() ? character_length(text, copied) : 1)
                         : copied;
  }
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
        RegexMatcher* matcher = patterns.matcher(pattern);
        if (matcher == nullptr) return MaybeText();
        scratch.clear();
        TG_RETURN_IF_ERROR(replace_all(*matcher, text, to, scratch));
        return MaybeText(scratch);
      });
}

void add_regex(FunctionRegistry& registry, ScalarFunction documented, RegexFunction function) {
  documented.category = "string";
  function.signature.name = documented.name;
  documented.bind_with_constants = [function = std::move(function)](
                                       std::span<const LogicalType> arguments,
                                       std::span<const ArrayPtr> constants) {
    return bind_regex(function, arguments, constants);
  };
  registry.add(std::move(documented));
}

}  // namespace

void register_function_regexp(FunctionRegistry& registry) {
  const FixedSignature test = {.takes = "a string and a pattern",
                               .parameters = {text_type(), text_type()},
                               .result = boolean_type(),
                               .may_be_null = true};
  add_regex(registry,
            {.name = "REGEXP",
             .signature = "REGEXP(string, pattern)",
             .description = "True when the regular expression matches a part of the string.",
             .examples = {{"REGEXP('hello 42', '[0-9]+')", "TRUE"}}},
            {test, as_it_is, evaluate_test});
  add_regex(registry,
            {.name = "SIMILAR TO",
             .signature = "string SIMILAR TO pattern",
             .description = "True when the whole string matches a pattern of SQL's own kind: % is "
                            "any text, _ any character, | * + ? {n} ( ) [ ] as in regular "
                            "expressions.",
             .examples = {{"'abc' SIMILAR TO '(a|b)%c'", "TRUE"},
                          {"'abd' SIMILAR TO '(a|b)%c'", "FALSE"}}},
            {test, from_similar, evaluate_test});
  add_regex(
      registry,
      {.name = "REGEXP_EXTRACT",
       .signature = "REGEXP_EXTRACT(string, pattern[, group])",
       .description = "What the regular expression, or one of its groups, first matches; NULL "
                      "when it does not.",
       .examples = {{"REGEXP_EXTRACT('foothebar', 'foo(.*?)(bar)', 2)", "bar"},
                    {"REGEXP_EXTRACT('abc', '[0-9]')", "NULL"}}},
      {{.takes = "a string, a pattern and a whole number",
        .parameters = {text_type(), text_type(), integer_type()},
        .required = 2,
        .result = text_type(),
        .may_be_null = true},
       as_it_is,
       evaluate_extract});
  add_regex(registry,
            {.name = "REGEXP_REPLACE",
             .signature = "REGEXP_REPLACE(string, pattern, to)",
             .description = "The string with every match of the regular expression replaced by the "
                            "text `to`.",
             .examples = {{"REGEXP_REPLACE('foobar', 'oo|ar', '')", "fb"}}},
            {{.takes = "three strings",
              .parameters = {text_type(), text_type(), text_type()},
              .result = text_type(),
              .may_be_null = true},
             as_it_is,
             evaluate_replace});
}

}  // namespace tidegate
