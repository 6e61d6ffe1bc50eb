// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "expr/map_values.h"
#include "functions/binding.h"
#include "functions/list_values.h"
#include "functions/regex.h"
#include "functions/utf8.h"

namespace tidegate {

namespace {

/// Splits as Java's String.split() does: the separator is a regular expression, an empty match in
/// front makes no part, and empty parts at the end do not count.
class Splitter {
 public:
  static Result<Splitter> make(std::string_view separator) {
    TG_ASSIGN_OR_RETURN(auto regex, Regex::compile(separator));
    return Splitter(std::move(regex));
  }

  /// At most `most` parts; 0: all of them, less the empty ones at the end.
  Status split(std::string_view text, std::size_t most, std::vector<std::string_view>& parts) {
    parts.clear();
    std::size_t part = 0;
    for (std::size_t from = 0; from <= text.size() && parts.size() + 1 != most;) {
      TG_ASSIGN_OR_RETURN(const bool found, matcher_.find(text, from));
      if (!found) break;
      const std::string_view match = matcher_.group(0);
      const auto begin = static_cast<std::size_t>(match.data() - text.data());
      const std::size_t end = begin + match.size();
      if (end > 0) {
        parts.push_back(text.substr(part, begin - part));
        part = end;
      }
      if (end >= text.size()) break;
      from = match.empty() ? end + character_length(text, end) : end;
    }
    parts.push_back(text.substr(part));
    while (most == 0 && parts.size() > 1 && parts.back().empty()) parts.pop_back();
    return Status::ok();
  }

 private:
  explicit Splitter(std::shared_ptr<const Regex> regex) : matcher_(std::move(regex)) {}
  RegexMatcher matcher_;
};

LogicalType map_type() { return LogicalType::map(LogicalType::string(), LogicalType::string()); }

/// The keys and values of all rows, in the order in which they were found.
struct Entries {
  std::vector<std::string_view> keys;
  std::vector<std::optional<std::string_view>> values;
};

/// Appends the entries of one text; a later value of the same key replaces the earlier one.
Status append_entries(std::string_view text, Splitter& pairs, Splitter& sides,
                      std::vector<std::string_view>& parts, std::vector<std::string_view>& pair,
                      Entries& entries) {
  if (text.empty()) return Status::ok();
  const std::size_t first = entries.keys.size();
  TG_RETURN_IF_ERROR(pairs.split(text, 0, parts));
  for (const std::string_view part : parts) {
    TG_RETURN_IF_ERROR(sides.split(part, 2, pair));
    const std::string_view key = pair.size() < 2 ? part : pair[0];
    const auto value = pair.size() < 2 ? std::nullopt : std::optional<std::string_view>(pair[1]);
    const auto known = std::find(entries.keys.begin() + static_cast<std::ptrdiff_t>(first),
                                 entries.keys.end(), key);
    if (known == entries.keys.end()) {
      entries.keys.push_back(key);
      entries.values.push_back(value);
    } else {
      entries.values[static_cast<std::size_t>(known - entries.keys.begin())] = value;
    }
  }
  return Status::ok();
}

Result<ArrayPtr> to_column(const Entries& entries, bool values) {
  const auto size = static_cast<std::int64_t>(entries.keys.size());
  TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<std::string_view>::make(size));
  for (std::int64_t i = 0; i < size; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (!values) {
      writer.set(i, entries.keys[at]);
    } else if (entries.values[at]) {
      writer.set(i, *entries.values[at]);
    } else {
      TG_RETURN_IF_ERROR(writer.set_null(i));
    }
  }
  return writer.finish(text_type());
}

Result<ArrayPtr> evaluate(std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
  for (const Argument& argument : args)
    if (is_constant_null(argument)) return null_column(map_type().arrow_type(), num_rows);
  const std::vector<ArgumentReader<std::string_view>> texts(args.begin(), args.end());
  std::optional<Splitter> splitters[2];
  std::string separators[2] = {",", "="};
  Entries entries;
  std::vector<std::string_view> parts;
  std::vector<std::string_view> pair;
  ListWriter maps(num_rows);
  for (std::int64_t row = 0; row < num_rows; ++row) {
    const bool any_null = std::any_of(texts.begin(), texts.end(),
                                      [row](const auto& text) { return text.is_null(row); });
    if (any_null) {
      TG_RETURN_IF_ERROR(maps.set_null());
      continue;
    }
    for (std::size_t i = 0; i < 2; ++i) {
      const std::string_view separator = i + 1 < texts.size() ? texts[i + 1][row] : separators[i];
      if (splitters[i] && separator == separators[i]) continue;
      TG_ASSIGN_OR_RETURN(splitters[i], Splitter::make(separator));
      separators[i] = separator;
    }
    const auto first = static_cast<std::int32_t>(entries.keys.size());
    TG_RETURN_IF_ERROR(
        append_entries(texts[0][row], *splitters[0], *splitters[1], parts, pair, entries));
    maps.push(first, static_cast<std::int32_t>(entries.keys.size()));
    maps.end_row();
  }
  TG_ASSIGN_OR_RETURN(const ArrayPtr keys, to_column(entries, /*values=*/false));
  TG_ASSIGN_OR_RETURN(const ArrayPtr values, to_column(entries, /*values=*/true));
  return maps.finish_map(map_type(), keys, values);
}

}  // namespace

void register_function_str_to_map(FunctionRegistry& registry) {
  registry.add({.name = "STR_TO_MAP",
                .category = "string",
                .signature = "STR_TO_MAP(string[, pair separator, key separator])",
                .description = "The pairs of a string as MAP. The separators (a comma and an equal "
                               "sign) are regular expressions; what has no key separator is a key "
                               "without a value.",
                .examples = {{"STR_TO_MAP('k1=v1,k2=v2')", "{k1=v1, k2=v2}"},
                             {"STR_TO_MAP('k1:v1;k2', ';', ':')", "{k1=v1, k2=NULL}"}},
                .bind = bind_fixed({.name = "STR_TO_MAP",
                                    .takes = "a string and two separators",
                                    .parameters = {text_type(), text_type(), text_type()},
                                    .required = 1,
                                    .result = map_type(),
                                    .can_fail = true},
                                   evaluate)});
}

}  // namespace tidegate
