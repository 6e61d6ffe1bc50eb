// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"
#include "types/logical_type.h"

namespace tidegate {

/// Makes a full changelog of the changes of a source that are only certain by key: upserts (+I or
/// +U, in any order, and -D whose columns beside the key may be null), or a changelog that repeats
/// changes (at-least-once). Keeps the last row per key:
///
///   +I, +U  becomes +I of a new key, else -U of the row before and +U; nothing when the row is the
///           same (with a TTL it is told, since that says that the key is alive)
///   -U, -D  becomes -D of the row before, with all its columns; nothing when there is none
///
/// Columns stay as they are. Partitioned by the key (the exchange in front).
struct ChangelogNormalizeOptions {
  std::vector<LogicalType> types;  ///< of all columns
  std::vector<int> keys;           ///< the source's primary key
  /// False: -U is left out, for readers that know the key.
  bool emit_update_before = true;
  /// A key that has had no change for this long (processing time) is forgotten; 0: never.
  std::int64_t ttl_ms = 0;
};

Result<std::unique_ptr<Operator>> make_changelog_normalize(ChangelogNormalizeOptions options);

/// Time does not matter to it.
inline constexpr TimeGrain kChangelogNormalizeTimeGrain{0, 0};

}  // namespace tidegate
