// SPDX-License-Identifier: Apache-2.0
//
// What functions over regular expressions share: their second argument is the pattern, which is
// compiled once when it is constant, else again whenever it changes from row to row.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "expr/map_values.h"
#include "functions/binding.h"
#include "functions/regex.h"

namespace tidegate {

/// The pattern as a regular expression; `escape` is that of SIMILAR TO, or empty.
using TranslatePattern = Result<std::string> (*)(std::string_view pattern, std::string_view escape);

/// What a pattern that is not one makes of its rows.
enum class WrongPattern : std::uint8_t { kIsNull, kIsAnError };

/// The matcher for each row's pattern.
class PatternColumn {
 public:
  PatternColumn(TranslatePattern translate, WrongPattern wrong)
      : translate_(translate), wrong_(wrong) {}

  /// Says what a pattern has been compiled to already; null: it is not one.
  void prepare(std::string_view pattern, std::string_view escape,
               std::shared_ptr<const Regex> regex);

  /// Null when the pattern is not one and that makes NULL.
  Result<RegexMatcher*> matcher(std::string_view pattern, std::string_view escape = {});

 private:
  TranslatePattern translate_;
  WrongPattern wrong_;
  bool compiled_any_ = false;
  std::string last_pattern_;
  std::string last_escape_;
  std::optional<RegexMatcher> matcher_;
};

using EvaluateRegex = Result<ArrayPtr> (*)(PatternColumn& patterns, std::span<const Argument> args,
                                           std::int64_t num_rows);

struct RegexFunction {
  FixedSignature signature;
  EvaluateRegex evaluate;
  TranslatePattern translate = nullptr;  ///< none: it is a regular expression of Java
  WrongPattern wrong_pattern = WrongPattern::kIsNull;
  bool with_escape = false;  ///< the third argument is the escape character
};

/// Registers it in the category "string" under the name that `documented` has.
void add_regex(FunctionRegistry& registry, ScalarFunction documented, RegexFunction function);

/// The byte behind a match at which the next search starts; past the text when it is the last.
std::size_t next_search(std::string_view text, std::size_t begin, std::string_view match);

/// Calls f(begin, match) for each match from left to right, as Java's Matcher.find() steps through
/// a text; f answers false to stop.
template <typename F>
Status for_each_match(RegexMatcher& matcher, std::string_view text, F f) {
  for (std::size_t from = 0; from <= text.size();) {
    TG_ASSIGN_OR_RETURN(const bool found, matcher.find(text, from));
    if (!found) break;
    const std::string_view match = matcher.group(0);
    const std::size_t begin =
        text.empty() ? 0 : static_cast<std::size_t>(match.data() - text.data());
    if (!f(begin, match)) break;
    from = next_search(text, begin, match);
  }
  return Status::ok();
}

}  // namespace tidegate
