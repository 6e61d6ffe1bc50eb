// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"
#include "types/logical_type.h"

namespace tidegate {

/// In front of a sink with a primary key whose input is a changelog by another key: changes of one
/// primary key may arrive in the wrong order (+U of its new owner before -U of its old one). Keeps
/// the rows that are there per primary key, in the order of their coming, and shows the last one:
///
///   +I, +U  becomes +I when the primary key had no row, else +U
///   -U, -D  of the last row: +U of the one before it, or -D when it was the only one; of another
///           row: nothing. Of a row that is not there: nothing (counter rows_not_found)
///
/// Output columns are those of the input. Partitioned by the primary key (the exchange in front).
struct UpsertMaterializeOptions {
  std::vector<LogicalType> types;  ///< of all columns
  std::vector<int> primary_key;    ///< of the sink
  /// The columns by which the input tells its rows apart: an added row takes the place of the one
  /// with the same values, and a row is taken back by them. None: rows are equal as a whole.
  std::vector<int> input_key = {};
  /// A primary key that has had no change for this long (processing time) is forgotten; 0: never.
  std::int64_t ttl_ms = 0;
};

Result<std::unique_ptr<Operator>> make_upsert_materialize(UpsertMaterializeOptions options);

/// Time does not matter to it.
inline constexpr TimeGrain kUpsertMaterializeTimeGrain{0, 0};

}  // namespace tidegate
