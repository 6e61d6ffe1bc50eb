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
#include "planner/connector_request.h"
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

/// How many tasks were asked for to read a source; 0: nobody said.
int tasks_asked_for(const plan::SourceNode& source, const Lowering& lowering) {
  if (source.parallelism > 0) return source.parallelism;
  if (lowering.settings().parallelism > 0) return lowering.settings().parallelism;
  const Result<std::int64_t> asked =
      lowering.options().settings.get_int_or("runtime.asked-parallelism", 0);
  return asked.is_ok() ? static_cast<int>(*asked) : 0;  // else it is what the machine has
}

/// The splits of a table whose connector finds them without asking a service; 0: not known. Asked
/// of another instance: the job's own has not been opened.
std::size_t splits_of(const plan::SourceNode& source, const LoweringOptions& options) {
  if (source.instance != nullptr || options.sources.contains(source.name) ||
      options.connectors == nullptr) {
    return 0;
  }
  const auto make = connector_source_maker(source, options);
  if (!make.is_ok()) return 0;
  const Result<std::shared_ptr<Source>> instance = (*make)();
  if (!instance.is_ok() || !(*instance)->splits_end() || (*instance)->log_topics()) return 0;
  const Result<Discovery> found = (*instance)->discover({});
  return found.is_ok() ? found->splits.size() : 0;
}

/// A split is read in order, by one task.
void check_splits(const std::vector<plan::Node*>& order, const Lowering& lowering,
                  std::vector<LintWarning>& found) {
  for (const plan::Node* node : order) {
    const auto* source = dynamic_cast<const plan::SourceNode*>(node);
    if (source == nullptr) continue;
    const int tasks = tasks_asked_for(*source, lowering);
    if (tasks <= 1) continue;
    const std::size_t splits = splits_of(*source, lowering.options());
    if (splits == 0 || splits >= static_cast<std::size_t>(tasks)) continue;
    found.push_back(
        {"parallelism-above-splits",
         fmt::format("{} tasks are to read table '{}', which has {} split{}: {} of them "
                     "get no rows",
                     tasks, source->name, splits, splits == 1 ? "" : "s",
                     static_cast<std::size_t>(tasks) - splits),
         "Lower the parallelism ('scan.parallelism' for this table alone), or give the "
         "table more files.",
         place_of(*source)});
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
  check_splits(order, lowering, found);
  check_sinks(lowering.graph(), roots, found);
  return found;
}

std::string to_string(const LintWarning& warning) {
  const std::string place = warning.place.empty() ? "" : warning.place + "\n";
  return fmt::format("warning: {}: {}\n{}  remedy: {}\n", warning.code, warning.message, place,
                     warning.remedy);
}

}  // namespace tidegate
