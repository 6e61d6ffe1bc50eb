// SPDX-License-Identifier: Apache-2.0
//
// OVERLAY, TRANSLATE, ELT.
#include <algorithm>
#include <utility>

#include "expr/map_values.h"
#include "expr/type_rules.h"
#include "functions/binding.h"
#include "functions/utf8.h"

namespace tidegate {

namespace {

/// `length` characters from the 1-based `start` on become `part`. A start outside of the text
/// changes nothing; a length below 1 cuts off all that is behind the start, as in Flink.
void overlay(std::string_view text, std::string_view part, std::int64_t start, std::int64_t length,
             std::string& out) {
  const std::int64_t size = count_characters(text);
  if (start <= 0 || start > size) {
    out += text;
    return;
  }
  out += first_characters(text, start - 1);
  out += part;
  if (length > 0 && length <= size - start) {
    out += text.substr(byte_of_character(text, start - 1 + length));
  }
}

Result<ArrayPtr> evaluate_overlay(std::span<const Argument> args, std::int64_t num_rows,
                                  EvalContext&) {
  if (args.size() == 4) {
    return map_to_text<std::string_view, std::string_view, std::int64_t, std::int64_t>(
        text_type(), args, num_rows, overlay);
  }
  return map_to_text<std::string_view, std::string_view, std::int64_t>(
      text_type(), args, num_rows,
      [](std::string_view text, std::string_view part, std::int64_t start, std::string& out) {
        overlay(text, part, start, count_characters(part), out);
      });
}

/// What each character of `from` becomes: the one at the same place in `to`, or nothing.
class Translation {
 public:
  Translation(std::string_view from, std::string_view to) {
    while (!from.empty()) {
      const std::string_view character = take(from);
      const std::string_view becomes = to.empty() ? to : take(to);
      const auto same = [&](const auto& pair) { return pair.first == character; };
      if (std::none_of(pairs_.begin(), pairs_.end(), same)) pairs_.emplace_back(character, becomes);
    }
  }

  void apply(std::string_view text, std::string& out) const {
    while (!text.empty()) {
      const std::string_view character = take(text);
      const auto found = std::find_if(pairs_.begin(), pairs_.end(),
                                      [&](const auto& pair) { return pair.first == character; });
      out += found == pairs_.end() ? character : found->second;
    }
  }

 private:
  /// Takes the first character off.
  static std::string_view take(std::string_view& text) {
    const std::string_view character = text.substr(0, character_length(text, 0));
    text.remove_prefix(character.size());
    return character;
  }

  std::vector<std::pair<std::string_view, std::string_view>> pairs_;
};

/// NULL for `from` changes nothing, NULL for `to` is an empty text.
Result<ArrayPtr> evaluate_translate(std::span<const Argument> args, std::int64_t num_rows,
                                    EvalContext&) {
  const std::vector<ArgumentReader<std::string_view>> texts(args.begin(), args.end());
  const auto text_at = [&](std::size_t i, std::int64_t row) {
    return texts[i].is_null(row) ? std::string_view() : texts[i][row];
  };
  TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<std::string_view>::make(num_rows));
  const bool constant = args[1].is_constant && args[2].is_constant;
  const std::optional<Translation> prepared =
      constant ? std::optional<Translation>(std::in_place, text_at(1, 0), text_at(2, 0))
               : std::nullopt;
  for (std::int64_t row = 0; row < num_rows; ++row) {
    if (texts[0].is_null(row)) {
      TG_RETURN_IF_ERROR(writer.set_null(row));
      continue;
    }
    if (prepared) {
      prepared->apply(texts[0][row], writer.text());
    } else {
      Translation(text_at(1, row), text_at(2, row)).apply(texts[0][row], writer.text());
    }
    writer.end_row();
  }
  return writer.finish(text_type());
}

/// NULL only for a text that is.
Result<BoundFunction> bind_translate(std::span<const LogicalType> arguments) {
  static const Bind kBind = bind_fixed({.name = "TRANSLATE",
                                        .takes = "three strings",
                                        .parameters = {text_type(), text_type(), text_type()},
                                        .result = text_type()},
                                       evaluate_translate);
  TG_ASSIGN_OR_RETURN(BoundFunction bound, kBind(arguments));
  bound.result_type = text_type().with_nullable(arguments[0].nullable());
  return bound;
}

/// CASE n WHEN 1 THEN a WHEN 2 THEN b ... END.
Result<ExprPtr> rewrite_elt(std::span<const ExprPtr> arguments) {
  TG_RETURN_IF_ERROR(check_argument_count("ELT", arguments, 2, 100'000));
  std::vector<CaseBranch> branches;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    branches.push_back(
        {call("=", {arguments[0], lit(static_cast<std::int32_t>(i))}), arguments[i]});
  }
  return case_when(branches);
}

}  // namespace

void register_function_text_edit(FunctionRegistry& registry) {
  registry.add(
      {.name = "OVERLAY",
       .category = "string",
       .signature = "OVERLAY(string PLACING part FROM start [FOR length])",
       .description = "The string with `length` characters (as many as the part has) from the "
                      "1-based start on replaced by the part.",
       .examples = {{"OVERLAY('This is an old string' PLACING ' new' FROM 10 FOR 5)",
                     "This is a new string"},
                    {"OVERLAY('abcdef' PLACING 'xy' FROM 2)", "axydef"}},
       .bind = bind_fixed({.name = "OVERLAY",
                           .takes = "two strings and one or two whole numbers",
                           .parameters = {text_type(), text_type(), integer_type(), integer_type()},
                           .required = 3,
                           .result = text_type()},
                          evaluate_overlay)});
  registry.add(
      {.name = "TRANSLATE",
       .category = "string",
       .signature = "TRANSLATE(string, from, to)",
       .description = "The string with each character of `from` replaced by the one at "
                      "the same place in `to`, or left out when `to` is shorter.",
       .examples = {{"TRANSLATE('www.apache.org', 'wapcheorg', ' APCHEcom')", "   .APACHE.com"},
                    {"TRANSLATE('abc', 'ab', 'x')", "xc"}},
       .bind = bind_translate});
  registry.add_alias("TRANSLATE3", "TRANSLATE");
  registry.add({.name = "ELT",
                .category = "string",
                .signature = "ELT(n, a, b, ...)",
                .description = "The n-th of the values behind n; NULL when there is none.",
                .examples = {{"ELT(2, 'a', 'b')", "b"}, {"ELT(3, 'a', 'b')", "NULL"}},
                .rewrite = rewrite_elt});
}

}  // namespace tidegate
