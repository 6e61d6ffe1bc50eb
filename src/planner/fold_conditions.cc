// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "expr/columns_of.h"
#include "plan/join.h"
#include "planner/expr_properties.h"
#include "planner/rewrite.h"
#include "planner/rules.h"

namespace tidegate {
namespace {

/// Without the conjuncts that are true for sure; null when nothing is left.
ExprPtr folded(const ExprPtr& condition, const FunctionRegistry* functions) {
  std::vector<ExprPtr> kept;
  for (ExprPtr& each : conjuncts_of(condition)) {
    const KnownCondition known = known_condition(each, functions);
    if (!known.is_known || !known.value.value_or(false)) kept.push_back(std::move(each));
  }
  return conjunction_of(std::move(kept));
}

}  // namespace

Result<plan::NodePtr> fold_conditions(const plan::NodePtr& node, PlanFacts& facts) {
  const FunctionRegistry* functions = facts.options().functions;
  if (auto* filter = node_as<plan::FilterNode>(node)) {
    filter->condition = folded(filter->condition, functions);
    if (filter->condition == nullptr && filter->inputs[0].side < 0) return filter->inputs[0].node;
    if (filter->condition == nullptr) filter->condition = lit(true);
  } else if (auto* join = node_as<plan::JoinNode>(node); join != nullptr && join->null_aware < 0) {
    join->condition = folded(join->condition, functions);
  }
  return node;
}

}  // namespace tidegate
