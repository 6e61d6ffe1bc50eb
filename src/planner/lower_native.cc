// SPDX-License-Identifier: Apache-2.0
#include "operators/map_batch.h"
#include "plan/native.h"
#include "planner/lower_nodes.h"

namespace tidegate {
namespace {

/// Rows stay in their task where parallelism is the same; with keys they do because it has all rows
/// of their keys.
Exchange exchange_between(const Node& from, const Node& to, const std::vector<int>& keys) {
  if (from.parallelism == to.parallelism) return Exchange::kForward;
  return keys.empty() ? Exchange::kRebalance : Exchange::kHash;
}

Status lower_native(const plan::NativeNode& native, Lowering& lowering) {
  Node node = lowering.make_node(native);
  for (std::size_t i = 0; i < native.inputs.size(); ++i) {
    Edge edge = lowering.edge_from(native.inputs[i], native.exchanges[i], native.keys[i]);
    edge.input = static_cast<int>(i);
    const Node& input = lowering.graph().nodes[static_cast<std::size_t>(edge.from)];
    if (edge.exchange == Exchange::kForward) {
      if (node.parallelism == 0 && native.inputs.size() == 1) node.parallelism = input.parallelism;
      edge.exchange = exchange_between(input, node, edge.keys);
    }
    node.inputs.push_back(std::move(edge));
  }
  node.time_grain = native.time_grain;
  node.make_operator = native.make_operator;
  lowering.set_output(native, lowering.add(std::move(node)));
  return Status::ok();
}

/// Several edges into the same input are a merge; the operator passes rows through.
Status lower_merge(const plan::MergeNode& merge, Lowering& lowering) {
  Node node = lowering.make_node(merge);
  node.time_grain = kMapBatchTimeGrain;
  for (const plan::Input& from : merge.inputs) lowering.feed_in_order(node, from);
  node.make_operator = []() -> Result<std::unique_ptr<Operator>> {
    return make_map_batch([](const Batch& batch) -> Result<Batch> { return batch; });
  };
  lowering.set_output(merge, lowering.add(std::move(node)));
  return Status::ok();
}

}  // namespace

void register_native_lowerings(LoweringRegistry& registry) {
  registry.add<plan::NativeNode>(lower_native);
  registry.add<plan::MergeNode>(lower_merge);
}

}  // namespace tidegate
