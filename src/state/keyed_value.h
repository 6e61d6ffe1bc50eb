// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "state/state_table.h"
#include "state/ttl.h"

namespace tidegate {

/// One value of bytes per key.
class KeyedValue {
 public:
  /// `form` says what the bytes are (BytesLayout).
  static Result<KeyedValue> open(StateBackend& state, std::string_view name, StateTtl ttl = {},
                                 std::string form = "value/1");

  /// The value that has not expired; points into the state until the next call.
  std::optional<std::string_view> get(const StateKey& key);
  Status set(const StateKey& key, std::string_view bytes);
  /// Adds to the end of the value (that has not expired), in the time that the added bytes take.
  Status append(const StateKey& key, std::string_view bytes);
  void erase(const StateKey& key) { table_->erase(0, key); }
  const StateTtl& ttl() const { return ttl_; }
  /// Every key that has a row, also an expired one.
  void for_each_key(const std::function<void(std::string_view)>& visit) const;

 private:
  KeyedValue(StateTable* table, StateTtl ttl)
      : table_(table), ttl_(std::move(ttl)), sweep_(table, 0) {}
  Result<std::byte*> row_to_write(const StateKey& key);

  StateTable* table_;
  StateTtl ttl_;
  TtlSweep sweep_;
};

}  // namespace tidegate
