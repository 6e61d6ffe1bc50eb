// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "dataflow/operator.h"
#include "dataflow/source.h"
#include "operators/join.h"

namespace tidegate {

/// Joins each row of its one input, on arrival, with the rows of a bounded table that have its key
/// (FOR SYSTEM_TIME AS OF a processing time, over a source that ends). Each task reads the whole
/// table when its first row arrives and keeps it in memory, outside of state; rows of the input
/// wait until that is done, so they need not be distributed by the key. After a restore the table
/// is read again.
///
/// Output rows have the columns of the input and then of the table, and the kind and event time of
/// the input row; where nothing matches, an outer join has nulls. Null in a key matches nothing.
/// Matches of a row come in the order of the table.
struct LookupJoinOptions {
  JoinInput left = {};               ///< the input; only types and keys count
  JoinInput table = {};              ///< the same, of what `prepare` answers
  JoinKind kind = JoinKind::kInner;  ///< or kLeft
  JoinCondition condition = {};      ///< null: none; over the input's columns, then the table's
  /// Makes a source that ends, for each reading of the table.
  std::function<Result<std::shared_ptr<Source>>()> make_source = {};
  /// What becomes of each batch of the source before it is the table (computed columns, filters);
  /// null: nothing.
  std::function<Result<Batch>(Batch)> prepare = {};
  /// The table is read anew for the first row that comes this long (processing time) after it was
  /// read; 0: never.
  std::int64_t reload_ms = 0;
};

Result<std::unique_ptr<Operator>> make_lookup_join(LookupJoinOptions options);

}  // namespace tidegate
