// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "state/keyed_value.h"

namespace tidegate {

/// A list of byte strings per key, in the order of adding. Elements expire one by one.
class KeyedList {
 public:
  static Result<KeyedList> open(StateBackend& state, std::string_view name, StateTtl ttl = {});

  /// The elements that have not expired. kStateCorrupt when the bytes are not a list.
  Result<std::vector<std::string_view>> get(const StateKey& key);
  Status add(const StateKey& key, std::string_view element);
  void erase(const StateKey& key) { lists_.erase(key); }

 private:
  explicit KeyedList(KeyedValue lists) : lists_(std::move(lists)) {}

  /// Makes all elements of a list as young as possible.
  Status renew(const StateKey& key, std::int64_t now);

  // Elements one after another: length (4, little-endian) | with TTL: when added (8) | bytes
  KeyedValue lists_;
  std::string element_;  // kept to save allocations
};

}  // namespace tidegate
