// SPDX-License-Identifier: Apache-2.0
#include "planner/state_bound.h"

#include <fmt/format.h>

#include <algorithm>

#include "plan/aggregate.h"
#include "plan/join.h"
#include "plan/relational.h"
#include "plan/time_join.h"
#include "plan/top_n.h"
#include "plan/window.h"
#include "plan/window_group.h"
#include "planner/node_table.h"
#include "planner/unique_keys.h"

namespace tidegate {
namespace {

using Kind = StateBound::Kind;

struct Around {
  PlanFacts& facts;
  const PlanSettings& settings;
};

StateBound ttl_or(std::int64_t ttl_ms, Kind kind, std::string text) {
  if (ttl_ms > 0) {
    return {Kind::kTtl, fmt::format("{}, forgotten {} ms after the last use", text, ttl_ms)};
  }
  return {kind, std::move(text)};
}

StateBound aggregate(const plan::AggregateNode& node, const Around& around) {
  if (node.keys.empty()) return {Kind::kConstant, "one row"};
  const std::int64_t ttl = node.ttl_ms > 0 ? node.ttl_ms : around.settings.state_ttl_ms;
  const bool grows = std::any_of(node.calls.begin(), node.calls.end(),
                                 [](const auto& call) { return call.distinct; });
  return ttl_or(node.append ? 0 : ttl, Kind::kKeys,
                grows ? "one row and its distinct values per key" : "one row per key");
}

/// What a join keeps of an input: where its key is known, a row takes the place of the one before.
std::string rows_of(const char* side, const plan::Input& input, const Around& around) {
  const StreamFacts& facts = around.facts.of(input);
  const ColumnSet key = smallest_key(facts.keys);
  if (!facts.retracts || key.empty()) return fmt::format("all rows of the {}", side);
  return fmt::format("rows of the {} by {}", side, plan::column_names(*input.schema(), key));
}

StateBound join(const plan::JoinNode& node, const Around& around) {
  const std::int64_t ttl = around.settings.state_ttl_ms;
  const std::int64_t left = node.left_ttl_ms > 0 ? node.left_ttl_ms : ttl;
  const std::int64_t right = node.right_ttl_ms > 0 ? node.right_ttl_ms : ttl;
  std::string text = "all rows of both inputs";
  if (around.facts.of(node.inputs[0]).retracts || around.facts.of(node.inputs[1]).retracts) {
    text =
        rows_of("left", node.inputs[0], around) + ", " + rows_of("right", node.inputs[1], around);
  }
  return ttl_or(std::min(left, right), Kind::kUnbounded, std::move(text));
}

StateBound temporal_join(const plan::TemporalJoinNode&, const Around&) {
  return {Kind::kKeys, "the versions of each key of the right"};
}

StateBound rank(const plan::RankNode& node, const Around& around) {
  const bool retracts = around.facts.of(node.inputs[0]).retracts;
  if (retracts) {
    return ttl_or(around.settings.state_ttl_ms, Kind::kUnbounded, "all rows of the input");
  }
  const std::string text = fmt::format("{} rows per key", node.range.end);
  if (node.keys.empty()) return {Kind::kConstant, fmt::format("{} rows", node.range.end)};
  return ttl_or(around.settings.state_ttl_ms, Kind::kKeys, text);
}

StateBound deduplicate(const plan::DeduplicateNode&, const Around& around) {
  return ttl_or(around.settings.state_ttl_ms, Kind::kKeys, "one row per key");
}

StateBound over(const plan::OverNode& node, const Around& around) {
  if (around.facts.of(node).retracts) {
    return ttl_or(around.settings.state_ttl_ms, Kind::kUnbounded, "all rows of the input");
  }
  if (around.facts.of(node.inputs[0]).bounded) {
    return {Kind::kInput, "all rows of the input, which ends"};
  }
  return ttl_or(around.settings.state_ttl_ms, Kind::kKeys, "the frame of each key");
}

StateBound sort(const plan::SortNode& node, const Around& around) {
  const StreamFacts& input = around.facts.of(node.inputs[0]);
  if (node.keys.empty() && !input.retracts) return {Kind::kConstant, "a count"};
  if (node.limit >= 0 && !input.retracts) {
    return {Kind::kConstant, fmt::format("{} rows", node.offset + node.limit)};
  }
  if (input.bounded) return {Kind::kInput, "all rows of the input, which ends"};
  if (input.retracts) return {Kind::kUnbounded, "all rows of the input"};
  return {Kind::kTime, "rows ahead of the watermark"};
}

StateBound set_operation(const plan::SetOperationNode&, const Around& around) {
  return ttl_or(around.settings.state_ttl_ms, Kind::kUnbounded, "every distinct row");
}

StateBound window_function(const plan::WindowFunctionNode& node, const Around&) {
  if (node.window.kind != Window::Kind::kSession) return {};
  return {Kind::kTime, "open sessions"};
}

template <typename N>
StateBound windows(const N&, const Around&) {
  return {Kind::kTime, "open windows"};
}

StateBound interval_join(const plan::IntervalJoinNode& node, const Around&) {
  return {Kind::kTime, fmt::format("rows of the last {} ms",
                                   std::max(-node.bounds.lower_ms, node.bounds.upper_ms))};
}

const NodeTable<StateBound, const Around&>& table() {
  static const auto* const made = [] {
    auto* table = new NodeTable<StateBound, const Around&>;  // lives for the process
    table->on<plan::AggregateNode>(aggregate);
    table->on<plan::JoinNode>(join);
    table->on<plan::TemporalJoinNode>(temporal_join);
    table->on<plan::RankNode>(rank);
    table->on<plan::DeduplicateNode>(deduplicate);
    table->on<plan::OverNode>(over);
    table->on<plan::SortNode>(sort);
    table->on<plan::SetOperationNode>(set_operation);
    table->on<plan::WindowFunctionNode>(window_function);
    table->on<plan::WindowGroupNode>(windows<plan::WindowGroupNode>);
    table->on<plan::WindowAggregateNode>(windows<plan::WindowAggregateNode>);
    table->on<plan::WindowJoinNode>(windows<plan::WindowJoinNode>);
    table->on<plan::WindowRankNode>(windows<plan::WindowRankNode>);
    table->on<plan::IntervalJoinNode>(interval_join);
    return table;
  }();
  return *made;
}

}  // namespace

StateBound state_bound_of(const plan::Node& node, PlanFacts& facts, const PlanSettings& settings) {
  const Around around{facts, settings};
  return table().has(node) ? table()(node, around) : StateBound{};
}

}  // namespace tidegate
