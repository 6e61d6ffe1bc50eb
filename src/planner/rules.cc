// SPDX-License-Identifier: Apache-2.0
#include "planner/rules.h"

#include <algorithm>

#include "base/check.h"
#include "planner/rewrite.h"
#include "planner/split_distinct.h"

namespace tidegate {
namespace {

bool is_disabled(const Rule& rule, const LoweringOptions& options) {
  const auto& disabled = options.disabled_rules;
  return std::find(disabled.begin(), disabled.end(), rule.name) != disabled.end();
}

Status run_together(std::span<const Rule* const> rules, const std::vector<plan::NodePtr>& roots,
                    const LoweringOptions& options) {
  PlanFacts facts(options);
  return rewrite_bottom_up(roots, [&](plan::NodePtr node) -> Result<plan::NodePtr> {
    for (const Rule* rule : rules) {
      TG_ASSIGN_OR_RETURN(node, rule->rewrite_node(node, facts));
    }
    return node;
  });
}

}  // namespace

const std::vector<Rule>& all_rules() {
  static const auto* const rules = new std::vector<Rule>{
      // lives for the process
      {.name = "reuse-subplans", .rewrite = reuse_subplans},
      {.name = "fold-conditions", .rewrite_node = fold_conditions},
      {.name = "merge-projects", .rewrite_node = merge_projects},
      {.name = "push-filters", .rewrite = push_filters},
      {.name = "outer-to-inner", .rewrite_node = outer_to_inner},
      {.name = "push-filters", .rewrite = push_filters},
      {.name = "merge-projects", .rewrite_node = merge_projects},
      {.name = "join-keys", .rewrite_node = make_join_keys},
      {.name = "top-n", .rewrite_node = find_top_n},
      {.name = "interval-join", .rewrite_node = find_interval_join},
      {.name = "lookup-join", .rewrite_node = find_lookup_join},
      {.name = "window-join", .rewrite_node = find_window_join},
      {.name = "window-aggregate", .rewrite_node = find_window_aggregate},
      {.name = "split-distinct", .rewrite_node = split_distinct},
      {.name = "merge-projects", .rewrite_node = merge_projects},
      {.name = "output-mode", .rewrite = apply_output_mode},
      {.name = "batch-event-times", .rewrite = restrict_event_times},
      {.name = "reuse-subplans", .rewrite = reuse_subplans},
      {.name = "prune-columns", .rewrite = prune_columns},
      {.name = "merge-projects", .rewrite_node = merge_projects},
      {.name = "prune-fields", .rewrite = prune_fields},
      {.name = "final-sort", .rewrite = mark_final_sorts},
      {.name = "push-conditions", .rewrite = push_conditions},
      {.name = "update-before", .rewrite = leave_out_update_before},
  };
  return *rules;
}

Status rewrite_plan(const std::vector<plan::NodePtr>& roots, const LoweringOptions& options) {
  std::vector<const Rule*> together;
  const auto run = [&]() -> Status {
    if (together.empty()) return Status::ok();
    const Status status = run_together(together, roots, options);
    together.clear();
    return status;
  };
  for (const Rule& rule : all_rules()) {
    if (is_disabled(rule, options)) continue;
    if (rule.rewrite_node) {
      together.push_back(&rule);
      continue;
    }
    TG_RETURN_IF_ERROR(run());
    TG_RETURN_IF_ERROR(rule.rewrite(roots, options));
  }
  return run();
}

}  // namespace tidegate
