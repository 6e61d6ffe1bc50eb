// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"
#include "types/schema.h"

namespace tidegate {

/// CROSS JOIN or LEFT JOIN UNNEST(column): each row once per element of a collection in it, with
/// the element's columns behind the row's. Row kinds and event times stay, key hashes too.
struct UnnestOptions {
  int column = 0;    ///< ARRAY, MAP or MULTISET
  LogicalType type;  ///< of this column
  /// LEFT JOIN: a row whose collection is null or empty comes once, with nulls. Else it is left
  /// out.
  bool outer = false;
  /// WITH ORDINALITY: the number of the element in its collection, from 1, as the last column.
  bool ordinality = false;
  /// False: the collection itself is null in the output, for readers of its elements only. Else
  /// each of n rows holds all n elements.
  bool keep_collection = true;
};

Result<std::unique_ptr<Operator>> make_unnest(UnnestOptions options);

/// The columns behind those of the input:
///   ARRAY<ROW<a, b>>, MULTISET<ROW<a, b>>   a, b (nulls for an element that is null)
///   ARRAY<T>, MULTISET<T>                   f0; an element that a multiset holds n times comes n
///                                           times
///   MAP<K, V>                               key, value
/// and with ordinality: ORDINALITY INT. kTypeMismatch for other types.
Result<std::vector<Field>> unnested_columns(const UnnestOptions& options);

/// Time does not matter to it.
inline constexpr TimeGrain kUnnestTimeGrain{0, 0};

}  // namespace tidegate
