// SPDX-License-Identifier: Apache-2.0
#include "planner/explain_plan.h"

#include <fmt/format.h>

namespace tidegate {
namespace {

void append_node(const plan::Node& node, int side, std::size_t depth, std::string& text) {
  const std::string details = node.details();
  text.append(depth * 2, ' ');
  text += node.kind();
  if (!details.empty()) text += fmt::format("[{}]", details);
  if (side >= 0) text += fmt::format(" side {}", side);
  text += '\n';
  for (const plan::Input& input : node.inputs) {
    append_node(*input.node, input.side, depth + 1, text);
  }
}

}  // namespace

std::string explain_plan(const std::vector<plan::NodePtr>& roots) {
  std::string text;
  for (const plan::NodePtr& root : roots) append_node(*root, -1, 0, text);
  return text;
}

}  // namespace tidegate
