// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"
#include "types/logical_type.h"

namespace tidegate {

/// Leaves out the first `offset` rows and then passes on `count` rows, in the order of arrival. The
/// input is insert-only; the operator runs in one task, where all rows come by.
std::unique_ptr<Operator> make_limit(std::int64_t offset, std::int64_t count);

/// The same for an input that takes rows back: a row that goes makes room for the next one, as a
/// changelog (rank.h, in the order of arrival). All rows are kept in state. `types` are those of
/// the columns.
Result<std::unique_ptr<Operator>> make_changelog_limit(std::vector<LogicalType> types,
                                                       std::int64_t offset, std::int64_t count);

/// Time does not matter to it.
inline constexpr TimeGrain kLimitTimeGrain{0, 0};

}  // namespace tidegate
