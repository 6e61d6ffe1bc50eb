// SPDX-License-Identifier: Apache-2.0
//
// A sink that knows rows by their key, or forgets them, needs no -U in front of a +U: then what
// makes the changes does not tell it, which halves the rows of an aggregation.
#include "base/check.h"
#include "plan/aggregate.h"
#include "plan/relational.h"
#include "plan/sink.h"
#include "plan/top_n.h"
#include "planner/plan_settings.h"
#include "planner/rewrite.h"
#include "planner/rules.h"
#include "planner/sink_changes.h"

namespace tidegate {
namespace {

using Readers = decltype(count_readers({}));

/// Through nodes that hand on what comes, row by row.
void leave_out(const plan::Input& input, const Readers& readers) {
  if (input.side >= 0 || readers.at(input.node.get()) > 1) return;
  plan::Node* node = input.node.get();
  if (auto* aggregate = dynamic_cast<plan::AggregateNode*>(node)) {
    aggregate->tells_before = false;
  } else if (auto* rank = dynamic_cast<plan::RankNode*>(node)) {
    rank->tells_before = false;
  } else if (auto* deduplicate = dynamic_cast<plan::DeduplicateNode*>(node)) {
    deduplicate->tells_before = false;
  } else if (dynamic_cast<plan::ProjectNode*>(node) != nullptr) {
    leave_out(node->inputs[0], readers);
  }
}

bool needs_no_before(const plan::SinkNode& sink, const Taking& taking, PlanFacts& facts,
                     const PlanSettings& settings) {
  if (!taking.changes) return false;
  const KeyFit fit = key_fit_of(sink, taking, facts.of(sink.inputs[0]), settings);
  return fit == KeyFit::kDropBefore || (fit == KeyFit::kFits && taking.ignores_before);
}

}  // namespace

Status leave_out_update_before(const std::vector<plan::NodePtr>& roots,
                               const LoweringOptions& options) {
  if (options.connectors == nullptr) return Status::ok();
  TG_ASSIGN_OR_RETURN(const PlanSettings settings, PlanSettings::from(options.settings));
  const Readers readers = count_readers(roots);
  PlanFacts facts(options);
  for (const plan::NodePtr& root : roots) {
    const auto* sink = dynamic_cast<const plan::SinkNode*>(root.get());
    if (sink == nullptr) continue;
    const Result<Taking> taking = taking_of(*sink, options);
    if (!taking.is_ok()) continue;  // which lowering says
    if (needs_no_before(*sink, *taking, facts, settings)) leave_out(sink->inputs[0], readers);
  }
  return Status::ok();
}

}  // namespace tidegate
