// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "state/state_table.h"
#include "tidegate/status.h"

namespace tidegate {

/// A map that every task of an operator holds in full: rules, rates, models. It is written by the
/// rows of a broadcast input, which all tasks see, and read by those of the others. All tasks must
/// write the same for the same rows: after a restore each has what the task of key group 0 had.
class BroadcastState {
 public:
  /// `name`: identity of the state in the operator. `writable` says at each write whether it may
  /// be, and must outlive the state.
  static Result<BroadcastState> open(StateBackend& state, std::string_view name,
                                     const bool* writable);

  /// The value of a key; points into the state until the next write.
  std::optional<std::string_view> get(std::string_view key) const;
  std::int64_t size() const { return table_->num_rows(0); }
  /// All keys and values in the order of the keys; point into the state until the next write.
  std::vector<std::pair<std::string_view, std::string_view>> entries() const;

  /// kInvalidPlan while rows of other inputs, or timers, are processed.
  Status put(std::string_view key, std::string_view value);
  Status erase(std::string_view key);

 private:
  BroadcastState(StateTable* table, const bool* writable) : table_(table), writable_(writable) {}
  Status check_writable() const;

  StateTable* table_;
  const bool* writable_;
};

}  // namespace tidegate
