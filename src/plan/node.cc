// SPDX-License-Identifier: Apache-2.0
#include "plan/node.h"

#include <unordered_set>

#include "base/check.h"

namespace tidegate::plan {

const SchemaPtr& Input::schema() const {
  return side < 0 ? node->schema : node->side_schemas[static_cast<std::size_t>(side)];
}

void Node::mark_columns_read(int, std::vector<bool>& used) const { used.assign(used.size(), true); }

void Node::remap_columns(int, const std::vector<int>&) {
  TG_CHECK(false, "{} reads all columns and cannot be remapped", kind());
}

std::vector<Node*> topological_order(const std::vector<NodePtr>& roots) {
  std::vector<Node*> order;
  std::unordered_set<Node*> seen;
  // An explicit stack: plans can be deeper than the thread's.
  struct Frame {
    Node* node;
    std::size_t next = 0;
  };
  std::vector<Frame> stack;
  for (const NodePtr& root : roots) {
    if (seen.insert(root.get()).second) stack.push_back({root.get()});
    while (!stack.empty()) {
      Frame& frame = stack.back();
      if (frame.next < frame.node->inputs.size()) {
        Node* input = frame.node->inputs[frame.next++].node.get();
        if (seen.insert(input).second) stack.push_back({input});
      } else {
        order.push_back(frame.node);
        stack.pop_back();
      }
    }
  }
  return order;
}

std::string column_names(const Schema& schema, const std::vector<int>& columns) {
  std::string names;
  for (int column : columns) {
    if (!names.empty()) names += ", ";
    names += schema.field(column).name;
  }
  return names;
}

}  // namespace tidegate::plan
