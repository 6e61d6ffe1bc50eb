// SPDX-License-Identifier: Apache-2.0
#include "operators/expand.h"

#include <algorithm>
#include <utility>

#include "expr/column_values.h"
#include "operators/piecewise.h"

namespace tidegate {
namespace {

class Expand final : public PiecewiseOperator {
 public:
  explicit Expand(ExpandOptions options) : options_(std::move(options)) {
    if (!options_.ids.empty()) return;
    for (const std::vector<bool>& set : options_.sets) {
      // A set that is there twice makes its groups twice: a bit above those of the keys differs.
      std::int64_t id = grouping_id(set);
      const std::int64_t step = std::int64_t{1} << options_.keys.size();
      while (std::ranges::count(options_.ids, id) > 0) id += step;
      options_.ids.push_back(id);
    }
  }

  Status open(OperatorContext&) override { return Status::ok(); }

 private:
  Status begin(const Batch&) override {
    row_ = 0;
    return Status::ok();
  }

  Result<bool> emit_piece(const Batch& batch, Output& out) override {
    const auto sets = std::ssize(options_.sets);
    const std::int64_t count =
        std::min(batch.num_rows() - row_, std::max<std::int64_t>(1, kPieceRows / sets));
    if (count <= 0) return false;
    rows_.clear();
    for (std::int64_t row = row_; row < row_ + count; ++row) {
      rows_.insert(rows_.end(), static_cast<std::size_t>(sets), static_cast<std::int32_t>(row));
    }
    row_ += count;
    TG_ASSIGN_OR_RETURN(Batch copies, batch.take(rows_));
    std::vector<ArrayPtr> columns = copies.columns();
    for (std::size_t key = 0; key < options_.keys.size(); ++key) {
      ArrayPtr& column = columns[static_cast<std::size_t>(options_.keys[key])];
      TG_ASSIGN_OR_RETURN(column, null_where_left_out(*column, key));
    }
    TG_ASSIGN_OR_RETURN(columns.emplace_back(), id_column(std::ssize(rows_)));
    copies = copies.with_columns(std::move(columns));
    copies.set_key_hashes(nullptr);  // the keys are others now
    out.emit(std::move(copies));
    return row_ < batch.num_rows();
  }

  Result<ArrayPtr> null_where_left_out(const arrow::Array& column, std::size_t key) const {
    const std::size_t sets = options_.sets.size();
    if (column.type_id() == arrow::Type::NA ||
        std::ranges::all_of(options_.sets, [&](const auto& set) { return set[key]; })) {
      return arrow::MakeArray(column.data());
    }
    ValidityWriter validity(column.length());
    for (std::int64_t i = 0; i < column.length(); ++i) {
      if (!options_.sets[static_cast<std::size_t>(i) % sets][key] || column.IsNull(i)) {
        TG_RETURN_IF_ERROR(validity.set_null(i));
      }
    }
    // The column was copied for this batch, so that its rows begin at the front of its buffers.
    TG_CHECK(column.offset() == 0, "offset={}", column.offset());
    std::shared_ptr<arrow::ArrayData> data = column.data()->Copy();
    data->buffers[0] = validity.finish();
    data->SetNullCount(data->buffers[0] == nullptr ? 0 : arrow::kUnknownNullCount);
    return arrow::MakeArray(std::move(data));
  }

  Result<ArrayPtr> id_column(std::int64_t num_rows) const {
    TG_ASSIGN_OR_RETURN(auto ids, ValueWriter<std::int64_t>::make(num_rows));
    const auto sets = std::ssize(options_.sets);
    for (std::int64_t i = 0; i < num_rows; ++i) {
      ids.set(i, options_.ids[static_cast<std::size_t>(i % sets)]);
    }
    return ids.finish(LogicalType(TypeKind::kBigInt, false));
  }

  ExpandOptions options_;
  std::int64_t row_ = 0;
  std::vector<std::int32_t> rows_;
};

}  // namespace

std::int64_t grouping_id(const std::vector<bool>& set) {
  std::int64_t id = 0;
  for (const bool kept : set) id = id * 2 + (kept ? 0 : 1);
  return id;
}

Result<std::unique_ptr<Operator>> make_expand(ExpandOptions options) {
  if (options.sets.empty() || options.keys.size() > 48) {
    return error(ErrorCode::kInvalidArgument,
                 "grouping sets: {} sets of {} keys; there must be a set, and at most 48 keys",
                 options.sets.size(), options.keys.size());
  }
  for (const std::vector<bool>& set : options.sets) {
    TG_CHECK(set.size() == options.keys.size(), "keys={} set={}", options.keys.size(), set.size());
  }
  TG_CHECK(options.ids.empty() || options.ids.size() == options.sets.size(), "sets={} ids={}",
           options.sets.size(), options.ids.size());
  return std::unique_ptr<Operator>(std::make_unique<Expand>(std::move(options)));
}

}  // namespace tidegate
