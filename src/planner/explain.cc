// SPDX-License-Identifier: Apache-2.0
#include "planner/explain.h"

#include <fmt/format.h>

namespace tidegate {
namespace {

std::string_view exchange_text(Exchange exchange) {
  switch (exchange) {
    case Exchange::kForward:
      return "forward";
    case Exchange::kHash:
      return "hash";
    case Exchange::kRebalance:
      return "rebalance";
    case Exchange::kBroadcast:
      return "broadcast";
  }
  return "";
}

std::string_view guarantee_text(SinkGuarantee guarantee) {
  switch (guarantee) {
    case SinkGuarantee::kAtLeastOnce:
      return "at-least-once";
    case SinkGuarantee::kIdempotent:
      return "idempotent";
    case SinkGuarantee::kTransactional:
      return "transactional";
  }
  return "";
}

std::string input_text(const Edge& edge) {
  std::string text = fmt::format("{} of {}", exchange_text(edge.exchange), edge.from);
  if (edge.side >= 0) text += fmt::format(" side {}", edge.side);
  if (!edge.keys.empty()) text += fmt::format(" by [{}]", fmt::join(edge.keys, ", "));
  return text;
}

}  // namespace

std::string explain_graph(const Graph& graph) {
  std::string text;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    text += fmt::format("{:>3}  {}\n", i, node.name);
    std::string inputs;
    for (const Edge& edge : node.inputs) {
      inputs += (inputs.empty() ? "" : "; ") + input_text(edge);
    }
    if (!inputs.empty()) text += fmt::format("       input:       {}\n", inputs);
    text += fmt::format("       parallelism: {}\n",
                        node.parallelism == 0 ? "default" : std::to_string(node.parallelism));
    if (node.schema != nullptr)
      text += fmt::format("       output:      {}\n", node.schema->to_string());
    if (node.source != nullptr) {
      text += fmt::format("       input ends:  {}\n", node.source->is_bounded() ? "yes" : "no");
    }
    if (node.sink != nullptr) {
      text += fmt::format("       guarantee:   {}\n", guarantee_text(node.sink->guarantee()));
    }
  }
  return text;
}

}  // namespace tidegate
