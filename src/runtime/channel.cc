// SPDX-License-Identifier: Apache-2.0
#include "runtime/channel.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace tidegate {

Channel::Channel(ChannelLimits limits, Activation& producer, Activation& consumer)
    : limits_(limits), producer_(producer), consumer_(consumer) {
  TG_CHECK(limits.rows > 0 && limits.bytes > 0, "rows={} bytes={}", limits.rows, limits.bytes);
}

void Channel::push(Event event) {
  const std::int64_t cost = cost_of(event);
  used_.fetch_add(cost, std::memory_order_relaxed);
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    was_empty = queue_.empty();
    queue_.push_back(Entry{std::move(event), cost});
    if (was_empty) queued_.store(true, std::memory_order_release);
  }
  if (was_empty) consumer_.wake();
}

bool Channel::pop(Event& event) {
  if (next_ == taken_.size()) {
    if (!queued_.load(std::memory_order_acquire)) return false;
    taken_.clear();
    next_ = 0;
    const std::lock_guard lock(mutex_);
    taken_.swap(queue_);
    queued_.store(false, std::memory_order_release);
  }
  Entry& entry = taken_[next_++];
  event = std::move(entry.event);
  if (entry.cost > 0) give_back(entry.cost);
  return true;
}

// The producer writes its wish and then looks for credit; the consumer gives credit and then looks
// for a wish. In one total order at least one of them sees the other.
bool Channel::await_credit() {
  if (has_credit()) return false;
  wants_credit_.store(true, std::memory_order_seq_cst);
  if (used_.load(std::memory_order_seq_cst) >= kCapacity) return true;
  wants_credit_.store(false, std::memory_order_relaxed);
  return false;
}

void Channel::give_back(std::int64_t cost) {
  const std::int64_t used = used_.fetch_sub(cost, std::memory_order_seq_cst) - cost;
  if (used > kCapacity / 2 || !wants_credit_.load(std::memory_order_seq_cst)) return;
  if (wants_credit_.exchange(false, std::memory_order_acq_rel)) producer_.wake();
}

std::int64_t Channel::cost_of(const Event& event) const {
  const Batch* batch = std::get_if<Batch>(&event);
  if (batch == nullptr) return 0;
  const double rows = static_cast<double>(batch->num_rows()) / static_cast<double>(limits_.rows);
  const double bytes = static_cast<double>(batch->byte_size()) / static_cast<double>(limits_.bytes);
  const double share = std::clamp(std::max(rows, bytes), 1e-9, 1e6);
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(share * kCapacity));
}

}  // namespace tidegate
