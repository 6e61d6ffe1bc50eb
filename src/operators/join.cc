// SPDX-License-Identifier: Apache-2.0
#include "operators/join.h"

#include <arrow/buffer.h>
#include <arrow/type.h>

#include <iterator>
#include <string>
#include <utility>

#include "base/check.h"

namespace tidegate {
namespace {

constexpr std::int64_t kBatchRows = 4096;
constexpr std::int64_t kBatchBytes = 4 << 20;

Status add_side(RowDecoder& side, std::optional<std::string_view> row) {
  return row ? side.append(*row) : side.append_nulls();
}

}  // namespace

JoinCondition join_condition(std::shared_ptr<const CompiledFilter> filter, EvalContext context) {
  return [filter = std::move(filter), context = std::move(context)](
             const Batch& joined, std::vector<std::int32_t>& rows) mutable {
    return filter->select(joined, context, rows);
  };
}

std::vector<LogicalType> join_key_types(const JoinInput& input) {
  std::vector<LogicalType> types;
  for (const int key : input.keys) types.push_back(input.types[static_cast<std::size_t>(key)]);
  return types;
}

JoinedRows::JoinedRows(const std::vector<LogicalType>& left, const std::vector<LogicalType>& right)
    : left_(left), right_(right) {}

Status JoinedRows::add(std::optional<std::string_view> left, std::optional<std::string_view> right,
                       EventTime time, RowKind kind) {
  TG_RETURN_IF_ERROR(add_side(left_, left));
  TG_RETURN_IF_ERROR(add_side(right_, right));
  times_.push_back(time);
  kinds_.push_back(kind);
  insert_only_ = insert_only_ && kind == RowKind::kInsert;
  return Status::ok();
}

bool JoinedRows::full() const {
  return num_rows() >= kBatchRows || left_.byte_size() + right_.byte_size() >= kBatchBytes;
}

Result<Batch> JoinedRows::take() {
  TG_ASSIGN_OR_RETURN(std::vector<ArrayPtr> columns, left_.take());
  TG_ASSIGN_OR_RETURN(std::vector<ArrayPtr> right, right_.take());
  std::ranges::move(right, std::back_inserter(columns));
  Batch batch(num_rows(), std::move(columns));
  batch.set_event_times(arrow::Buffer::FromVector(std::exchange(times_, {})));
  const std::vector<RowKind> kinds = std::exchange(kinds_, {});
  if (!std::exchange(insert_only_, true)) {
    const std::string_view bytes(reinterpret_cast<const char*>(kinds.data()), kinds.size());
    batch.set_row_kinds(arrow::Buffer::FromString(std::string(bytes)));
  }
  return batch;
}

Status check_insert_only(const Batch& batch) {
  for (const RowKind kind : batch.row_kinds()) {
    if (kind != RowKind::kInsert) {
      return error(ErrorCode::kInvalidPlan, "its input has a {} row, but it takes only inserts",
                   row_kind_symbol(kind));
    }
  }
  return Status::ok();
}

Status check_join_inputs(const JoinInput& left, const JoinInput& right) {
  if (left.keys.size() != right.keys.size()) {
    return error(ErrorCode::kInvalidArgument, "join: {} key columns on the left, {} on the right",
                 left.keys.size(), right.keys.size());
  }
  for (std::size_t i = 0; i < left.keys.size(); ++i) {
    const LogicalType& a = left.types[static_cast<std::size_t>(left.keys[i])];
    const LogicalType& b = right.types[static_cast<std::size_t>(right.keys[i])];
    if (!a.arrow_type()->Equals(*b.arrow_type())) {
      return error(ErrorCode::kTypeMismatch,
                   "join: key column {} is {} on the left, {} on the right", i + 1, a.to_string(),
                   b.to_string());
    }
  }
  return Status::ok();
}

}  // namespace tidegate
