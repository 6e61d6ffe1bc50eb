// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "base/check.h"
#include "expr/columns_of.h"
#include "plan/time_join.h"
#include "planner/join_condition.h"
#include "planner/rewrite.h"
#include "planner/rules.h"

namespace tidegate {

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
  std::vector<ExprPtr> rest;
  for (std::size_t i = 0; i < conjuncts.size(); ++i) {
    if (!taken[i]) rest.push_back(std::move(conjuncts[i]));
  }
  return std::make_shared<plan::WindowJoinNode>(
      join->inputs[0], join->inputs[1], join->type,
      plan::WindowSide{left.windows.start, left.windows.end},
      plan::WindowSide{right.windows.start, right.windows.end}, conjunction_of(std::move(rest)),
      join->schema);
}

}  // namespace tidegate
