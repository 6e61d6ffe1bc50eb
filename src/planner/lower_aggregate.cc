// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <functional>
#include <memory>
#include <utility>

#include "base/check.h"
#include "operators/batch_aggregate.h"
#include "operators/keyed_aggregate.h"
#include "operators/partial_aggregate.h"
#include "operators/window_aggregate.h"
#include "plan/aggregate.h"
#include "plan/window_group.h"
#include "planner/bind_aggregates.h"
#include "planner/lower_nodes.h"
#include "planner/lower_rows.h"
#include "planner/stream_facts.h"

namespace tidegate {
namespace {

std::vector<LogicalType> key_types(const plan::KeyedNode& node) {
  return column_types(*node.inputs[0].schema(), node.keys);
}

Result<WindowAggregateOptions> options_of(const plan::WindowAggregateNode& node,
                                          Lowering& lowering) {
  WindowAggregateOptions options;
  options.keys = node.keys;
  options.key_types = key_types(node);
  TG_ASSIGN_OR_RETURN(options.aggregates,
                      bind_aggregates(node.calls, *node.inputs[0].schema(), false, lowering));
  options.window = node.window;
  options.grace_ms = node.grace.duration.count();
  options.emit = node.emit;
  options.late_output = node.late_output ? 0 : -1;
  options.keeps_all = node.keeps_all;
  options.late_alone = lowering.settings().watermark_per_batch;
  return options;
}

/// Rows without a key all belong to one task.
void spread_by_key(Node& node, Edge edge) {
  if (edge.keys.empty()) node.parallelism = 1;
  node.inputs.push_back(std::move(edge));
}

bool can_merge(const plan::KeyedNode& node) {
  for (const plan::AggregateCall& call : node.calls) {
    // Sets of distinct values grow on both sides of the exchange.
    if (!call.can_merge || call.distinct) return false;
  }
  return true;
}

/// A node in front of the exchange that aggregates what is there; rows then come from it.
int add_partial(const plan::KeyedNode& of, const std::vector<LogicalType>& types, TimeGrain grain,
                std::function<Result<std::unique_ptr<Operator>>()> make, Lowering& lowering) {
  std::vector<Field> fields;
  for (const LogicalType& type : types) {
    fields.push_back({fmt::format("p{}", fields.size()), type});
  }
  Node node = lowering.make_node(of);
  node.name += ".partial";
  node.uid += ".partial";
  node.schema = std::make_shared<Schema>(std::move(fields));
  node.side_schemas.clear();
  Edge edge = lowering.edge_from(of.inputs[0], Exchange::kForward);
  const Node& input = lowering.graph().nodes[static_cast<std::size_t>(edge.from)];
  node.parallelism = input.parallelism;
  node.inputs.push_back(std::move(edge));
  node.time_grain = grain;
  node.make_operator = std::move(make);
  return lowering.add(std::move(node));
}

int add_partial_windows(const plan::KeyedNode& window, const WindowAggregateOptions& options,
                        Lowering& lowering) {
  PartialAggregateOptions partial;
  partial.keys = options.keys;
  partial.key_types = options.key_types;
  partial.aggregates = options.aggregates;
  partial.window = options.window;
  partial.grace_ms = options.grace_ms;
  partial.time_column = options.time_column;
  return add_partial(
      window, partial_output_types(partial), window_time_grain(options),
      [partial] { return make_partial_aggregate(partial); }, lowering);
}

/// The keys are the first columns of partial results.
void read_partials(int from, Edge& edge) {
  edge.from = from;
  edge.side = -1;
  for (std::size_t i = 0; i < edge.keys.size(); ++i) edge.keys[i] = static_cast<int>(i);
}

Result<std::string> phases_of(const Lowering& lowering) {
  return lowering.options().settings.get_choice_or("table.optimizer.agg-phase-strategy",
                                                   "AUTO|ONE_PHASE|TWO_PHASE", "AUTO");
}

Status add_window_operator(const plan::KeyedNode& window, WindowAggregateOptions options,
                           Lowering& lowering) {
  Node node = lowering.make_node(window);
  Edge edge = lowering.edge_from(window.inputs[0], Exchange::kHash, window.keys);
  TG_ASSIGN_OR_RETURN(const std::string phases, phases_of(lowering));
  if (phases != "ONE_PHASE" && allows_partial_aggregate(options) && can_merge(window)) {
    read_partials(add_partial_windows(window, options, lowering), edge);
    options.keys = edge.keys;
    options.merges_partials = true;
  }
  spread_by_key(node, std::move(edge));
  node.time_grain = window_time_grain(options);
  // What is taken back may lie in a window that has fired: it must not come before that, either.
  if (options.retracts) node.time_grain.orders_rows = true;
  if (options.processing_time) node.clock_window = options.window;
  node.make_operator = [options] { return make_window_aggregate(options); };
  return lowering.finish(window, std::move(node));
}

Status lower_window_aggregate(const plan::WindowAggregateNode& window, Lowering& lowering) {
  TG_ASSIGN_OR_RETURN(WindowAggregateOptions options, options_of(window, lowering));
  return add_window_operator(window, std::move(options), lowering);
}

Status lower_window_group(const plan::WindowGroupNode& group, Lowering& lowering) {
  const plan::Input& input = group.inputs[0];
  const Schema& schema = *input.schema();
  WindowAggregateOptions options;
  options.keys = group.keys;
  options.key_types = key_types(group);
  options.retracts = lowering.facts().of(input).retracts;
  TG_ASSIGN_OR_RETURN(options.aggregates,
                      bind_aggregates(group.calls, schema, options.retracts, lowering));
  const plan::WindowGroupNode::Windows& windows = group.windows;
  if (windows.window) {
    options.window = *windows.window;
    options.time_column = windows.time_column;
    options.gap_column = windows.gap_column;
    options.processing_time = group.by_processing_time();
  } else {
    options.window_start_column = windows.start_column;
    options.window_end_column = windows.end_column;
  }
  options.window_time = group.time_type.with_nullable(false);
  options.emit = group.emit;
  // A query may be started again in another output mode.
  options.separate = lowering.settings().output_mode != PlanSettings::OutputMode::kChanges;
  options.keeps_all = group.keeps_all;
  options.late_alone = lowering.settings().watermark_per_batch;
  if (group.time_type.kind() == TypeKind::kTimestampLtz) {
    options.time_zone = lowering.settings().time_zone;
  }
  return add_window_operator(group, std::move(options), lowering);
}

/// In two phases where only the last result of a batch or an epoch is told, and rows cross tasks.
Result<bool> aggregates_in_two_phases(const plan::AggregateNode& aggregate,
                                      const KeyedAggregateOptions& options,
                                      const Lowering& lowering) {
  TG_ASSIGN_OR_RETURN(const std::string phases, phases_of(lowering));
  const bool tells_each =
      !options.per_batch && options.per_epoch == KeyedAggregateOptions::PerEpoch::kNothing;
  if (phases == "ONE_PHASE" || tells_each || options.retracts || aggregate.append) return false;
  if (!can_merge(aggregate) || !allows_batch_aggregate(options.aggregates)) return false;
  return phases == "TWO_PHASE" || lowering.options().parallelism > 1;
}

/// Aggregates batches in front of the exchange, and reads what comes from there.
void add_first_phase(const plan::AggregateNode& aggregate, KeyedAggregateOptions& options,
                     Edge& edge, Lowering& lowering) {
  BatchAggregateOptions first{options.keys, options.key_types, options.aggregates};
  read_partials(add_partial(
                    aggregate, batch_aggregate_types(first), kBatchAggregateTimeGrain,
                    [first] { return make_batch_aggregate(first); }, lowering),
                edge);
  options.keys = edge.keys;
  options.merges_partials = true;
}

Status lower_aggregate(const plan::AggregateNode& aggregate, Lowering& lowering) {
  const plan::Input& input = aggregate.inputs[0];
  KeyedAggregateOptions options;
  options.keys = aggregate.keys;
  options.key_types = key_types(aggregate);
  options.retracts = lowering.facts().of(input).retracts;
  TG_ASSIGN_OR_RETURN(options.aggregates, bind_aggregates(aggregate.calls, *input.schema(),
                                                          options.retracts, lowering));
  options.changelog = aggregate.append         ? Changelog::kAppend
                      : aggregate.tells_before ? Changelog::kRetract
                                               : Changelog::kUpsert;
  if (!aggregate.append) {
    options.per_batch = lowering.settings().per_batch;
    options.ttl_ms = aggregate.ttl_ms > 0 ? aggregate.ttl_ms : lowering.settings().state_ttl_ms;
    options.emit_empty_at_end = aggregate.emit_empty && aggregate.keys.empty();
  }
  options.per_epoch = static_cast<KeyedAggregateOptions::PerEpoch>(aggregate.per_epoch);
  Node node = lowering.make_node(aggregate);
  // In Spark a batch without data follows behind any aggregate of updates.
  if (lowering.settings().watermark_per_batch &&
      lowering.settings().output_mode == PlanSettings::OutputMode::kUpdate) {
    node.time_grain = {1, 0};
  }
  Edge edge = lowering.edge_from(input, Exchange::kHash, aggregate.keys);
  TG_ASSIGN_OR_RETURN(const bool in_two_phases,
                      aggregates_in_two_phases(aggregate, options, lowering));
  if (in_two_phases) {
    add_first_phase(aggregate, options, edge, lowering);
  }
  spread_by_key(node, std::move(edge));
  node.make_operator = [options] { return make_keyed_aggregate(options); };
  return lowering.finish(aggregate, std::move(node));
}

}  // namespace

void register_aggregate_lowerings(LoweringRegistry& registry) {
  registry.add<plan::WindowAggregateNode>(lower_window_aggregate);
  registry.add<plan::WindowGroupNode>(lower_window_group);
  registry.add<plan::AggregateNode>(lower_aggregate);
}

}  // namespace tidegate
