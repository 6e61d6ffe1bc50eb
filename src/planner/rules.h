// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "plan/node.h"
#include "planner/lowering.h"
#include "planner/stream_facts.h"
#include "tidegate/status.h"

namespace tidegate {

/// Rewrites a plan without changing what it answers. One of the two functions is set.
struct Rule {
  std::string name;
  /// Rewrites the whole plan in place.
  std::function<Status(const std::vector<plan::NodePtr>& roots, const LoweringOptions& options)>
      rewrite = {};
  /// Answers the node that takes the place of this one (or itself). Its inputs have been rewritten.
  /// Rules of this form that follow each other are applied together, node by node from the sources
  /// up, so that one can build on what another one has found below.
  std::function<Result<plan::NodePtr>(const plan::NodePtr& node, PlanFacts& facts)> rewrite_node =
      {};
};

/// All rules in the order in which they run.
const std::vector<Rule>& all_rules();

/// Runs all rules but those that the options disable.
Status rewrite_plan(const std::vector<plan::NodePtr>& roots, const LoweringOptions& options);

/// Equal parts of the plan become one: a table that is named twice is read once.
Status reuse_subplans(const std::vector<plan::NodePtr>& roots, const LoweringOptions& options);
/// Conditions that are always true go, and conjuncts that are.
Result<plan::NodePtr> fold_conditions(const plan::NodePtr& node, PlanFacts& facts);
/// Two projections (or filters) in a row become one; those that change nothing go.
Result<plan::NodePtr> merge_projects(const plan::NodePtr& node, PlanFacts& facts);
/// Filters move towards the sources, and into the conditions of joins.
Status push_filters(const std::vector<plan::NodePtr>& roots, const LoweringOptions& options);
/// Outer joins whose padded rows a filter above throws away become inner ones.
Result<plan::NodePtr> outer_to_inner(const plan::NodePtr& node, PlanFacts& facts);
/// Equalities in join conditions become equalities of columns of one type. Not optional: joins
/// without keys are too slow to call it an answer.
Result<plan::NodePtr> make_join_keys(const plan::NodePtr& node, PlanFacts& facts);
/// ROW_NUMBER with a condition on it: Top-N, deduplication.
Result<plan::NodePtr> find_top_n(const plan::NodePtr& node, PlanFacts& facts);
/// Joins that bound the distance of two times.
Result<plan::NodePtr> find_interval_join(const plan::NodePtr& node, PlanFacts& facts);
/// Temporal joins by processing time with tables that end.
Result<plan::NodePtr> find_lookup_join(const plan::NodePtr& node, PlanFacts& facts);
/// Joins of the same windows.
Result<plan::NodePtr> find_window_join(const plan::NodePtr& node, PlanFacts& facts);
/// Aggregates by window_start and window_end.
Result<plan::NodePtr> find_window_aggregate(const plan::NodePtr& node, PlanFacts& facts);
/// Makes of the plan what tells its results by the output mode, and says what cannot be told so.
/// Not optional.
Status apply_output_mode(const std::vector<plan::NodePtr>& roots, const LoweringOptions& options);
/// Lets rows that filters throw away not move a watermark that follows batches.
Status restrict_event_times(const std::vector<plan::NodePtr>& roots,
                            const LoweringOptions& options);
/// Marks sorts whose order is that of the result.
Status mark_final_sorts(const std::vector<plan::NodePtr>& roots, const LoweringOptions& options);
/// Sources learn which rows nobody needs.
Status push_conditions(const std::vector<plan::NodePtr>& roots, const LoweringOptions& options);
/// Changes are told without the row before an update where no sink needs it.
Status leave_out_update_before(const std::vector<plan::NodePtr>& roots,
                               const LoweringOptions& options);
/// Columns that nobody reads are dropped, down to the sources.
Status prune_columns(const std::vector<plan::NodePtr>& roots, const LoweringOptions& options);
/// The same for fields of ROW columns of sources.
Status prune_fields(const std::vector<plan::NodePtr>& roots, const LoweringOptions& options);

}  // namespace tidegate
