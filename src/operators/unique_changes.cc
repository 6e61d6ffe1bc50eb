// SPDX-License-Identifier: Apache-2.0
#include "operators/unique_changes.h"

#include <algorithm>

#include "base/check.h"
#include "operators/key_table.h"
#include "types/column.h"

namespace tidegate {
namespace {

std::vector<int> without(const std::vector<int>& columns, const std::vector<int>& others) {
  std::vector<int> rest;
  for (const int column : columns) {
    if (std::ranges::find(others, column) == others.end()) rest.push_back(column);
  }
  return rest;
}

}  // namespace

JoinChanges::JoinChanges(const std::vector<LogicalType>& types, const std::vector<int>& keys,
                         const std::vector<int>& unique_key, bool upserts)
    : has_unique_key_(!unique_key.empty()),
      upserts_(upserts),
      unique_columns_(without(unique_key, keys)),
      unique_keys_(unique_columns_, types_at(unique_columns_, types)),
      replaced_(types) {}

void JoinChanges::encode(const Batch& batch) {
  const RowEncoder encoder(batch);
  bytes_.clear();
  replaced_bytes_.clear();
  offsets_.assign(1, 0);
  for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
    encoder.append(row, bytes_);
    offsets_.push_back(bytes_.size());
  }
}

Status JoinChanges::read(const Batch& batch, const RowLists& state,
                         std::span<std::byte* const> lists) {
  rows_ = Batch(batch.num_rows(), batch.columns());
  encode(batch);
  changes_.clear();
  const auto count = static_cast<std::int32_t>(batch.num_rows());
  if (!has_unique_key_) {
    for (std::int32_t row = 0; row < count; ++row) {
      changes_.push_back({row, row, batch.row_kind(row)});
    }
    return Status::ok();
  }
  if (stores_unique_key()) TG_RETURN_IF_ERROR(unique_keys_.read(batch));
  there_.clear();
  for (std::int32_t row = 0; row < count; ++row) {
    std::byte* list = lists[static_cast<std::size_t>(row)];
    if (list == nullptr) {
      changes_.push_back({row, row, batch.row_kind(row)});
      continue;
    }
    const Place place(list, unique_key(row));
    const auto [found, is_first] = there_.try_emplace(place);
    if (is_first) TG_RETURN_IF_ERROR(find_stored(state, place, found->second));
    TG_RETURN_IF_ERROR(change(row, batch.row_kind(row), found->second));
  }
  return append_replaced();
}

Status JoinChanges::change(std::int32_t row, RowKind kind, Rows& there) {
  if (row_kind_adds(kind)) {
    while (upserts_ && !there.empty()) {
      TG_ASSIGN_OR_RETURN(const std::int32_t old, take_back(there, there.begin()));
      changes_.push_back({old, row, RowKind::kUpdateBefore});
    }
    there.push_back({row, bytes(row)});
    changes_.push_back({row, row, kind});
    return Status::ok();
  }
  // The row itself, or else the first with its unique key. Changes of one unique key that come
  // from several tasks may have overtaken each other, so that there are several.
  auto known = std::ranges::find(there, bytes(row), &Known::bytes);
  if (known != there.end()) {
    there.erase(known);
    changes_.push_back({row, row, kind});
    return Status::ok();
  }
  std::int32_t taken = row;
  if (!there.empty()) {
    TG_ASSIGN_OR_RETURN(taken, take_back(there, there.begin()));
  }
  changes_.push_back({taken, row, kind});
  return Status::ok();
}

/// The rows of the place before the batch.
Status JoinChanges::find_stored(const RowLists& state, const Place& place, Rows& there) const {
  RowLists::Cursor cursor(place.first);
  ListedRow listed;
  while (true) {
    TG_ASSIGN_OR_RETURN(const bool more, state.next(cursor, listed));
    if (!more) return Status::ok();
    if (listed.unique_key == place.second) there.push_back({kInState, listed.row});
  }
}

Result<std::int32_t> JoinChanges::take_back(Rows& there, Rows::iterator known) {
  std::int32_t row = known->row;
  if (row == kInState) {
    row = static_cast<std::int32_t>(rows_.num_rows() + replaced_.num_rows());
    TG_RETURN_IF_ERROR(replaced_.append(known->bytes));
    replaced_bytes_.emplace_back(known->bytes);
  }
  there.erase(known);
  return row;
}

Status JoinChanges::append_replaced() {
  const std::int64_t count = replaced_.num_rows();
  if (count == 0) return Status::ok();
  TG_ASSIGN_OR_RETURN(std::vector<ArrayPtr> columns, replaced_.take());
  const Batch parts[] = {rows_, Batch(count, std::move(columns))};
  TG_ASSIGN_OR_RETURN(rows_, Batch::concatenate(parts));
  return Status::ok();
}

}  // namespace tidegate
