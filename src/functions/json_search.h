// SPDX-License-Identifier: Apache-2.0
//
// What JSON_EXISTS, JSON_VALUE and JSON_QUERY share: texts, paths into them, and what these find.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "expr/function_registry.h"
#include "functions/json_document.h"
#include "functions/json_path.h"
#include "types/column.h"

namespace tidegate {

/// A path that is written down, read once for all batches.
struct PreparedJsonPath {
  std::string text;
  std::optional<JsonPath> path;  ///< none: it is not a path
  std::string problem;           ///< why
};
using PreparedJsonPathPtr = std::shared_ptr<const PreparedJsonPath>;

/// Of a constant; null for one that differs from row to row, kNotSupported for a path that JsonPath
/// knows and this does not.
Result<PreparedJsonPathPtr> prepare_json_path(const LogicalType& type, const ArrayPtr& constant);

/// Searches one text after the other. One per batch.
class JsonSearch {
 public:
  explicit JsonSearch(PreparedJsonPathPtr prepared) : path_(std::move(prepared)) {}

  /// What the path finds. In strict mode, and in both when it is not a path at all, match.failure
  /// says why it finds nothing. Refers to `text` and is valid until the next call.
  Result<JsonMatch> find(std::string_view text, std::string_view path);

  const JsonDocument& document() const { return document_; }
  /// Of the path that was searched for last.
  bool is_lax() const { return path_ != nullptr && path_->path && path_->path->is_lax(); }
  /// The match as JSON; and as text when it is a scalar.
  void append_json(const JsonMatch& match, std::string& out) const;
  /// Keys and values, in turn, as an object.
  void append_members(std::span<const JsonDocument::Node> nodes, std::string& out) const;
  bool is_scalar(const JsonMatch& match) const;
  void append_scalar(const JsonMatch& match, std::string& out) const;

 private:
  PreparedJsonPathPtr path_;
  JsonDocument document_;
};

/// The text of a constant argument, such as 'NULL' in NULL ON EMPTY, or kInvalidArgument.
Result<std::string> constant_option(std::string_view function, std::string_view what,
                                    const LogicalType& type, const ArrayPtr& constant);

/// kMalformedRecord: "JSON_VALUE: the path $.a finds nothing".
Status json_search_failed(std::string_view function, std::string_view path, std::string_view why);

}  // namespace tidegate
