// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "state/keyed_value.h"

namespace tidegate {

/// A list of byte strings per key, in the order of adding. It expires as a whole.
class KeyedList {
 public:
  static Result<KeyedList> open(StateBackend& state, std::string_view name, StateTtl ttl = {});

  /// kStateCorrupt when the bytes are not a list.
  Result<std::vector<std::string_view>> get(const StateKey& key);
  Status add(const StateKey& key, std::string_view element);
  void erase(const StateKey& key) { lists_.erase(key); }

 private:
  explicit KeyedList(KeyedValue lists) : lists_(std::move(lists)) {}

  KeyedValue lists_;  // elements one after another: length (4, little-endian) | bytes
};

}  // namespace tidegate
