// SPDX-License-Identifier: Apache-2.0
//
// REGEXP_COUNT, REGEXP_INSTR, REGEXP_SUBSTR, REGEXP_EXTRACT_ALL. A pattern that is not one makes
// NULL.
#include "functions/list_values.h"
#include "functions/regex_function.h"
#include "functions/utf8.h"

namespace tidegate {

namespace {

LogicalType int_type() { return LogicalType(TypeKind::kInt); }
LogicalType texts_type() { return LogicalType::array(LogicalType::string()); }

using MaybeInt = std::optional<std::int32_t>;
using MaybeText = std::optional<std::string_view>;

Result<ArrayPtr> evaluate_count(PatternColumn& patterns, std::span<const Argument> args,
                                std::int64_t num_rows) {
  return map_values<std::int32_t, std::string_view, std::string_view>(
      int_type(), args, num_rows,
      [&](std::string_view text, std::string_view pattern) -> Result<MaybeInt> {
        TG_ASSIGN_OR_RETURN(RegexMatcher* const matcher, patterns.matcher(pattern));
        if (matcher == nullptr) return MaybeInt();
        std::int32_t count = 0;
        TG_RETURN_IF_ERROR(for_each_match(*matcher, text, [&](std::size_t, std::string_view) {
          ++count;
          return true;
        }));
        return MaybeInt(count);
      });
}

Result<ArrayPtr> evaluate_instr(PatternColumn& patterns, std::span<const Argument> args,
                                std::int64_t num_rows) {
  return map_values<std::int32_t, std::string_view, std::string_view>(
      int_type(), args, num_rows,
      [&](std::string_view text, std::string_view pattern) -> Result<MaybeInt> {
        TG_ASSIGN_OR_RETURN(RegexMatcher* const matcher, patterns.matcher(pattern));
        if (matcher == nullptr) return MaybeInt();
        TG_ASSIGN_OR_RETURN(const bool found, matcher->find(text));
        if (!found) return MaybeInt(0);
        const auto begin =
            static_cast<std::size_t>(text.empty() ? 0 : matcher->group(0).data() - text.data());
        return MaybeInt(static_cast<std::int32_t>(count_characters(text.substr(0, begin))) + 1);
      });
}

Result<ArrayPtr> evaluate_substr(PatternColumn& patterns, std::span<const Argument> args,
                                 std::int64_t num_rows) {
  return map_values<std::string_view, std::string_view, std::string_view>(
      text_type(), args, num_rows,
      [&](std::string_view text, std::string_view pattern) -> Result<MaybeText> {
        TG_ASSIGN_OR_RETURN(RegexMatcher* const matcher, patterns.matcher(pattern));
        if (matcher == nullptr) return MaybeText();
        TG_ASSIGN_OR_RETURN(const bool found, matcher->find(text));
        return found ? MaybeText(matcher->group(0)) : MaybeText();
      });
}

/// What a group matched, in all matches of all rows.
class Matches {
 public:
  void push(std::string_view match) {
    texts_.push_back(match.data() == nullptr ? MaybeText() : MaybeText(match));
  }
  std::int32_t size() const { return static_cast<std::int32_t>(texts_.size()); }
  Result<ArrayPtr> to_column() const {
    TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<std::string_view>::make(size()));
    for (std::int32_t i = 0; i < size(); ++i) {
      const MaybeText& text = texts_[static_cast<std::size_t>(i)];
      if (text) {
        writer.set(i, *text);
      } else {
        TG_RETURN_IF_ERROR(writer.set_null(i));
      }
    }
    return writer.finish(text_type());
  }

 private:
  std::vector<MaybeText> texts_;
};

/// Group 1 when none is given; NULL for a group that the pattern does not have.
Result<ArrayPtr> evaluate_extract_all(PatternColumn& patterns, std::span<const Argument> args,
                                      std::int64_t num_rows) {
  for (const Argument& argument : args)
    if (is_constant_null(argument)) return null_column(texts_type().arrow_type(), num_rows);
  const ArgumentReader<std::string_view> texts(args[0]);
  const ArgumentReader<std::string_view> pattern_texts(args[1]);
  std::optional<ArgumentReader<std::int64_t>> groups;
  if (args.size() == 3) groups.emplace(args[2]);
  Matches matches;
  ListWriter lists(num_rows);
  for (std::int64_t row = 0; row < num_rows; ++row) {
    RegexMatcher* matcher = nullptr;
    const bool any_null =
        texts.is_null(row) || pattern_texts.is_null(row) || (groups && groups->is_null(row));
    if (!any_null) {
      TG_ASSIGN_OR_RETURN(matcher, patterns.matcher(pattern_texts[row]));
    }
    const std::int64_t group = groups && !any_null ? (*groups)[row] : 1;
    if (matcher == nullptr || group < 0 || group > matcher->num_groups()) {
      TG_RETURN_IF_ERROR(lists.set_null());
      continue;
    }
    const std::int32_t first = matches.size();
    TG_RETURN_IF_ERROR(for_each_match(*matcher, texts[row], [&](std::size_t, std::string_view) {
      matches.push(matcher->group(static_cast<int>(group)));
      return true;
    }));
    lists.push(first, matches.size());
    lists.end_row();
  }
  TG_ASSIGN_OR_RETURN(const ArrayPtr column, matches.to_column());
  return lists.finish(texts_type(), column);
}

RegexFunction search(LogicalType result, EvaluateRegex evaluate) {
  return {.signature = {.takes = "a string and a pattern",
                        .parameters = {text_type(), text_type()},
                        .result = std::move(result),
                        .may_be_null = true},
          .evaluate = evaluate};
}

}  // namespace

void register_function_regexp_search(FunctionRegistry& registry) {
  add_regex(registry,
            {.name = "REGEXP_COUNT",
             .signature = "REGEXP_COUNT(string, pattern)",
             .description = "How often the regular expression matches.",
             .examples = {{"REGEXP_COUNT('abcabc', 'b.')", "2"}}},
            search(int_type(), evaluate_count));
  add_regex(registry,
            {.name = "REGEXP_INSTR",
             .signature = "REGEXP_INSTR(string, pattern)",
             .description = "The 1-based place where the regular expression first matches, 0 when "
                            "it does not.",
             .examples = {{"REGEXP_INSTR('hello', 'l+')", "3"}}},
            search(int_type(), evaluate_instr));
  add_regex(registry,
            {.name = "REGEXP_SUBSTR",
             .signature = "REGEXP_SUBSTR(string, pattern)",
             .description = "What the regular expression first matches; NULL when it does not.",
             .examples = {{"REGEXP_SUBSTR('hello 42', '[0-9]+')", "42"}}},
            search(text_type(), evaluate_substr));
  RegexFunction extract_all = search(texts_type(), evaluate_extract_all);
  extract_all.signature.takes = "a string, a pattern and a whole number";
  extract_all.signature.parameters.push_back(integer_type());
  extract_all.signature.required = 2;
  add_regex(registry,
            {.name = "REGEXP_EXTRACT_ALL",
             .signature = "REGEXP_EXTRACT_ALL(string, pattern[, group])",
             .description = "What a group (the first one) of the regular expression matches, in "
                            "all its matches, as ARRAY.",
             .examples = {{"REGEXP_EXTRACT_ALL('a1b2', '[a-z]([0-9])')", "[1, 2]"},
                          {"REGEXP_EXTRACT_ALL('a1b2', '[a-z][0-9]', 0)", "[a1, b2]"}}},
            std::move(extract_all));
}

}  // namespace tidegate
