// SPDX-License-Identifier: Apache-2.0
#include "operators/lookup_table.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <tuple>
#include <utility>

#include "base/check.h"

namespace tidegate {

LookupTable::LookupTable(const JoinInput& input) : keys_(input.keys, join_key_types(input)) {}

Result<std::shared_ptr<const LookupTable>> LookupTable::build(const JoinInput& input,
                                                              std::vector<Batch> batches) {
  std::vector<ArrayPtr> nulls;
  for (const LogicalType& type : input.types) {
    TG_ASSIGN_OR_RETURN(nulls.emplace_back(), null_column(type.arrow_type(), 1));
  }
  batches.emplace_back(1, std::move(nulls));
  std::int64_t count = 0;
  for (Batch& batch : batches) {
    count += batch.num_rows();
    batch = Batch(batch.num_rows(), batch.columns());
  }
  if (count > std::numeric_limits<std::int32_t>::max()) {
    return error(ErrorCode::kLimitExceeded, "the table of a lookup join has {} rows", count - 1);
  }
  const auto table = std::make_shared<LookupTable>(input);
  TG_ASSIGN_OR_RETURN(table->rows_, Batch::concatenate(batches));
  TG_RETURN_IF_ERROR(table->index(table->rows_));
  return std::shared_ptr<const LookupTable>(table);
}

Status LookupTable::index(const Batch& rows) {
  TG_RETURN_IF_ERROR(keys_.read(rows));
  for (std::int32_t row = 0; row < null_row(); ++row) {
    if (!keys_.has_null(row)) order_.push_back(row);
  }
  std::ranges::sort(order_, [this](std::int32_t a, std::int32_t b) {
    const StateKey left = keys_[a];
    const StateKey right = keys_[b];
    return std::tuple(left.hash, left.bytes, a) < std::tuple(right.hash, right.bytes, b);
  });
  for (std::size_t i = 0; i < order_.size(); ++i) {
    Range& range = ranges_[keys_[order_[i]].hash];
    if (range.count++ == 0) range.begin = static_cast<std::int32_t>(i);
  }
  return Status::ok();
}

std::span<const std::int32_t> LookupTable::find(const StateKey& key) const {
  const auto found = ranges_.find(key.hash);
  if (found == ranges_.end()) return {};
  const auto same_hash = std::span(order_).subspan(static_cast<std::size_t>(found->second.begin),
                                                   static_cast<std::size_t>(found->second.count));
  const auto same = std::ranges::equal_range(same_hash, key.bytes, {},
                                             [this](std::int32_t row) { return keys_[row].bytes; });
  return {same.begin(), same.end()};
}

}  // namespace tidegate
