// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "state/state_table.h"

namespace tidegate {

/// A timer of a key. Views hold until the next call of the service.
struct Timer {
  std::int64_t time = 0;
  StateKey key;
};

/// Timers per key in state: one row for each, in the namespace of its time, so that they survive
/// with the state and go in order of time, those of one time in order of the key's bytes. A key has
/// at most one timer of a time. One service for event time, another for processing time; what the
/// time means and when it has come is the operator's affair.
class TimerService {
 public:
  /// `table_name` is the identity of the timers in the operator's state.
  static Result<TimerService> open(StateBackend& state, std::string table_name);

  Status add(std::int64_t time, const StateKey& key);
  /// True when there was such a timer.
  bool remove(std::int64_t time, const StateKey& key);
  std::optional<std::int64_t> next_time() const { return table_->first_namespace(); }
  bool empty() const { return table_->empty(); }

  /// Takes out the first timer with time <= bound; false when there is none. Timers that are added
  /// between two calls take part.
  bool pop(std::int64_t bound, Timer& timer);

 private:
  explicit TimerService(StateTable* table) : table_(table) {}
  void collect(std::int64_t time);

  StateTable* table_;
  // Rows of the time that is being taken out, last key first.
  std::vector<std::byte*> queue_;
  std::int64_t queue_time_ = 0;
  std::uint32_t queue_generation_ = 0;
  std::string key_;  // of the timer that was taken out last
};

}  // namespace tidegate
