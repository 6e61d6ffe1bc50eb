// SPDX-License-Identifier: Apache-2.0
#include "operators/null_aware.h"

#include <arrow/array/array_base.h>
#include <arrow/type.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "base/check.h"
#include "types/key_encoding.h"

namespace tidegate {
namespace {

/// Compares one pair of columns.
struct ComparedColumns {
  int left;
  int right;  // of the joined row
  std::shared_ptr<const KeyCodec> codec;

  /// Removes the rows that hold unlike values.
  Status remove_unlike(const Batch& joined, std::vector<std::int32_t>& rows) const {
    const ArrayPtr& a = joined.column(left);
    const ArrayPtr& b = joined.column(right);
    EncodedKeys left_keys;
    EncodedKeys right_keys;
    TG_RETURN_IF_ERROR(codec->encode(std::span(&a, 1), joined.num_rows(), left_keys));
    TG_RETURN_IF_ERROR(codec->encode(std::span(&b, 1), joined.num_rows(), right_keys));
    std::erase_if(rows, [&](std::int32_t row) {
      return !a->IsNull(row) && !b->IsNull(row) && left_keys.key(row) != right_keys.key(row);
    });
    return Status::ok();
  }
};

}  // namespace

JoinCondition null_aware_condition(const std::vector<LogicalType>& left,
                                   const std::vector<LogicalType>& right,
                                   std::vector<NullAwarePair> pairs, JoinCondition rest) {
  const auto right_begin = static_cast<int>(left.size());
  std::vector<ComparedColumns> columns;
  for (const NullAwarePair& pair : pairs) {
    const LogicalType& type = right[static_cast<std::size_t>(pair.right)];
    columns.push_back(
        {pair.left, right_begin + pair.right, std::make_shared<KeyCodec>(std::vector{type})});
  }
  return [columns = std::move(columns), rest = std::move(rest)](const Batch& joined,
                                                                std::vector<std::int32_t>& rows) {
    rows.resize(static_cast<std::size_t>(joined.num_rows()));
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int32_t>(i);
    for (const ComparedColumns& pair : columns) {
      TG_RETURN_IF_ERROR(pair.remove_unlike(joined, rows));
    }
    if (!rest || rows.empty()) return Status::ok();
    // What can fail sees only the rows that may match.
    TG_ASSIGN_OR_RETURN(const Batch like, joined.take(rows));
    std::vector<std::int32_t> holds;
    TG_RETURN_IF_ERROR(rest(like, holds));
    std::ranges::transform(holds, holds.begin(),
                           [&](std::int32_t i) { return rows[static_cast<std::size_t>(i)]; });
    rows = std::move(holds);
    return Status::ok();
  };
}

Status check_null_aware(const JoinInput& left, const JoinInput& right, JoinKind kind,
                        const std::vector<NullAwarePair>& pairs) {
  if (pairs.empty()) return Status::ok();
  if (kind != JoinKind::kAnti) {
    return error(ErrorCode::kInvalidArgument, "join: only an anti join can be aware of nulls");
  }
  for (const NullAwarePair& pair : pairs) {
    if (pair.left < 0 || pair.left >= std::ssize(left.types) || pair.right < 0 ||
        pair.right >= std::ssize(right.types)) {
      return error(ErrorCode::kInvalidArgument, "join: there are no columns {} and {} to compare",
                   pair.left, pair.right);
    }
    const LogicalType& a = left.types[static_cast<std::size_t>(pair.left)];
    const LogicalType& b = right.types[static_cast<std::size_t>(pair.right)];
    if (!a.arrow_type()->Equals(*b.arrow_type())) {
      return error(ErrorCode::kTypeMismatch, "join: {} on the left is compared with {}",
                   a.to_string(), b.to_string());
    }
  }
  return Status::ok();
}

}  // namespace tidegate
