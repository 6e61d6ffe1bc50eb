// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "operators/join.h"
#include "tidegate/status.h"
#include "types/logical_type.h"

namespace tidegate {

/// A column of the left and one of the right that SQL's NOT IN compares: a null on either side
/// leaves open whether the rows match, and a left row qualifies only if no row can match. They are
/// no key columns, since rows with unlike values matter to each other.
struct NullAwarePair {
  int left = -1;
  int right = -1;
};

/// Holds for pairs of rows that match or may match: `rest` (null: always true) is true, and no pair
/// of columns holds two unlike values. With this condition an anti join is what NOT IN asks for:
/// a right row with null keeps every left row out, and null itself qualifies only where there is
/// no right row at all.
JoinCondition null_aware_condition(const std::vector<LogicalType>& left,
                                   const std::vector<LogicalType>& right,
                                   std::vector<NullAwarePair> pairs, JoinCondition rest);

/// kInvalidArgument unless the pairs fit an anti join of these inputs.
Status check_null_aware(const JoinInput& left, const JoinInput& right, JoinKind kind,
                        const std::vector<NullAwarePair>& pairs);

}  // namespace tidegate
