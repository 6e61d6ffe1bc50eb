// SPDX-License-Identifier: Apache-2.0
#include "planner/lowering.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/check.h"
#include "planner/lower_nodes.h"
#include "planner/rules.h"

namespace tidegate {
namespace {

/// Says who the node is when nobody named it: "WindowAggregate[keys=[url], ...]".
std::string default_name(const plan::Node& node) {
  const std::string details = node.details();
  return details.empty() ? std::string(node.kind()) : fmt::format("{}[{}]", node.kind(), details);
}

}  // namespace

Edge Lowering::edge_from(const plan::Input& input, Exchange exchange, std::vector<int> keys) const {
  const auto found = places_.find(input.node.get());
  TG_CHECK(found != places_.end(), "{} is read before it is lowered", input.node->kind());
  Edge edge;
  edge.from = input.side < 0 ? found->second.main : found->second.sides;
  edge.side = input.side;
  edge.exchange = exchange;
  edge.keys = std::move(keys);
  return edge;
}

Node Lowering::make_node(const plan::Node& node) const {
  Node out;
  out.name = node.name.empty() ? default_name(node) : node.name;
  // A name that the program gave is the identity of the state, whatever else changes.
  out.uid = out.name;
  out.parallelism = node.parallelism;
  out.schema = node.schema;
  out.side_schemas = node.side_schemas;
  return out;
}

int Lowering::add(Node node) {
  // Two operators of the same meaning are told apart by their order in the plan.
  const auto taken = [&](const std::string& uid) {
    return std::any_of(graph_.nodes.begin(), graph_.nodes.end(),
                       [&](const Node& other) { return other.uid == uid; });
  };
  if (taken(node.uid)) {
    int n = 2;
    while (taken(fmt::format("{}#{}", node.uid, n))) ++n;
    node.uid = fmt::format("{}#{}", node.uid, n);
    node.name = fmt::format("{}#{}", node.name, n);
  }
  graph_.nodes.push_back(std::move(node));
  return static_cast<int>(graph_.nodes.size()) - 1;
}

void Lowering::set_output(const plan::Node& node, int index, int side_index) {
  places_[&node] = {index, side_index < 0 ? index : side_index};
}

const LowerNode* LoweringRegistry::find(const plan::Node& node) const {
  const auto found = by_type_.find(typeid(node));
  return found == by_type_.end() ? nullptr : &found->second;
}

Result<Graph> lower(const std::vector<plan::NodePtr>& roots, const LoweringOptions& options) {
  if (roots.empty()) {
    return Status(ErrorCode::kInvalidPlan, "the pipeline has no sink, so nothing would be computed",
                  "End a stream with sink(), print() or for_each().");
  }
  for (const Rule& rule : all_rules()) {
    const auto& disabled = options.disabled_rules;
    if (std::find(disabled.begin(), disabled.end(), rule.name) != disabled.end()) continue;
    TG_RETURN_IF_ERROR(rule.rewrite(roots, options));
  }
  LoweringRegistry registry;
  register_lowerings(registry);
  Lowering lowering(options);
  lowering.graph().job_name = options.job_name;
  for (plan::Node* node : plan::topological_order(roots)) {
    const LowerNode* lower_node = registry.find(*node);
    TG_CHECK(lower_node != nullptr, "no lowering for {}", node->kind());
    Status status = (*lower_node)(*node, lowering);
    if (!status.is_ok()) {
      return std::move(status).with_context(
          fmt::format("{} '{}'", node->kind(), node->name.empty() ? "unnamed" : node->name));
    }
  }
  Graph graph = std::move(lowering.graph());
  TG_RETURN_IF_ERROR(graph.validate());
  return graph;
}

}  // namespace tidegate
