// SPDX-License-Identifier: Apache-2.0
#include "state/timer_service.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"

namespace tidegate {

Result<TimerService> TimerService::open(StateBackend& state, std::string table_name) {
  StateTableSpec spec{std::move(table_name), std::make_shared<FixedLayout>(0)};
  TG_ASSIGN_OR_RETURN(StateTable* const table, state.table(spec));
  return TimerService(table);
}

Status TimerService::add(std::int64_t time, const StateKey& key) {
  // A queue that is being taken out would not see the new timer.
  if (time == queue_time_) queue_.clear();
  return table_->find_or_create(time, key).status();
}

bool TimerService::remove(std::int64_t time, const StateKey& key) {
  if (time == queue_time_) queue_.clear();
  if (!table_->erase(time, key)) return false;
  if (!table_->has_rows(time)) table_->drop(time);
  return true;
}

void TimerService::collect(std::int64_t time) {
  queue_.clear();
  queue_time_ = time;
  table_->load(time);
  queue_generation_ = table_->generation(time);
  std::array<std::byte*, 256> rows;
  RowCursor cursor;
  while (const std::size_t count = table_->next(time, cursor, rows)) {
    queue_.insert(queue_.end(), rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(count));
  }
  std::sort(queue_.begin(), queue_.end(), [this](const std::byte* a, const std::byte* b) {
    return table_->key(a) > table_->key(b);
  });
}

bool TimerService::pop(std::int64_t bound, Timer& timer) {
  const auto time = table_->first_namespace_at_or_below(bound);
  if (!time) return false;
  if (queue_.empty() || queue_time_ != *time || queue_generation_ != table_->generation(*time)) {
    collect(*time);
  }
  if (queue_.empty()) return false;  // what is below memory cannot be read
  std::byte* row = queue_.back();
  queue_.pop_back();
  key_ = table_->key(row);
  timer = {*time, {key_, table_->hash(row)}};
  table_->erase(*time, row);
  if (!table_->has_rows(*time)) table_->drop(*time);
  return true;
}

}  // namespace tidegate
