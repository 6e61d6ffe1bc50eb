// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "base/check.h"
#include "expr/columns_of.h"
#include "plan/time_join.h"
#include "planner/join_condition.h"
#include "planner/plan_settings.h"
#include "planner/rewrite.h"
#include "planner/rules.h"
#include "planner/window_instants.h"

namespace tidegate {
namespace {

/// The window join, and behind it the columns of the join that it stands for.
plan::NodePtr made_join(const plan::JoinNode& join, InstantWindows left, InstantWindows right,
                        const ExprPtr& rest) {
  const int old_left = join.inputs[0].schema()->num_fields();
  const int old_right = join.inputs[1].schema()->num_fields();
  const int new_left = left.input.schema()->num_fields();
  const auto moved = [&](int column) {
    return column < old_left ? column : column + new_left - old_left;
  };
  std::vector<int> places;
  for (int i = 0; i < old_left + old_right; ++i) places.push_back(moved(i));
  const ExprPtr condition = rest == nullptr ? nullptr : remap_columns(rest, places);
  // Its own columns, with those that were added to the sides.
  const plan::JoinNode wide(left.input, right.input, join.type, nullptr);
  const bool same = wide.schema->num_fields() == join.schema->num_fields();
  auto made = std::make_shared<plan::WindowJoinNode>(
      left.input, right.input, join.type, plan::WindowSide{left.start, left.end},
      plan::WindowSide{right.start, right.end}, condition, same ? join.schema : wide.schema);
  if (same) return made;
  places.resize(static_cast<std::size_t>(join.schema->num_fields()));
  return project_to({std::move(made)}, places, join.schema);
}

}  // namespace

Result<plan::NodePtr> find_window_join(const plan::NodePtr& node, PlanFacts& facts) {
  const auto* join = node_as<plan::JoinNode>(node);
  if (join == nullptr || join->null_aware >= 0) return node;
  const StreamFacts& left = facts.of(join->inputs[0]);
  const StreamFacts& right = facts.of(join->inputs[1]);
  if (!left.windows.has_bounds() || !right.windows.has_bounds() || left.retracts ||
      right.retracts) {
    return node;
  }
  std::vector<ExprPtr> conjuncts = conjuncts_of(join->condition);
  bool same_start = false;
  bool same_end = false;
  std::vector<bool> taken(conjuncts.size(), false);
  for (const EquiPair& pair : equi_pairs_of(conjuncts, join->inputs[0].schema()->num_fields())) {
    if (!pair.is_columns()) continue;
    const int l = pair.left->column();
    const int r = pair.right->column();
    const bool starts = l == left.windows.start && r == right.windows.start;
    const bool ends = l == left.windows.end && r == right.windows.end;
    same_start = same_start || starts;
    same_end = same_end || ends;
    if (starts || ends) taken[static_cast<std::size_t>(pair.conjunct)] = true;
  }
  if (!same_start || !same_end) return node;
  if (left.windows.by_processing_time || right.windows.by_processing_time) {
    return error(ErrorCode::kNotSupported, "a window join by processing time is not supported");
  }
  // Spark matches rows as they come; the watermark only lets them go.
  if (is_watermark_per_batch(facts.options().settings) && join->type != plan::JoinType::kAnti) {
    const plan::TimeBounds bounds{left.windows.end, right.windows.end, 0, 0};
    return std::make_shared<plan::IntervalJoinNode>(join->inputs[0], join->inputs[1], join->type,
                                                    bounds, join->condition, join->schema);
  }
  std::vector<ExprPtr> rest;
  for (std::size_t i = 0; i < conjuncts.size(); ++i) {
    if (!taken[i]) rest.push_back(std::move(conjuncts[i]));
  }
  TG_ASSIGN_OR_RETURN(InstantWindows from_left, windows_as_instants(join->inputs[0], facts));
  TG_ASSIGN_OR_RETURN(InstantWindows from_right, windows_as_instants(join->inputs[1], facts));
  return made_join(*join, std::move(from_left), std::move(from_right),
                   conjunction_of(std::move(rest)));
}

}  // namespace tidegate
