// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/check.h"
#include "operators/keyed_aggregate.h"
#include "operators/partial_aggregate.h"
#include "operators/window_aggregate.h"
#include "plan/aggregate.h"
#include "planner/lower_nodes.h"

namespace tidegate {
namespace {

std::vector<LogicalType> key_types(const plan::KeyedNode& node) {
  std::vector<LogicalType> types;
  for (int key : node.keys) types.push_back(node.inputs[0].schema()->field(key).type);
  return types;
}

std::vector<BoundAggregate> bound_aggregates(const plan::KeyedNode& node) {
  std::vector<BoundAggregate> aggregates;
  for (const plan::AggregateCall& call : node.calls) {
    aggregates.push_back(
        {.aggregator = call.aggregator, .arguments = call.arguments, .flatten = call.flatten});
  }
  return aggregates;
}

WindowAggregateOptions options_of(const plan::WindowAggregateNode& node) {
  WindowAggregateOptions options;
  options.keys = node.keys;
  options.key_types = key_types(node);
  options.aggregates = bound_aggregates(node);
  options.window = node.window;
  options.grace_ms = node.grace.duration.count();
  options.emit = node.emit;
  options.late_output = node.late_output ? 0 : -1;
  return options;
}

/// Rows without a key all belong to one task.
void spread_by_key(Node& node, Edge edge) {
  if (edge.keys.empty()) node.parallelism = 1;
  node.inputs.push_back(std::move(edge));
}

bool can_merge(const plan::KeyedNode& node) {
  for (const plan::AggregateCall& call : node.calls) {
    if (!call.can_merge) return false;
  }
  return true;
}

/// A node in front of the exchange that aggregates what is there; rows then come from it.
int add_partial(const plan::WindowAggregateNode& window, const WindowAggregateOptions& options,
                Lowering& lowering) {
  PartialAggregateOptions partial;
  partial.keys = options.keys;
  partial.key_types = options.key_types;
  partial.aggregates = options.aggregates;
  partial.window = options.window;
  partial.grace_ms = options.grace_ms;
  partial.time_column = options.time_column;

  std::vector<Field> fields;
  for (const LogicalType& type : partial_output_types(partial)) {
    fields.push_back({fmt::format("p{}", fields.size()), type});
  }
  Node node = lowering.make_node(window);
  node.name += ".partial";
  node.uid += ".partial";
  node.schema = std::make_shared<Schema>(std::move(fields));
  node.side_schemas.clear();
  Edge edge = lowering.edge_from(window.inputs[0], Exchange::kForward);
  const Node& input = lowering.graph().nodes[static_cast<std::size_t>(edge.from)];
  node.parallelism = input.parallelism;
  node.inputs.push_back(std::move(edge));
  node.time_grain = window_time_grain(options.window, options.grace_ms, options.emit);
  node.make_operator = [partial] { return make_partial_aggregate(partial); };
  return lowering.add(std::move(node));
}

Status lower_window_aggregate(const plan::WindowAggregateNode& window, Lowering& lowering) {
  WindowAggregateOptions options = options_of(window);
  Node node = lowering.make_node(window);
  Edge edge = lowering.edge_from(window.inputs[0], Exchange::kHash, window.keys);
  if (allows_partial_aggregate(options) && can_merge(window)) {
    edge.from = add_partial(window, options, lowering);
    edge.side = -1;
    for (std::size_t i = 0; i < edge.keys.size(); ++i) edge.keys[i] = static_cast<int>(i);
    options.merges_partials = true;
  }
  spread_by_key(node, std::move(edge));
  node.time_grain = window_time_grain(options.window, options.grace_ms, options.emit);
  node.make_operator = [options] { return make_window_aggregate(options); };
  lowering.set_output(window, lowering.add(std::move(node)));
  return Status::ok();
}

Status lower_aggregate(const plan::AggregateNode& aggregate, Lowering& lowering) {
  KeyedAggregateOptions options;
  options.keys = aggregate.keys;
  options.key_types = key_types(aggregate);
  options.aggregates = bound_aggregates(aggregate);
  options.changelog = Changelog::kAppend;
  Node node = lowering.make_node(aggregate);
  spread_by_key(node, lowering.edge_from(aggregate.inputs[0], Exchange::kHash, aggregate.keys));
  node.make_operator = [options] { return make_keyed_aggregate(options); };
  lowering.set_output(aggregate, lowering.add(std::move(node)));
  return Status::ok();
}

}  // namespace

void register_aggregate_lowerings(LoweringRegistry& registry) {
  registry.add<plan::WindowAggregateNode>(lower_window_aggregate);
  registry.add<plan::AggregateNode>(lower_aggregate);
}

}  // namespace tidegate
