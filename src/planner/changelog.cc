// SPDX-License-Identifier: Apache-2.0
#include "planner/changelog.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

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
#include "planner/unique_keys.h"

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

/// None where it names no format that is known here.
std::optional<bool> has_changelog_format(const plan::SourceNode& node,
                                         const LoweringOptions& options) {
  const std::string name =
      node.options.get_string_or("format", node.options.get_string_or("value.format", ""));
  if (name.empty() || options.formats == nullptr) return std::nullopt;
  const Result<const Format*> format = options.formats->find(name);
  return format.is_ok() && (*format)->changelog;
}

bool source(const plan::SourceNode& node, const Around& around) {
  if (node.instance != nullptr || around.options.sources.contains(node.name)) {
    return node.changelog;
  }
  if (source_upserts(node, around.options)) return true;
  return has_changelog_format(node, around.options).value_or(node.changelog);
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

/// True when an update of an input's row leaves these columns as they are: they belong to a key
/// that updates keep.
bool are_kept_by_updates(const StreamFacts& input, ColumnSet columns) {
  std::sort(columns.begin(), columns.end());
  return !input.retracts ||
         std::any_of(input.kept_keys.begin(), input.kept_keys.end(), [&](const ColumnSet& key) {
           return std::includes(key.begin(), key.end(), columns.begin(), columns.end());
         });
}

/// The keys of a node as if its inputs had only those that updates keep.
std::vector<ColumnSet> keys_of_kept(const plan::Node& node, InputFacts inputs) {
  std::vector<StreamFacts> kept;
  for (const StreamFacts* input : inputs) kept.emplace_back(*input).keys = input->kept_keys;
  std::vector<const StreamFacts*> pointers;
  for (const StreamFacts& input : kept) pointers.push_back(&input);
  return unique_keys_of(node, pointers);
}

/// An update goes by whole: both of its rows pass or none.
std::vector<ColumnSet> filter_keeps(const plan::FilterNode& node, InputFacts inputs) {
  if (!are_kept_by_updates(*inputs[0], columns_read(node.condition))) return {};
  return inputs[0]->kept_keys;
}

/// An update must match what its row matched before.
std::vector<ColumnSet> join_keeps(const plan::JoinNode& node, InputFacts inputs) {
  const SplitCondition split =
      split_condition(node.condition, *node.inputs[0].schema(), *node.inputs[1].schema());
  const bool matches_the_same = split.rest.empty() &&
                                are_kept_by_updates(*inputs[0], split.left_keys) &&
                                are_kept_by_updates(*inputs[1], split.right_keys);
  return matches_the_same ? keys_of_kept(node, inputs) : std::vector<ColumnSet>();
}

/// An update is of what stands at a place by what stands there next: keys of the rows themselves
/// are others then.
template <typename N>
std::vector<ColumnSet> places_are_kept(const N& node, InputFacts inputs) {
  StreamFacts rows = *inputs[0];
  rows.keys.clear();
  const StreamFacts* const input = &rows;
  return unique_keys_of(node, InputFacts(&input, 1));
}

template <typename N>
std::vector<ColumnSet> keeps_of_input(const N& node, InputFacts inputs) {
  return keys_of_kept(node, inputs);
}

template <typename N>
std::vector<ColumnSet> keeps_all(const N& node, InputFacts inputs) {
  return unique_keys_of(node, inputs);
}

const NodeTable<std::vector<ColumnSet>, InputFacts>& keeping_table() {
  static const auto* const made = [] {
    auto* table = new NodeTable<std::vector<ColumnSet>, InputFacts>;  // lives for the process
    table->on<plan::FilterNode>(filter_keeps);
    table->on<plan::JoinNode>(join_keeps);
    table->on<plan::ProjectNode>(keeps_of_input<plan::ProjectNode>);
    table->on<plan::MergeNode>(keeps_of_input<plan::MergeNode>);
    table->on<plan::FromChangelogNode>(keeps_all<plan::FromChangelogNode>);
    table->on<plan::SourceNode>(keeps_all<plan::SourceNode>);
    table->on<plan::AggregateNode>(keeps_all<plan::AggregateNode>);
    table->on<plan::SetOperationNode>(keeps_all<plan::SetOperationNode>);
    table->on<plan::RankNode>(places_are_kept<plan::RankNode>);
    table->on<plan::DeduplicateNode>(places_are_kept<plan::DeduplicateNode>);
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

bool output_tells_before(const plan::Node& node, InputFacts inputs) {
  if (const auto* aggregate = dynamic_cast<const plan::AggregateNode*>(&node)) {
    return aggregate->tells_before;
  }
  if (const auto* rank = dynamic_cast<const plan::RankNode*>(&node)) return rank->tells_before;
  if (const auto* deduplicate = dynamic_cast<const plan::DeduplicateNode*>(&node)) {
    return deduplicate->tells_before;
  }
  // Of other nodes only those that hand on rows as they come stand behind one that leaves them out.
  return inputs.empty() || std::any_of(inputs.begin(), inputs.end(),
                                       [](const auto* input) { return input->tells_before; });
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
  if (connector.is_ok() && (*connector)->gives_upserts) return true;
  // Changes that may come twice count once, by the key.
  const auto repeats =
      options.settings.get_bool_or("table.exec.source.cdc-events-duplicate", false);
  return repeats.is_ok() && *repeats && !source.schema->primary_key.empty() &&
         has_changelog_format(source, options).value_or(false);
}

std::vector<ColumnSet> kept_keys_of(const plan::Node& node, InputFacts inputs) {
  return keeping_table().has(node) ? keeping_table()(node, inputs) : std::vector<ColumnSet>();
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
