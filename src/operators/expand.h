// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"

namespace tidegate {

/// GROUPING SETS, ROLLUP and CUBE: each row once per set, with the key columns that are not in it
/// null. Output columns: those of the input, then the BIGINT grouping id ($e). The copies of a row
/// follow each other in the order of the sets; row kinds and event times stay.
///
/// A key column that an aggregate also reads has to be there a second time, since the copies have
/// nulls in it.
struct ExpandOptions {
  std::vector<int> keys;                ///< columns of the grouping keys
  std::vector<std::vector<bool>> sets;  ///< per set, per key: whether it is in it
  /// Grouping ids, one per set; none: grouping_id() of each set.
  std::vector<std::int64_t> ids = {};
};

Result<std::unique_ptr<Operator>> make_expand(ExpandOptions options);

/// Flink's: bit n (the last key is bit 0) is set when the key is left out.
std::int64_t grouping_id(const std::vector<bool>& set);

/// Time does not matter to it.
inline constexpr TimeGrain kExpandTimeGrain{0, 0};

}  // namespace tidegate
