// SPDX-License-Identifier: Apache-2.0
#include "dataflow/graph.h"

#include <algorithm>

#include "base/check.h"

namespace tidegate {
namespace {

Status check_factories(const Node& node) {
  const int factories = (node.source != nullptr ? 1 : 0) + (node.make_operator ? 1 : 0) +
                        (node.sink != nullptr ? 1 : 0);
  if (factories != 1)
    return error(ErrorCode::kInvalidPlan,
                 "node '{}' has {} of source, operator and sink, but a node is exactly one",
                 node.name, factories);
  if (node.source != nullptr && !node.inputs.empty())
    return error(ErrorCode::kInvalidPlan, "source '{}' has an input", node.name);
  if (node.source == nullptr && node.inputs.empty())
    return error(ErrorCode::kInvalidPlan, "nothing feeds '{}'", node.name);
  if (node.sink == nullptr && node.schema == nullptr)
    return error(ErrorCode::kInvalidPlan, "'{}' has no schema for the rows it emits", node.name);
  if (node.source != nullptr && !node.side_schemas.empty())
    return error(ErrorCode::kInvalidPlan, "source '{}' has side outputs", node.name);
  if (node.parallelism < 0)
    return error(ErrorCode::kInvalidPlan, "'{}' has parallelism {}", node.name, node.parallelism);
  return Status::ok();
}

// The columns of the rows that flow along the edge; null when there is no such output.
const Schema* schema_of(const Node& from, const Edge& edge) {
  if (edge.side < 0) return from.schema.get();
  const auto side = static_cast<std::size_t>(edge.side);
  return side < from.side_schemas.size() ? from.side_schemas[side].get() : nullptr;
}

Status check_edge(const Graph& graph, int to, const Edge& edge) {
  const std::string& reader = graph.nodes[static_cast<std::size_t>(to)].name;
  if (edge.from < 0 || edge.from >= to)
    return error(ErrorCode::kInvalidPlan,
                 "'{}' (node {}) reads from node {}, but inputs come before those who read them",
                 reader, to, edge.from);
  const Node& from = graph.nodes[static_cast<std::size_t>(edge.from)];
  if (from.sink != nullptr)
    return error(ErrorCode::kInvalidPlan, "'{}' reads from the sink '{}'", reader, from.name);
  const Schema* schema = schema_of(from, edge);
  if (schema == nullptr)
    return error(ErrorCode::kInvalidPlan, "'{}' reads side output {} of '{}', which has {}", reader,
                 edge.side, from.name, from.side_schemas.size());
  if (edge.input < 0)
    return error(ErrorCode::kInvalidPlan, "an edge leads into input {} of '{}'", edge.input,
                 reader);
  for (int key : edge.keys) {
    if (key < 0 || key >= schema->num_fields())
      return error(ErrorCode::kInvalidPlan, "'{}' is keyed by column {} of '{}', which has {}",
                   reader, key, from.name, schema->num_fields());
  }
  return Status::ok();
}

// Inputs are numbered from 0 without a gap.
Status check_inputs(const Node& node) {
  int highest = -1;
  for (const Edge& edge : node.inputs) highest = std::max(highest, edge.input);
  for (int input = 0; input <= highest; ++input) {
    const bool fed = std::any_of(node.inputs.begin(), node.inputs.end(),
                                 [&](const Edge& edge) { return edge.input == input; });
    if (!fed)
      return error(ErrorCode::kInvalidPlan, "no edge feeds input {} of '{}'", input, node.name);
  }
  return Status::ok();
}

}  // namespace

Status Graph::validate() const {
  if (nodes.empty()) return error(ErrorCode::kInvalidPlan, "the job '{}' is empty", job_name);
  constexpr int kMostKeyGroups = 32'768;
  if (key_groups < 1 || key_groups > kMostKeyGroups)
    return error(ErrorCode::kInvalidPlan, "{} key groups; 1 to {} are possible", key_groups,
                 kMostKeyGroups);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    TG_RETURN_IF_ERROR(check_factories(nodes[i]));
    for (const Edge& edge : nodes[i].inputs)
      TG_RETURN_IF_ERROR(check_edge(*this, static_cast<int>(i), edge));
    TG_RETURN_IF_ERROR(check_inputs(nodes[i]));
  }
  return Status::ok();
}

}  // namespace tidegate
