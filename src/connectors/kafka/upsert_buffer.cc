// SPDX-License-Identifier: Apache-2.0
#include "connectors/kafka/upsert_buffer.h"

#include <utility>

#include "base/check.h"

namespace tidegate::kafka {

UpsertBuffer::UpsertBuffer(std::int64_t max_keys, std::chrono::milliseconds interval,
                           const Clock& clock)
    : max_keys_(static_cast<std::size_t>(max_keys)),
      interval_ns_(interval.count() * 1'000'000),
      clock_(clock) {}

void UpsertBuffer::put(Outgoing message) {
  if (kept_.empty()) since_ns_ = clock_.monotonic_ns();
  const auto [place, is_new] =
      places_.try_emplace(std::string(message.key.value_or("")), kept_.size());
  if (is_new) kept_.emplace_back().key = place->first;
  Kept& kept = kept_[place->second];
  kept.value.reset();
  if (message.value) kept.value.emplace(*message.value);
  kept.timestamp_ms = message.timestamp_ms;
  kept.headers = std::move(message.headers);
}

bool UpsertBuffer::is_due() const {
  if (kept_.empty()) return false;
  return kept_.size() >= max_keys_ || clock_.monotonic_ns() - since_ns_ >= interval_ns_;
}

Result<bool> UpsertBuffer::drain(const std::function<Result<bool>(Outgoing&)>& send) {
  for (; sent_ < kept_.size(); ++sent_) {
    Kept& kept = kept_[sent_];
    Outgoing message;
    message.key = kept.key;
    if (kept.value) message.value = *kept.value;
    message.timestamp_ms = kept.timestamp_ms;
    message.headers = std::move(kept.headers);
    TG_ASSIGN_OR_RETURN(const bool sent, send(message));
    if (sent) continue;
    kept.headers = std::move(message.headers);
    return false;
  }
  kept_.clear();
  places_.clear();
  sent_ = 0;
  return true;
}

}  // namespace tidegate::kafka
