// SPDX-License-Identifier: Apache-2.0
#include "connectors/filesystem/record_position.h"

#include <charconv>
#include <string_view>

#include "base/check.h"

namespace tidegate {

namespace {

Result<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || value < 0)
    return error(ErrorCode::kStateCorrupt, "'{}' is not a number of a position", text);
  return value;
}

}  // namespace

std::string RecordPosition::to_string() const { return fmt::format("{}:{}:{}", offset, row, line); }

Result<RecordPosition> RecordPosition::parse(const std::string& text) {
  const std::string_view view = text;
  const std::size_t first = view.find(':');
  const std::size_t second = view.find(':', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos)
    return error(ErrorCode::kStateCorrupt, "'{}' is not a position in a file", text);
  RecordPosition position;
  TG_ASSIGN_OR_RETURN(position.offset, parse_number(view.substr(0, first)));
  TG_ASSIGN_OR_RETURN(position.row, parse_number(view.substr(first + 1, second - first - 1)));
  TG_ASSIGN_OR_RETURN(position.line, parse_number(view.substr(second + 1)));
  return position;
}

}  // namespace tidegate
