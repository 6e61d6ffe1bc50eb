// SPDX-License-Identifier: Apache-2.0
#include "operators/key_table.h"

#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "state/state_backend.h"

namespace tidegate {

std::vector<LogicalType> types_at(std::span<const int> columns,
                                  const std::vector<LogicalType>& types) {
  std::vector<LogicalType> chosen;
  for (const int column : columns) {
    TG_CHECK(column >= 0 && column < std::ssize(types), "column={} of {}", column, types.size());
    chosen.push_back(types[static_cast<std::size_t>(column)]);
  }
  return chosen;
}

Status KeyTable::open(OperatorContext& context, std::string name,
                      std::shared_ptr<const ValueLayout> layout) {
  clock_ = &context.clock();
  const StateTableSpec spec{
      .name = std::move(name), .layout = std::move(layout), .stamped = ttl_.enabled()};
  TG_ASSIGN_OR_RETURN(table_, context.state().table(spec));
  sweep_.emplace(table_, 0);
  return Status::ok();
}

Status KeyTable::read(const Batch& batch) {
  TG_RETURN_IF_ERROR(keys_.read(batch));
  values_.resize(static_cast<std::size_t>(batch.num_rows()));
  look_at_clock();
  if (ttl_.enabled()) forget(batch.num_rows());
  table_->find(0, keys_.all(), values_);
  std::vector<std::int32_t> missing;
  for (std::size_t row = 0; row < values_.size(); ++row) {
    if (values_[row] == nullptr) missing.push_back(static_cast<std::int32_t>(row));
  }
  if (missing.empty()) return Status::ok();
  const std::uint32_t generation = table_->generation(0);
  TG_RETURN_IF_ERROR(table_->find_or_create(0, keys_.rows(missing), values_));
  if (generation != table_->generation(0)) table_->find(0, keys_.all(), values_);
  for (const std::int32_t row : missing) stamp(value(row));
  return Status::ok();
}

/// Erases what has expired: of the keys in hand, and some of the others.
void KeyTable::forget(std::int64_t num_rows) {
  table_->find(0, keys_.all(), values_);
  for (std::int64_t row = 0; row < num_rows; ++row) {
    const StateKey key = keys_[row];
    if (value(row) == nullptr || !ttl_.is_expired(table_->stamp(value(row)), now_ms_)) continue;
    table_->erase(0, key);
  }
  sweep_->sweep(ttl_, now_ms_, static_cast<std::size_t>(2 * num_rows));
}

}  // namespace tidegate
