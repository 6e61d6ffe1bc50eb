// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "operators/accumulator_layout.h"
#include "operators/accumulator_update.h"
#include "types/batch.h"

namespace tidegate {

// Partial accumulators as columns between partial_aggregate.h and the operator behind the exchange:
// the row count (BIGINT, negative when more was taken back than added), then per aggregate BIGINT
// columns where its accumulator is words in place, else one BYTES column.

std::vector<LogicalType> partial_column_types(std::span<const BoundAggregate> aggregates);

/// The columns for these values of a counted layout without head.
Status write_partial_columns(const AccumulatorLayout& layout,
                             std::span<const std::byte* const> values,
                             std::vector<ArrayPtr>& columns);

/// Reads such columns, which begin at `first_column`, into one value per row of a layout without
/// head; where it counts no rows, the count is passed over. kStateCorrupt when
/// write_partial_columns() did not make them.
Status read_partial_columns(const AccumulatorLayout& layout, const Batch& batch, int first_column,
                            AccumulatorCopies& values);

}  // namespace tidegate
