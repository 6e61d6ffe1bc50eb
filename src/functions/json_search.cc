// SPDX-License-Identifier: Apache-2.0
#include "functions/json_search.h"

#include <arrow/array/array_base.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"
#include "expr/column_values.h"

namespace tidegate {

namespace {

Result<PreparedJsonPathPtr> read_path(std::string_view text) {
  auto prepared = std::make_shared<PreparedJsonPath>();
  prepared->text = text;
  Result<JsonPath> path = JsonPath::parse(text);
  if (path.is_ok()) {
    prepared->path = *std::move(path);
  } else if (path.status().code() == ErrorCode::kNotSupported) {
    return std::move(path).status();
  } else {
    prepared->problem = path.status().message();
  }
  return PreparedJsonPathPtr(std::move(prepared));
}

}  // namespace

Result<PreparedJsonPathPtr> prepare_json_path(const LogicalType& type, const ArrayPtr& constant) {
  if (constant == nullptr || !type.is_character() || constant->IsNull(0))
    return PreparedJsonPathPtr();
  return read_path(ValueReader<std::string_view>(*constant)[0]);
}

Result<JsonMatch> JsonSearch::find(std::string_view text, std::string_view path) {
  if (path_ == nullptr || path_->text != path) {
    TG_ASSIGN_OR_RETURN(path_, read_path(path));
  }
  JsonMatch match;
  if (!path_->path) {
    match.failure = path_->problem;
    return match;
  }
  const bool lax = path_->path->is_lax();
  if (!document_.parse(text)) {
    if (!lax) match.failure = document_.problem();
    return match;
  }
  if (document_.kind(JsonDocument::kRoot) == JsonKind::kNull) {
    match.failure = "the whole JSON is null";
    return match;
  }
  match = path_->path->find(document_);
  if (match.kind == JsonMatch::Kind::kNode && document_.kind(match.nodes[0]) == JsonKind::kNull) {
    match = {};
    if (!lax) match.failure = "the path finds null";
  }
  return match;
}

bool JsonSearch::is_scalar(const JsonMatch& match) const {
  return match.kind == JsonMatch::Kind::kNumber ||
         (match.kind == JsonMatch::Kind::kNode && document_.is_scalar(match.nodes[0]));
}

void JsonSearch::append_scalar(const JsonMatch& match, std::string& out) const {
  if (match.kind == JsonMatch::Kind::kNumber) {
    out += match.number;
  } else {
    document_.append_scalar(match.nodes[0], out);
  }
}

void JsonSearch::append_json(const JsonMatch& match, std::string& out) const {
  switch (match.kind) {
    case JsonMatch::Kind::kNothing:
      out += "null";
      return;
    case JsonMatch::Kind::kNode:
      return document_.append_json(match.nodes[0], out);
    case JsonMatch::Kind::kNumber:
      out += match.number;
      return;
    default:
      break;
  }
  if (match.kind == JsonMatch::Kind::kMembers) return append_members(match.nodes, out);
  out += '[';
  if (match.has_members) {
    for (std::size_t i = 0; i < match.member_ends.size(); ++i) {
      const std::size_t begin = i == 0 ? 0 : match.member_ends[i - 1];
      if (i > 0) out += ',';
      append_members(std::span(match.nodes).subspan(begin, match.member_ends[i] - begin), out);
    }
  } else {
    for (std::size_t i = 0; i < match.nodes.size(); ++i) {
      if (i > 0) out += ',';
      document_.append_json(match.nodes[i], out);
    }
  }
  out += ']';
}

void JsonSearch::append_members(std::span<const JsonDocument::Node> nodes, std::string& out) const {
  // By key; one that the path names twice comes once.
  std::map<std::string, JsonDocument::Node> values;
  for (std::size_t i = 0; i < nodes.size(); i += 2) values[document_.text(nodes[i])] = nodes[i + 1];
  std::vector<std::pair<std::string, JsonDocument::Node>> members(values.begin(), values.end());
  std::sort(members.begin(), members.end(),
            [](const auto& a, const auto& b) { return comes_before_in_utf16(a.first, b.first); });
  out += '{';
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i > 0) out += ',';
    append_json_text(members[i].first, out);
    out += ':';
    document_.append_json(members[i].second, out);
  }
  out += '}';
}

Result<std::string> constant_option(std::string_view function, std::string_view what,
                                    const LogicalType& type, const ArrayPtr& constant) {
  if (constant == nullptr || !type.is_character() || constant->IsNull(0))
    return error(ErrorCode::kInvalidArgument, "{}: the {} is not a text that is written down",
                 function, what);
  return std::string(ValueReader<std::string_view>(*constant)[0]);
}

Status json_search_failed(std::string_view function, std::string_view path, std::string_view why) {
  return error(ErrorCode::kMalformedRecord, "{}: path '{}': {}", function, path, why);
}

}  // namespace tidegate
