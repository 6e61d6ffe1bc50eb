// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "expr/expr.h"
#include "operators/join.h"
#include "planner/lowering.h"

namespace tidegate {

/// What must hold beside the keys of a join, over the columns of both sides; null when there is
/// nothing.
Result<JoinCondition> compile_join_condition(std::vector<ExprPtr> rest, const Schema& left,
                                             const Schema& right, const Lowering& lowering);

}  // namespace tidegate
