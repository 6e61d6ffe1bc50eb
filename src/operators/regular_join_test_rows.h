// SPDX-License-Identifier: Apache-2.0
//
// What tests of regular joins push and how.
#pragma once

#include <arrow/array/array_base.h>
#include <arrow/array/data.h>

#include <string_view>
#include <utility>
#include <vector>

#include "operators/regular_join.h"
#include "tests/support/operator_harness.h"

namespace tidegate::regular_join_test {

inline constexpr RowKind kI = RowKind::kInsert;
inline constexpr RowKind kUb = RowKind::kUpdateBefore;
inline constexpr RowKind kUa = RowKind::kUpdateAfter;
inline constexpr RowKind kD = RowKind::kDelete;

inline const SchemaPtr& schema() {
  static const SchemaPtr kSchema = schema_of("k STRING, v BIGINT");
  return kSchema;
}

inline RegularJoinOptions options(JoinKind kind) {
  RegularJoinOptions all;
  for (RegularJoinInput* side : {&all.left, &all.right}) {
    for (const Field& field : schema()->fields()) side->types.push_back(field.type);
    side->keys = {0};
  }
  all.kind = kind;
  return all;
}

inline OperatorFactory factory(RegularJoinOptions options) {
  return [options = std::move(options)] { return make_regular_join(options); };
}

inline Batch rows(std::string_view json) { return batch_of(schema(), json); }
inline Batch rows(const std::vector<RowKind>& kinds, std::string_view json) {
  return with_row_kinds(rows(json), kinds);
}

/// The second columns of both sides: left <= right.
inline Status in_order(const Batch& pairs, std::vector<std::int32_t>& holds) {
  const auto* left = pairs.column(1)->data()->GetValues<std::int64_t>(1);
  const auto* right = pairs.column(3)->data()->GetValues<std::int64_t>(1);
  holds.clear();
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(pairs.num_rows()); ++i) {
    if (pairs.column(1)->IsNull(i) || pairs.column(3)->IsNull(i)) continue;
    if (left[i] <= right[i]) holds.push_back(i);
  }
  return Status::ok();
}

}  // namespace tidegate::regular_join_test
