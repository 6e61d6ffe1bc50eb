// SPDX-License-Identifier: Apache-2.0
#include "planner/rewrite.h"

#include <utility>

#include "base/check.h"

namespace tidegate {
namespace {

/// New nodes stand where the one stood that they were made of.
void give_place(plan::Node& made, const plan::Node& old,
                const std::unordered_map<const plan::Node*, plan::NodePtr>& known) {
  if (made.place || known.contains(&made)) return;
  made.place = old.place;
  for (const plan::Input& input : made.inputs) give_place(*input.node, old, known);
}

}  // namespace

Status rewrite_bottom_up(const std::vector<plan::NodePtr>& roots,
                         const std::function<Result<plan::NodePtr>(plan::NodePtr node)>& rewrite) {
  const std::vector<plan::Node*> order = plan::topological_order(roots);
  std::unordered_map<const plan::Node*, plan::NodePtr> pointers;
  for (const plan::NodePtr& root : roots) pointers[root.get()] = root;
  for (const plan::Node* node : order) {
    for (const plan::Input& input : node->inputs) pointers[input.node.get()] = input.node;
  }
  // Old nodes stay until the end: readers still to come name them.
  std::unordered_map<const plan::Node*, plan::NodePtr> replaced;
  for (plan::Node* node : order) {
    for (plan::Input& input : node->inputs) {
      const auto found = replaced.find(input.node.get());
      if (found != replaced.end() && input.side < 0) input.node = found->second;
    }
    if (node->schema == nullptr) continue;  // a sink
    const plan::NodePtr& old = pointers[node];
    TG_ASSIGN_OR_RETURN(plan::NodePtr rewritten, rewrite(old));
    if (rewritten == old) continue;
    give_place(*rewritten, *old, pointers);
    replaced[node] = std::move(rewritten);
  }
  return Status::ok();
}

std::unordered_map<const plan::Node*, int> count_readers(const std::vector<plan::NodePtr>& roots) {
  std::unordered_map<const plan::Node*, int> readers;
  for (const plan::Node* node : plan::topological_order(roots)) {
    for (const plan::Input& input : node->inputs) ++readers[input.node.get()];
  }
  return readers;
}

std::vector<ExprPtr> all_columns(const Schema& schema) {
  std::vector<ExprPtr> columns;
  for (int i = 0; i < schema.num_fields(); ++i) columns.push_back(col(i));
  return columns;
}

plan::NodePtr project_to(plan::Input input, const std::vector<int>& columns, SchemaPtr schema) {
  std::vector<ExprPtr> exprs;
  for (int column : columns) exprs.push_back(col(column));
  return std::make_shared<plan::ProjectNode>(std::move(input), std::move(exprs), std::move(schema));
}

}  // namespace tidegate
