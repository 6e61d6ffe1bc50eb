// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataflow/operator.h"
#include "tidegate/status.h"
#include "types/logical_type.h"

namespace tidegate {

/// INTERSECT and EXCEPT of two changelogs with equal columns. The whole row is the key, nulls are
/// equal; rows are counted per side, and the result holds a row as often as
///   kIntersect     once, if both sides have it
///   kIntersectAll  min(left, right) times
///   kExcept        once, if only the left has it
///   kExceptAll     max(left - right, 0) times
/// Each row that changes the result gives one +I or -D, with its event time where it has one. A row
/// to take back that is not there changes nothing and is counted as rows_not_found.
struct SetOperationOptions {
  enum class Kind : std::uint8_t { kIntersect, kIntersectAll, kExcept, kExceptAll };
  Kind kind = Kind::kIntersect;
  std::vector<LogicalType> types = {};  ///< of all columns, the same on both sides
  /// Counts are forgotten this long (processing time) after their row last came; 0: never.
  std::int64_t ttl_ms = 0;
};

Result<std::unique_ptr<Operator>> make_set_operation(SetOperationOptions options);

}  // namespace tidegate
