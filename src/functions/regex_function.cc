// SPDX-License-Identifier: Apache-2.0
#include "functions/regex_function.h"

#include <utility>

#include "functions/java_regex.h"
#include "functions/utf8.h"

namespace tidegate {

namespace {

Result<std::string> from_java(std::string_view pattern, std::string_view) {
  return pcre_from_java(pattern);
}

/// A pattern that Java would take never makes NULL.
bool is_error(const Status& status, WrongPattern wrong) {
  return wrong == WrongPattern::kIsAnError || status.code() == ErrorCode::kNotSupported;
}

Result<std::shared_ptr<const Regex>> compile(TranslatePattern translate, std::string_view pattern,
                                             std::string_view escape) {
  TG_ASSIGN_OR_RETURN(const std::string text, translate(pattern, escape));
  return Regex::compile(text);
}

/// A pattern (and escape) that is written down, compiled once for all batches.
struct Prepared {
  std::string pattern;
  std::string escape;
  std::shared_ptr<const Regex> regex;  // null: it is not one
};

std::optional<std::string_view> constant_text(std::span<const LogicalType> types,
                                              std::span<const ArrayPtr> constants, std::size_t i) {
  if (constants[i] == nullptr || !types[i].is_character() || constants[i]->IsNull(0))
    return std::nullopt;
  return ValueReader<std::string_view>(*constants[i])[0];
}

Result<std::shared_ptr<const Prepared>> prepare(const RegexFunction& function,
                                                std::span<const LogicalType> types,
                                                std::span<const ArrayPtr> constants) {
  std::optional<std::string_view> texts[2] = {std::nullopt, ""};
  if (constants.size() > 1) texts[0] = constant_text(types, constants, 1);
  if (function.with_escape && constants.size() > 2) texts[1] = constant_text(types, constants, 2);
  if (!texts[0] || !texts[1]) return std::shared_ptr<const Prepared>();
  auto prepared = std::make_shared<Prepared>();
  prepared->pattern = *texts[0];
  prepared->escape = *texts[1];
  Result<std::shared_ptr<const Regex>> regex =
      compile(function.translate, prepared->pattern, prepared->escape);
  if (regex.is_ok()) {
    prepared->regex = *std::move(regex);
  } else if (is_error(regex.status(), function.wrong_pattern)) {
    return std::move(regex).status();
  }
  return std::shared_ptr<const Prepared>(std::move(prepared));
}

Result<BoundFunction> bind_regex(const RegexFunction& function,
                                 std::span<const LogicalType> arguments,
                                 std::span<const ArrayPtr> constants) {
  TG_ASSIGN_OR_RETURN(const std::shared_ptr<const Prepared> prepared,
                      prepare(function, arguments, constants));
  const Bind bind = bind_fixed(
      function.signature, [prepared, translate = function.translate, wrong = function.wrong_pattern,
                           evaluate = function.evaluate](std::span<const Argument> args,
                                                         std::int64_t num_rows, EvalContext&) {
        PatternColumn patterns(translate, wrong);
        if (prepared != nullptr)
          patterns.prepare(prepared->pattern, prepared->escape, prepared->regex);
        return evaluate(patterns, args, num_rows);
      });
  return bind(arguments);
}

}  // namespace

void PatternColumn::prepare(std::string_view pattern, std::string_view escape,
                            std::shared_ptr<const Regex> regex) {
  compiled_any_ = true;
  last_pattern_ = pattern;
  last_escape_ = escape;
  matcher_.reset();
  if (regex != nullptr) matcher_.emplace(std::move(regex));
}

Result<RegexMatcher*> PatternColumn::matcher(std::string_view pattern, std::string_view escape) {
  if (!compiled_any_ || pattern != last_pattern_ || escape != last_escape_) {
    Result<std::shared_ptr<const Regex>> regex = compile(translate_, pattern, escape);
    if (!regex.is_ok() && is_error(regex.status(), wrong_)) return std::move(regex).status();
    prepare(pattern, escape, regex.is_ok() ? *std::move(regex) : nullptr);
  }
  return matcher_ ? &*matcher_ : nullptr;
}

std::size_t next_search(std::string_view text, std::size_t begin, std::string_view match) {
  const std::size_t end = begin + match.size();
  if (!match.empty()) return end;
  // Behind an empty match, go on with the next character.
  return end < text.size() ? end + character_length(text, end) : text.size() + 1;
}

void add_regex(FunctionRegistry& registry, ScalarFunction documented, RegexFunction function) {
  documented.category = "string";
  function.signature.name = documented.name;
  function.signature.can_fail = true;
  if (function.translate == nullptr) function.translate = from_java;
  documented.bind_with_constants = [function = std::move(function)](
                                       std::span<const LogicalType> arguments,
                                       std::span<const ArrayPtr> constants) {
    return bind_regex(function, arguments, constants);
  };
  registry.add(std::move(documented));
}

}  // namespace tidegate
