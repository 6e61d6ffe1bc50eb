// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataflow/operator.h"
#include "operators/bound_aggregate.h"

namespace tidegate {

/// Aggregates per key without a window, as Flink's group aggregation. Output columns: keys,
/// results.
///
/// Each row that comes in changes the result of its key and gives the change; nothing when the
/// result stays the same (but in an append changelog, where every row gives one). When all rows of
/// a key have been taken back its state goes and -D comes out (nothing in an append changelog). A
/// retraction for a key that is not there is left out and counted as rows_not_found.
///
/// Output rows carry the event time of the input row, where one is attached.
struct KeyedAggregateOptions {
  std::vector<int> keys;
  std::vector<LogicalType> key_types;
  std::vector<BoundAggregate> aggregates;
  Changelog changelog = Changelog::kRetract;
  /// Input may hold -U and -D; every aggregator must be able to retract then.
  bool retracts = false;
  /// Only the last change of a key in a batch comes out (Flink's mini-batch): fewer rows, which
  /// depend on how rows were cut into batches; the folded result does not.
  bool per_batch = false;
  /// The input is what batch_aggregate.h makes for the same keys and aggregates. Only per batch or
  /// per epoch, and without retractions.
  bool merges_partials = false;
  /// A key's state goes when it has had no row for this long in processing time; 0: never.
  std::int64_t ttl_ms = 0;
  /// Results with the key columns in front.
  bool emit_keys = true;
  /// Without keys: when no row has come by the end of a bounded input, the result of no rows comes
  /// out (COUNT 0, SUM null), as in a batch query. By one task, so its node has parallelism 1.
  bool emit_empty_at_end = false;
  /// In place of each change, as it happens: the results that an epoch has changed, or all of them,
  /// as inserts at its end. Without keys all means one row, also when no row has come yet.
  enum class PerEpoch : std::uint8_t { kNothing, kChanged, kAll };
  PerEpoch per_epoch = PerEpoch::kNothing;
};

Result<std::unique_ptr<Operator>> make_keyed_aggregate(KeyedAggregateOptions options);

}  // namespace tidegate
