// SPDX-License-Identifier: Apache-2.0
#include "operators/unique_changes.h"

#include <algorithm>

#include "base/check.h"
#include "types/column.h"

namespace tidegate {
namespace {

constexpr std::int32_t kNoRow = -1;

std::vector<int> without(const std::vector<int>& columns, const std::vector<int>& others) {
  std::vector<int> rest;
  for (const int column : columns) {
    if (std::ranges::find(others, column) == others.end()) rest.push_back(column);
  }
  return rest;
}

std::vector<LogicalType> types_of(const std::vector<LogicalType>& types,
                                  const std::vector<int>& columns) {
  std::vector<LogicalType> some;
  for (const int column : columns) some.push_back(types[static_cast<std::size_t>(column)]);
  return some;
}

}  // namespace

JoinChanges::JoinChanges(const std::vector<LogicalType>& types, const std::vector<int>& keys,
                         const std::vector<int>& unique_key)
    : has_unique_key_(!unique_key.empty()),
      unique_columns_(without(unique_key, keys)),
      unique_keys_(unique_columns_, types_of(types, unique_columns_)),
      replaced_(types) {}

Status JoinChanges::read(const Batch& batch, const RowLists& state,
                         std::span<std::byte* const> lists) {
  rows_ = Batch(batch.num_rows(), batch.columns());
  changes_.clear();
  const auto count = static_cast<std::int32_t>(batch.num_rows());
  if (!has_unique_key_) {
    for (std::int32_t row = 0; row < count; ++row) {
      changes_.push_back({row, row, batch.row_kind(row)});
    }
    return Status::ok();
  }
  if (stores_unique_key()) TG_RETURN_IF_ERROR(unique_keys_.read(batch));
  const RowEncoder encoder(batch);
  current_.clear();
  for (std::int32_t row = 0; row < count; ++row) {
    const RowKind kind = batch.row_kind(row);
    std::byte* list = lists[static_cast<std::size_t>(row)];
    if (list == nullptr) {
      changes_.push_back({row, row, kind});
      continue;
    }
    const auto [place, is_first] = current_.try_emplace(Place(list, unique_key(row)), kNoRow);
    if (is_first) {
      TG_ASSIGN_OR_RETURN(place->second, find_stored(batch, encoder, state, list, row));
    }
    const std::int32_t there = place->second;
    if (row_kind_adds(kind)) {
      if (there != kNoRow) changes_.push_back({there, row, RowKind::kUpdateBefore});
      changes_.push_back({row, row, kind});
      place->second = row;
    } else {
      changes_.push_back({there != kNoRow ? there : row, row, kind});
      place->second = kNoRow;
    }
  }
  return append_replaced(batch);
}

/// The row with the unique key of this one that was there before the batch.
Result<std::int32_t> JoinChanges::find_stored(const Batch& batch, const RowEncoder& encoder,
                                              const RowLists& state, std::byte* list,
                                              std::int32_t row) {
  ListedRow found;
  TG_ASSIGN_OR_RETURN(const bool is_there, state.find_key(list, unique_key(row), found));
  if (!is_there) return kNoRow;
  // Mostly it is what the batch says it is, and need not be read.
  bytes_.clear();
  encoder.append(row, bytes_);
  if (found.row == bytes_) return row;
  const std::int64_t index = batch.num_rows() + replaced_.num_rows();
  TG_RETURN_IF_ERROR(replaced_.append(found.row));
  return static_cast<std::int32_t>(index);
}

Status JoinChanges::append_replaced(const Batch& batch) {
  const std::int64_t count = replaced_.num_rows();
  if (count == 0) return Status::ok();
  TG_ASSIGN_OR_RETURN(std::vector<ArrayPtr> columns, replaced_.take());
  const Batch parts[] = {rows_, Batch(count, std::move(columns))};
  TG_ASSIGN_OR_RETURN(rows_, Batch::concatenate(parts));
  TG_CHECK(rows_.num_rows() == batch.num_rows() + count, "rows={}", rows_.num_rows());
  return Status::ok();
}

}  // namespace tidegate
