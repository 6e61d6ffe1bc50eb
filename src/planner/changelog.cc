// SPDX-License-Identifier: Apache-2.0
#include "planner/changelog.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "formats/format.h"
#include "plan/aggregate.h"
#include "plan/changelog.h"
#include "plan/join.h"
#include "plan/native.h"
#include "plan/relational.h"
#include "plan/source.h"
#include "plan/time_join.h"
#include "plan/top_n.h"
#include "plan/window.h"
#include "plan/window_group.h"
#include "planner/expr_properties.h"
#include "planner/join_condition.h"
#include "planner/node_table.h"

namespace tidegate {
namespace {

struct Around {
  InputFacts inputs;
  bool bounded;
  const LoweringOptions& options;

  bool any_retracts() const {
    for (const StreamFacts* input : inputs) {
      if (input->retracts) return true;
    }
    return false;
  }
};

bool source(const plan::SourceNode& node, const Around& around) {
  if (node.instance != nullptr || around.options.sources.contains(node.name)) {
    return node.changelog;
  }
  if (source_upserts(node, around.options)) return true;
  const std::string name =
      node.options.get_string_or("format", node.options.get_string_or("value.format", ""));
  if (name.empty() || around.options.formats == nullptr) return node.changelog;
  const Result<const Format*> format = around.options.formats->find(name);
  return format.is_ok() && (*format)->changelog;
}

bool aggregate(const plan::AggregateNode& node, const Around& around) {
  if (node.append) return false;
  // DISTINCT: a row stands as soon as it has come.
  return !node.calls.empty() || around.any_retracts();
}

bool join(const plan::JoinNode& node, const Around& around) {
  const bool grows_only = node.type == plan::JoinType::kInner || node.type == plan::JoinType::kSemi;
  return !grows_only || around.any_retracts();
}

bool set_operation(const plan::SetOperationNode& node, const Around& around) {
  return node.operation == plan::SetOperationNode::Operation::kExcept || around.any_retracts();
}

bool over(const plan::OverNode& node, const Around& around) {
  if (node.order.size() == 1 && !node.order[0].descending) {
    const auto column = static_cast<std::size_t>(node.order[0].column);
    if (around.inputs[0]->times[column] != TimeAttribute::kNone) return false;
  }
  return !over_waits_for_end(node, around.bounded);
}

bool sort(const plan::SortNode& node, const Around& around) {
  if (node.per_epoch) return around.any_retracts();
  if (node.is_final && around.bounded) return false;
  if (!node.keys.empty() && node.limit >= 0) return true;
  return around.any_retracts();
}

bool rank(const plan::RankNode& node, const Around& around) {
  return !node.order.empty() || around.any_retracts();
}

bool deduplicate(const plan::DeduplicateNode& node, const Around&) {
  return node.keep_last || node.time_column >= 0;
}

bool temporal_join(const plan::TemporalJoinNode&, const Around& around) {
  return around.inputs[0]->retracts;
}

template <typename N>
bool never(const N&, const Around&) {
  return false;
}

/// True when an update of an input's row leaves these columns as they are: they belong to a key.
bool are_kept_by_updates(const StreamFacts& input, ColumnSet columns) {
  std::sort(columns.begin(), columns.end());
  return !input.retracts ||
         std::any_of(input.keys.begin(), input.keys.end(), [&](const ColumnSet& key) {
           return std::includes(key.begin(), key.end(), columns.begin(), columns.end());
         });
}

bool filter_keeps_pairs(const plan::FilterNode& node, InputFacts inputs) {
  return inputs[0]->paired && are_kept_by_updates(*inputs[0], columns_read(node.condition));
}

/// An update must match what its row matched before.
bool join_keeps_pairs(const plan::JoinNode& node, InputFacts inputs) {
  const SplitCondition split =
      split_condition(node.condition, *node.inputs[0].schema(), *node.inputs[1].schema());
  return split.rest.empty() && inputs[0]->paired && inputs[1]->paired &&
         are_kept_by_updates(*inputs[0], split.left_keys) &&
         are_kept_by_updates(*inputs[1], split.right_keys);
}

bool inputs_are_paired(const plan::ProjectNode&, InputFacts inputs) { return inputs[0]->paired; }
bool inputs_are_paired(const plan::MergeNode&, InputFacts inputs) {
  return std::all_of(inputs.begin(), inputs.end(), [](const auto* input) { return input->paired; });
}

template <typename N>
bool pairs(const N&, InputFacts) {
  return true;
}

const NodeTable<bool, InputFacts>& pairing_table() {
  static const auto* const made = [] {
    auto* table = new NodeTable<bool, InputFacts>;  // lives for the process
    table->on<plan::FilterNode>(filter_keeps_pairs);
    table->on<plan::JoinNode>(join_keeps_pairs);
    table->on<plan::ProjectNode>(inputs_are_paired);
    table->on<plan::MergeNode>(inputs_are_paired);
    table->on<plan::SourceNode>(pairs<plan::SourceNode>);
    table->on<plan::AggregateNode>(pairs<plan::AggregateNode>);
    table->on<plan::SetOperationNode>(pairs<plan::SetOperationNode>);
    table->on<plan::RankNode>(pairs<plan::RankNode>);
    table->on<plan::DeduplicateNode>(pairs<plan::DeduplicateNode>);
    table->on<plan::SortNode>(pairs<plan::SortNode>);
    return table;
  }();
  return *made;
}

const NodeTable<bool, const Around&>& table() {
  static const auto* const made = [] {
    auto* table = new NodeTable<bool, const Around&>;  // lives for the process
    table->on<plan::SourceNode>(source);
    table->on<plan::AggregateNode>(aggregate);
    table->on<plan::JoinNode>(join);
    table->on<plan::SetOperationNode>(set_operation);
    table->on<plan::OverNode>(over);
    table->on<plan::SortNode>(sort);
    table->on<plan::RankNode>(rank);
    table->on<plan::DeduplicateNode>(deduplicate);
    table->on<plan::TemporalJoinNode>(temporal_join);
    table->on<plan::FromChangelogNode>(
        [](const plan::FromChangelogNode&, const Around&) { return true; });
    table->on<plan::ToChangelogNode>(never<plan::ToChangelogNode>);
    table->on<plan::ValuesNode>(never<plan::ValuesNode>);
    table->on<plan::WindowAggregateNode>(never<plan::WindowAggregateNode>);
    table->on<plan::WindowGroupNode>(never<plan::WindowGroupNode>);
    table->on<plan::WindowJoinNode>(never<plan::WindowJoinNode>);
    table->on<plan::IntervalJoinNode>(never<plan::IntervalJoinNode>);
    table->on<plan::WindowRankNode>(never<plan::WindowRankNode>);
    return table;
  }();
  return *made;
}

}  // namespace

bool output_retracts(const plan::Node& node, InputFacts inputs, bool bounded,
                     const LoweringOptions& options) {
  const Around around{inputs, bounded, options};
  // Others hand on what comes in, row by row.
  return table().has(node) ? table()(node, around) : around.any_retracts();
}

bool over_waits_for_end(const plan::OverNode& over, bool bounded) {
  if (!bounded) return false;
  const auto needs_end = [](const plan::OverCall& call) {
    static constexpr std::string_view kNumbers[] = {"ROW_NUMBER", "RANK", "DENSE_RANK", "LAG"};
    static constexpr std::string_view kAtEnd[] = {"LEAD", "NTILE", "CUME_DIST", "PERCENT_RANK"};
    const std::string& name = call.call.function;
    if (std::find(std::begin(kNumbers), std::end(kNumbers), name) != std::end(kNumbers)) {
      return false;
    }
    return std::find(std::begin(kAtEnd), std::end(kAtEnd), name) != std::end(kAtEnd) ||
           call.frame.preceding >= 0 || call.frame.following != 0;
  };
  return over.at_end || std::any_of(over.calls.begin(), over.calls.end(), needs_end);
}

bool source_upserts(const plan::SourceNode& source, const LoweringOptions& options) {
  if (source.instance != nullptr || options.sources.contains(source.name)) return false;
  if (options.connectors == nullptr) return false;
  const Result<const Connector*> connector = options.connectors->find(source.connector);
  return connector.is_ok() && (*connector)->gives_upserts;
}

bool updates_are_paired(const plan::Node& node, InputFacts inputs) {
  return pairing_table().has(node) && pairing_table()(node, inputs);
}

bool sink_takes_changes(const plan::SinkNode& sink, const LoweringOptions& options) {
  if (sink.instance != nullptr || options.sinks.contains(sink.name)) return true;
  if (options.connectors == nullptr) return true;
  const Result<const Connector*> connector = options.connectors->find(sink.connector);
  if (!connector.is_ok() || (*connector)->takes_changes) return true;
  const std::string name =
      sink.options.get_string_or("format", sink.options.get_string_or("value.format", ""));
  if (!(*connector)->takes_format || name.empty()) return false;
  if (options.formats == nullptr) return true;
  const Result<const Format*> format = options.formats->find(name);
  return !format.is_ok() || (*format)->changelog;
}

std::string changelog_origin(const plan::Input& input, PlanFacts& facts) {
  const plan::Node* node = input.node.get();
  while (!table().has(*node) && !node->inputs.empty()) {
    const plan::Node* next = nullptr;
    for (const plan::Input& each : node->inputs) {
      if (facts.of(each).retracts) next = each.node.get();
    }
    if (next == nullptr) break;
    node = next;
  }
  const std::string details = node->details();
  return details.empty() ? std::string(node->kind()) : fmt::format("{}({})", node->kind(), details);
}

Status check_insert_only_input(const plan::Node& node, const plan::Input& input, PlanFacts& facts) {
  if (!facts.of(input).retracts) return Status::ok();
  return error(
      ErrorCode::kInvalidPlan,
      "{} doesn't support consuming update and delete changes which is produced by node {}",
      node.kind(), changelog_origin(input, facts));
}

}  // namespace tidegate
