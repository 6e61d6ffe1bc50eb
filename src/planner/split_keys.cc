// SPDX-License-Identifier: Apache-2.0
#include "planner/split_keys.h"

#include <algorithm>
#include <utility>

#include "dataflow/split_key.h"
#include "plan/relational.h"
#include "plan/window.h"

namespace tidegate {

std::optional<SourceColumns> source_columns(const plan::Input& input, std::vector<int> columns) {
  const plan::Input* at = &input;
  while (at->side < 0) {
    const plan::Node& node = *at->node;
    if (const auto* source = dynamic_cast<const plan::SourceNode*>(&node))
      return SourceColumns{source, std::move(columns)};
    if (const auto* project = dynamic_cast<const plan::ProjectNode*>(&node)) {
      for (int& column : columns) {
        if (column < 0) continue;
        const Expr& value = *project->columns[static_cast<std::size_t>(column)];
        column = value.kind() == Expr::Kind::kColumn ? value.column() : -1;
      }
    } else if (dynamic_cast<const plan::WindowFunctionNode*>(&node) != nullptr) {
      const int width = node.inputs[0].schema()->num_fields();  // its own columns stand behind
      for (int& column : columns)
        if (column >= width) column = -1;
    } else if (dynamic_cast<const plan::FilterNode*>(&node) == nullptr) {
      return std::nullopt;
    }
    at = &node.inputs[0];
  }
  return std::nullopt;
}

bool tells_splits_apart(const std::vector<int>& columns, const Source& source) {
  const auto* splits = dynamic_cast<const SplitKey*>(&source);
  if (splits == nullptr) return false;
  const std::vector<int> key = splits->split_key();
  return !key.empty() && std::all_of(key.begin(), key.end(), [&](int column) {
    return std::find(columns.begin(), columns.end(), column) != columns.end();
  });
}

bool keeps_splits(const LoweringOptions& options) { return options.settings.has(kKeepsSplits); }

}  // namespace tidegate
