// SPDX-License-Identifier: Apache-2.0
//
// ARRAY_JOIN and SPLIT: arrays of strings to a string and back.
#include <algorithm>
#include <utility>

#include "expr/map_values.h"
#include "expr/type_rules.h"
#include "functions/binding.h"
#include "functions/list_values.h"
#include "functions/utf8.h"

namespace tidegate {

namespace {

using Types = std::span<const LogicalType>;

Result<ArrayPtr> join_arrays(const LogicalType& type, std::span<const Argument> args,
                             std::int64_t num_rows) {
  const ListReader arrays(args[0]);
  const ValueReader<std::string_view> elements(*arrays.elements());
  std::vector<ArgumentReader<std::string_view>> texts(args.begin() + 1, args.end());
  TG_ASSIGN_OR_RETURN(auto out, ValueWriter<std::string_view>::make(num_rows));
  for (std::int64_t row = 0; row < num_rows; ++row) {
    const bool unknown = std::any_of(texts.begin(), texts.end(),
                                     [row](const auto& text) { return text.is_null(row); });
    if (unknown || arrays.is_null(row)) {
      TG_RETURN_IF_ERROR(out.set_null(row));
      continue;
    }
    bool is_first = true;
    for (std::int32_t i = arrays.begin(row); i < arrays.end(row); ++i) {
      if (elements.is_null(i) && texts.size() == 1) continue;
      if (!is_first) out.text() += texts[0][row];
      is_first = false;
      out.text() += elements.is_null(i) ? texts[1][row] : elements[i];
    }
    out.end_row();
  }
  return out.finish(type);
}

Result<BoundFunction> bind_join(Types arguments) {
  bool fits = (arguments.size() == 2 || arguments.size() == 3) &&
              arguments[0].kind() == TypeKind::kArray &&
              arguments[0].children()[0].type.is_character();
  for (std::size_t i = 1; i < arguments.size(); ++i)
    fits = fits && (arguments[i].is_character() || arguments[i].kind() == TypeKind::kNull);
  if (!fits)
    return argument_mismatch("ARRAY_JOIN", "an array of strings and one or two strings", arguments);
  BoundFunction bound;
  bound.result_type = text_type().with_nullable(any_nullable(arguments));
  bound.argument_types = {arguments[0]};
  for (std::size_t i = 1; i < arguments.size(); ++i)
    bound.argument_types.push_back(without_needless_cast(arguments[i], text_type()));
  bound.can_fail = false;
  bound.evaluate = [type = bound.result_type](std::span<const Argument> args, std::int64_t num_rows,
                                              EvalContext&) {
    return join_arrays(type, args, num_rows);
  };
  return bound;
}

/// Nothing has no parts; an empty delimiter splits into characters.
void split(std::string_view text, std::string_view delimiter,
           std::vector<std::string_view>& parts) {
  if (text.empty()) return;
  if (delimiter.empty()) {
    for (std::size_t at = 0; at < text.size(); at += parts.back().size())
      parts.push_back(text.substr(at, character_length(text, at)));
    return;
  }
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = text.find(delimiter, begin)) != std::string_view::npos;
       begin = end + delimiter.size())
    parts.push_back(text.substr(begin, end - begin));
  parts.push_back(text.substr(begin));
}

Result<ArrayPtr> split_texts(const LogicalType& type, std::span<const Argument> args,
                             std::int64_t num_rows) {
  const ArgumentReader<std::string_view> texts(args[0]);
  const ArgumentReader<std::string_view> delimiters(args[1]);
  std::vector<std::string_view> parts;
  ListWriter lists(num_rows);
  for (std::int64_t row = 0; row < num_rows; ++row) {
    if (any_is_null(row, texts, delimiters)) {
      TG_RETURN_IF_ERROR(lists.set_null());
      continue;
    }
    const auto before = static_cast<std::int32_t>(parts.size());
    split(texts[row], delimiters[row], parts);
    lists.push(before, static_cast<std::int32_t>(parts.size()));
    lists.end_row();
  }
  const auto count = static_cast<std::int64_t>(parts.size());
  TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<std::string_view>::make(count));
  for (std::int64_t i = 0; i < count; ++i) writer.set(i, parts[static_cast<std::size_t>(i)]);
  TG_ASSIGN_OR_RETURN(const ArrayPtr column, writer.finish(text_type()));
  return lists.finish(type, column);
}

Result<BoundFunction> bind_split(Types arguments) {
  const bool fits = arguments.size() == 2 &&
                    std::all_of(arguments.begin(), arguments.end(), [](const LogicalType& type) {
                      return type.is_character() || type.kind() == TypeKind::kNull;
                    });
  if (!fits) return argument_mismatch("SPLIT", "two strings", arguments);
  BoundFunction bound;
  bound.result_type = LogicalType::array(text_type(), any_nullable(arguments));
  for (const LogicalType& argument : arguments)
    bound.argument_types.push_back(without_needless_cast(argument, text_type()));
  bound.can_fail = false;
  bound.evaluate = [type = bound.result_type](std::span<const Argument> args, std::int64_t num_rows,
                                              EvalContext&) {
    return split_texts(type, args, num_rows);
  };
  return bound;
}

}  // namespace

void register_function_array_text(FunctionRegistry& registry) {
  registry.add({.name = "ARRAY_JOIN",
                .category = "collection",
                .signature = "ARRAY_JOIN(array, delimiter[, null_replacement])",
                .description = "The strings of the array with the delimiter between them; those "
                               "that are NULL are left out or replaced.",
                .examples = {{"ARRAY_JOIN(ARRAY['a', NULL, 'b'], ', ')", "a, b"},
                             {"ARRAY_JOIN(ARRAY['a', NULL, 'b'], '-', '?')", "a-?-b"}},
                .bind = bind_join});
  registry.add(
      {.name = "SPLIT",
       .category = "collection",
       .signature = "SPLIT(string, delimiter)",
       .description = "The parts of the string between the delimiters as an ARRAY; with "
                      "an empty delimiter, its characters.",
       .examples = {{"SPLIT('a,b,,c', ',')", "[a, b, , c]"}, {"SPLIT('añb', '')", "[a, ñ, b]"}},
       .bind = bind_split});
}

}  // namespace tidegate
