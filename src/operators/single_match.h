// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "operators/join.h"
#include "tidegate/status.h"
#include "types/batch.h"

namespace tidegate {

/// What a condition leaves of joined rows, each of a left row and at most one right one: `matched`
/// says which have a right row. Where it does not hold, the right columns (behind `left_columns`)
/// turn to nulls, or (not `outer`) the row goes.
Result<Batch> where_matched(Batch joined, const std::vector<bool>& matched, int left_columns,
                            bool outer, const JoinCondition& condition);

}  // namespace tidegate
