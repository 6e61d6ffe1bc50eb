// SPDX-License-Identifier: Apache-2.0
#include "operators/last_rows.h"

#include <utility>

#include "base/check.h"
#include "operators/row_layout.h"
#include "state/state_bytes.h"

namespace tidegate {
namespace {

constexpr std::size_t kSweepRows = 256;

std::vector<LogicalType> types_of(const std::vector<int>& columns,
                                  const std::vector<LogicalType>& types) {
  std::vector<LogicalType> picked;
  for (const int column : columns) picked.push_back(types[static_cast<std::size_t>(column)]);
  return picked;
}

}  // namespace

LastRows::LastRows(std::vector<int> keys, const std::vector<LogicalType>& types,
                   std::int64_t ttl_ms)
    : keys_(keys, types_of(keys, types)), ttl_{.ttl_ms = ttl_ms} {}

Status LastRows::open(OperatorContext& context, std::string name, std::string_view form) {
  clock_ = &context.clock();
  const StateTableSpec spec{.name = std::move(name),
                            .layout = std::make_shared<RowLayout>(form),
                            .stamped = ttl_.enabled()};
  TG_ASSIGN_OR_RETURN(table_, context.state().table(spec));
  sweep_.emplace(table_, 0);
  return Status::ok();
}

Status LastRows::read(const Batch& batch) {
  TG_RETURN_IF_ERROR(keys_.read(batch));
  const std::int64_t now = ttl_.enabled() ? clock_->wall_ms() : 0;
  if (ttl_.enabled()) sweep_->sweep(ttl_, now, kSweepRows);
  values_.resize(static_cast<std::size_t>(batch.num_rows()));
  TG_RETURN_IF_ERROR(table_->find_or_create(0, keys_.all(), values_));
  if (!ttl_.enabled()) return Status::ok();
  for (std::byte* value : values_) {
    if (ttl_.is_expired(table_->stamp(value), now)) assign_bytes(*table_, value, {});
    table_->stamp(value) = now;
  }
  return Status::ok();
}

std::string_view LastRows::get(std::int64_t row) const {
  return BytesLayout::view(values_[static_cast<std::size_t>(row)]);
}

void LastRows::set(std::int64_t row, std::string_view bytes) {
  assign_bytes(*table_, values_[static_cast<std::size_t>(row)], bytes);
}

void LastRows::append(std::int64_t row, std::string_view bytes) {
  append_bytes(*table_, values_[static_cast<std::size_t>(row)], bytes);
}

Status LastRows::finish() {
  for (std::size_t row = 0; row < values_.size(); ++row) {
    if (!BytesLayout::view(values_[row]).empty()) continue;
    // A key of several rows is erased with the first of them.
    std::byte* value = table_->find(0, keys_[static_cast<std::int64_t>(row)]);
    if (value != nullptr) table_->erase(0, value);
  }
  return table_->check_budget();
}

}  // namespace tidegate
