// SPDX-License-Identifier: Apache-2.0
#include "library/base_position.h"

#include <fmt/format.h>

#include <charconv>
#include <cstddef>
#include <iterator>

namespace tidegate::library {

namespace {

template <typename Number>
bool take(std::string_view& in, Number& number) {
  const char* const end = in.data() + in.size();
  const auto [stopped, failed] = std::from_chars(in.data(), end, number);
  if (failed != std::errc()) return false;
  in.remove_prefix(static_cast<std::size_t>(stopped - in.data()));
  if (in.empty()) return true;
  if (in.front() != ' ') return false;
  in.remove_prefix(1);
  return true;
}

bool take(std::string_view& in, std::size_t length, std::string& text) {
  if (in.size() < length) return false;
  text = in.substr(0, length);
  in.remove_prefix(length);
  return true;
}

}  // namespace

std::string BasePosition::to_string() const {
  std::string text =
      fmt::format("v1 {} {} {} {} {} {} ", epoch, run, offset, begins_after, log_bytes, base_bytes);
  for (const auto& [uid, table] : tables)
    fmt::format_to(std::back_inserter(text), "{} {} {}{}", uid.size(), table.size(), uid, table);
  return text;
}

std::optional<BasePosition> BasePosition::parse(std::string_view text) {
  constexpr std::string_view kVersion = "v1 ";
  BasePosition position;
  if (!text.starts_with(kVersion)) return std::nullopt;
  text.remove_prefix(kVersion.size());
  if (!take(text, position.epoch) || !take(text, position.run) || !take(text, position.offset) ||
      !take(text, position.begins_after) || !take(text, position.log_bytes) ||
      !take(text, position.base_bytes))
    return std::nullopt;
  while (!text.empty()) {
    std::size_t uid_length = 0;
    std::size_t table_length = 0;
    TableName name;
    if (!take(text, uid_length) || !take(text, table_length) ||
        !take(text, uid_length, name.first) || !take(text, table_length, name.second))
      return std::nullopt;
    position.tables.insert(std::move(name));
  }
  if (position.offset < 0) return std::nullopt;
  return position;
}

}  // namespace tidegate::library
