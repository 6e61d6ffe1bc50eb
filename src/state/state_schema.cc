// SPDX-License-Identifier: Apache-2.0
#include "state/state_schema.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"

namespace tidegate {
namespace {

constexpr std::string_view kKeys = "; keys";
constexpr std::string_view kColumns = "; columns";

void append_quoted(std::string_view text, std::string& out) {
  out += " `";
  for (const char c : text) {
    out += c;
    if (c == '`') out += c;
  }
  out += '`';
}

bool take_quoted(std::string_view& in, std::string& text) {
  if (!in.starts_with(" `")) return false;
  in.remove_prefix(2);
  while (!in.empty()) {
    const char c = in.front();
    in.remove_prefix(1);
    if (c != '`') {
      text += c;
    } else if (in.starts_with('`')) {
      text += c;
      in.remove_prefix(1);
    } else {
      return true;
    }
  }
  return false;
}

void append_columns(std::string_view word, const std::vector<StateColumn>& columns,
                    std::string& out) {
  if (columns.empty()) return;
  out += word;
  for (const StateColumn& column : columns) {
    for (const std::string* part : {&column.name, &column.type, &column.origin}) {
      append_quoted(*part, out);
    }
  }
}

bool take_columns(std::string_view word, std::string_view& in, std::vector<StateColumn>& columns) {
  if (!in.starts_with(word)) return true;
  in.remove_prefix(word.size());
  while (in.starts_with(" `")) {
    StateColumn& column = columns.emplace_back();
    for (std::string* part : {&column.name, &column.type, &column.origin}) {
      if (!take_quoted(in, *part)) return false;
    }
  }
  return true;
}

}  // namespace

std::string StateSchema::to_string() const {
  std::string text = layout;
  append_columns(kKeys, keys, text);
  append_columns(kColumns, columns, text);
  return text;
}

Result<StateSchema> StateSchema::parse(std::string_view text) {
  StateSchema schema;
  const std::size_t end = std::min(text.find(';'), text.size());
  schema.layout = text.substr(0, end);
  std::string_view rest = text.substr(end);
  if (take_columns(kKeys, rest, schema.keys) && take_columns(kColumns, rest, schema.columns) &&
      rest.empty()) {
    return schema;
  }
  return error(ErrorCode::kStateVersion, "\"{}\" is no schema of state that this program reads",
               text);
}

std::vector<int> match_columns(const std::vector<StateColumn>& old,
                               const std::vector<StateColumn>& columns) {
  std::map<std::string_view, std::vector<int>> places;
  for (std::size_t i = old.size(); i > 0; --i) {
    places[old[i - 1].name].push_back(static_cast<int>(i) - 1);
  }
  std::vector<int> matches;
  for (const StateColumn& column : columns) {
    const auto found = places.find(column.name);
    const bool is_there = found != places.end() && !found->second.empty();
    matches.push_back(is_there ? found->second.back() : -1);
    if (is_there) found->second.pop_back();
  }
  return matches;
}

std::string dropped_columns(const std::vector<StateColumn>& old,
                            const std::vector<StateColumn>& columns) {
  const std::vector<int> matches = match_columns(old, columns);
  std::string names;
  for (std::size_t i = 0; i < old.size(); ++i) {
    if (std::ranges::find(matches, static_cast<int>(i)) != matches.end()) continue;
    names += fmt::format("{}'{}'", names.empty() ? "" : ", ", old[i].name);
  }
  return names;
}

std::string describe_change(const StateSchema& old, const StateSchema& now) {
  std::vector<std::string> changes;
  if (old.layout != now.layout) {
    changes.push_back(fmt::format("layout \"{}\" is \"{}\"", old.layout, now.layout));
  }
  for (std::size_t i = 0; i < std::min(old.keys.size(), now.keys.size()); ++i) {
    if (old.keys[i].type == now.keys[i].type) continue;
    changes.push_back(
        fmt::format("key {} {} is {}", now.keys[i].name, old.keys[i].type, now.keys[i].type));
  }
  const std::vector<int> matches = match_columns(old.columns, now.columns);
  for (std::size_t i = 0; i < matches.size(); ++i) {
    const StateColumn& column = now.columns[i];
    if (matches[i] < 0) {
      changes.push_back(fmt::format("{} {} is new", column.name, column.type));
    } else if (const StateColumn& was = old.columns[static_cast<std::size_t>(matches[i])];
               was != column) {
      changes.push_back(
          was.type != column.type
              ? fmt::format("{} {} is {}", column.name, was.type, column.type)
              : fmt::format("{} is of {}, was of {}", column.name, column.origin, was.origin));
    }
  }
  if (const std::string gone = dropped_columns(old.columns, now.columns); !gone.empty()) {
    changes.push_back(gone + " dropped");
  }
  return changes.empty() ? "nothing" : fmt::format("{}", fmt::join(changes, ", "));
}

}  // namespace tidegate
