// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "planner/rules.h"

namespace tidegate {

/// Distinct aggregates of one column: first its values, by themselves, then the aggregates of them.
/// The values of a key are spread over all tasks, which tell only the new ones; what is left for
/// the task of the key is to count. With 'table.optimizer.distinct-agg.split.enabled'.
Result<plan::NodePtr> split_distinct(const plan::NodePtr& node, PlanFacts& facts);

}  // namespace tidegate
