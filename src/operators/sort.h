// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"
#include "operators/sort_order.h"

namespace tidegate {

/// Sorts a bounded input as a whole: rows come out, all +I, when the input has ended. Ties are in
/// the order of arrival. Columns stay as they are. The input may take rows back; a retraction of a
/// row that is not there is left out and counted as rows_not_found. The operator runs in one task.
///
/// With a limit and insert-only input only the first offset + limit rows are kept.
struct SortOptions {
  std::vector<LogicalType> types = {};  ///< of all columns
  std::vector<SortColumn> order = {};   ///< none: in the order of arrival
  std::int64_t offset = 0;
  std::int64_t limit = -1;  ///< rows behind the offset; -1: all
  bool retracts = false;    ///< the input may hold -U and -D
  bool per_epoch = false;   ///< the rows of each epoch are sorted by themselves, and out at its end
};

Result<std::unique_ptr<Operator>> make_sort(SortOptions options);

/// Time does not matter to it.
inline constexpr TimeGrain kSortTimeGrain{0, 0};

}  // namespace tidegate
