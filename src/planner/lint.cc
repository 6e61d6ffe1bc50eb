// SPDX-License-Identifier: Apache-2.0
#include "planner/lint.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "plan/aggregate.h"
#include "plan/relational.h"
#include "plan/source.h"
#include "plan/top_n.h"
#include "plan/window_group.h"
#include "planner/state_bound.h"
#include "planner/stream_facts.h"

namespace tidegate {
namespace {

std::string step_text(const plan::Node& node) {
  const std::string details = node.details();
  return details.empty() ? std::string(node.kind()) : fmt::format("{}[{}]", node.kind(), details);
}

std::string place_of(const plan::Node& node) { return node.place ? node.place() : ""; }

void check_state(const plan::Node& node, Lowering& lowering, std::vector<LintWarning>& found) {
  PlanFacts& facts = lowering.facts();
  if (node.inputs.empty() || facts.of(node).bounded) return;
  const StateBound bound = state_bound_of(node, facts, lowering.settings());
  if (bound.kind == StateBound::Kind::kUnbounded) {
    found.push_back({"unbounded-state",
                     fmt::format("{} keeps {} for ever", step_text(node), bound.text),
                     "SET 'table.exec.state.ttl' to how long rows matter, or bound their times: "
                     "windows, interval joins.",
                     place_of(node)});
    return;
  }
  const auto* aggregate = dynamic_cast<const plan::AggregateNode*>(&node);
  const bool tells_all = aggregate != nullptr && !aggregate->keys.empty() &&
                         aggregate->per_epoch == plan::AggregateNode::PerEpoch::kAll;
  const auto* group = dynamic_cast<const plan::WindowGroupNode*>(&node);
  if (tells_all || (group != nullptr && group->keeps_all)) {
    found.push_back({"complete-table",
                     fmt::format("{} keeps every key that there ever was, and tells all of them in "
                                 "every batch",
                                 step_text(node)),
                     "Use --output-mode update where there are many keys."});
    return;
  }
  if (bound.kind != StateBound::Kind::kKeys) return;
  const bool distinct =
      aggregate != nullptr && !aggregate->append &&
      (aggregate->calls.empty() ||
       std::any_of(aggregate->calls.begin(), aggregate->calls.end(),
                   [](const plan::AggregateCall& call) { return call.distinct; }));
  const bool top = dynamic_cast<const plan::RankNode*>(&node) != nullptr ||
                   dynamic_cast<const plan::DeduplicateNode*>(&node) != nullptr;
  if (!distinct && !top) return;
  found.push_back(
      {"state-per-key",
       fmt::format("{} remembers every key that there ever was ({})", step_text(node), bound.text),
       "SET 'table.exec.state.ttl', or ask per window.", place_of(node)});
}

bool waits_for_watermark(const plan::Node& node, Lowering& lowering) {
  return state_bound_of(node, lowering.facts(), lowering.settings()).kind ==
         StateBound::Kind::kTime;
}

/// Rows that come a moment late are left out of windows.
void check_grace(const std::vector<plan::Node*>& order, Lowering& lowering,
                 std::vector<LintWarning>& found) {
  for (const plan::Node* node : order) {
    const auto* source = dynamic_cast<const plan::SourceNode*>(node);
    if (source == nullptr || lowering.facts().of(*source).bounded ||
        source->watermark.kind != WatermarkStrategy::Kind::kBoundedDisorder ||
        source->watermark.delay_ms > 0) {
      continue;
    }
    found.push_back({"no-grace",
                     fmt::format("the watermark of table '{}' waits for nothing: a row that comes "
                                 "out of order is late, and windows leave it out",
                                 source->name),
                     "Subtract from the watermark how late rows may be: WATERMARK FOR ts AS ts - "
                     "INTERVAL '5' SECOND.",
                     place_of(*source)});
  }
}

void check_idle_sources(const std::vector<plan::Node*>& order, Lowering& lowering,
                        std::vector<LintWarning>& found) {
  const bool by_event_time = std::any_of(order.begin(), order.end(), [&](const plan::Node* node) {
    return waits_for_watermark(*node, lowering);
  });
  if (!by_event_time) return;
  check_grace(order, lowering, found);
  if (lowering.settings().idle_timeout_ms > 0) return;
  for (const plan::Node* node : order) {
    const auto* source = dynamic_cast<const plan::SourceNode*>(node);
    if (source == nullptr || lowering.facts().of(*source).bounded ||
        source->watermark.idle_timeout_ms > 0) {
      continue;
    }
    if (source->watermark.kind == WatermarkStrategy::Kind::kNone) {
      found.push_back({"no-watermark",
                       fmt::format("table '{}' has no watermark, so time does not go on behind it",
                                   source->name),
                       "Declare WATERMARK FOR one of its columns.", place_of(*source)});
    } else {
      found.push_back({"idle-partition",
                       fmt::format("one partition of table '{}' without rows holds back the time "
                                   "of all",
                                   source->name),
                       "SET 'table.exec.source.idle-timeout' to how long a partition may be "
                       "silent.",
                       place_of(*source)});
    }
  }
}

void check_sinks(const Graph& graph, const std::vector<plan::NodePtr>& roots,
                 std::vector<LintWarning>& found) {
  for (const Node& node : graph.nodes) {
    if (node.sink == nullptr || node.sink->guarantee() != SinkGuarantee::kAtLeastOnce) continue;
    const auto sink = std::find_if(roots.begin(), roots.end(), [&](const plan::NodePtr& root) {
      return root->name == node.name;
    });
    found.push_back({"at-least-once-sink",
                     fmt::format("rows may reach '{}' twice after a failure", node.name),
                     "Write to a transactional sink, or make the reader drop repetitions.",
                     sink == roots.end() ? "" : place_of(**sink)});
  }
}

}  // namespace

std::vector<LintWarning> lint(const std::vector<plan::NodePtr>& roots, Lowering& lowering) {
  std::vector<LintWarning> found;
  const std::vector<plan::Node*> order = plan::topological_order(roots);
  for (const plan::Node* node : order) {
    if (node->schema != nullptr) check_state(*node, lowering, found);
  }
  check_idle_sources(order, lowering, found);
  check_sinks(lowering.graph(), roots, found);
  return found;
}

std::string to_string(const LintWarning& warning) {
  const std::string place = warning.place.empty() ? "" : warning.place + "\n";
  return fmt::format("warning: {}: {}\n{}  remedy: {}\n", warning.code, warning.message, place,
                     warning.remedy);
}

}  // namespace tidegate
