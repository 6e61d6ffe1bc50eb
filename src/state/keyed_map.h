// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "state/keyed_value.h"

namespace tidegate {

/// A map of byte strings per key. Each entry is a row of its own, so that what an epoch stores is
/// the entries that have changed; entries expire one by one.
class KeyedMap {
 public:
  static Result<KeyedMap> open(StateBackend& state, std::string_view name, StateTtl ttl = {});

  std::optional<std::string_view> get(const StateKey& key, std::string_view map_key);
  Status put(const StateKey& key, std::string_view map_key, std::string_view value);
  void erase(const StateKey& key, std::string_view map_key);
  void clear(const StateKey& key);
  /// All entries of a key that have not expired, in the order of the map keys' bytes.
  std::vector<std::pair<std::string, std::string>> entries(const StateKey& key);

 private:
  explicit KeyedMap(KeyedValue rows) : rows_(std::move(rows)) {}
  /// Row key: length of the key (4) | key | map key. The upper half of the hash stays the key's, so
  /// that the entries are in its key group.
  StateKey row_key(const StateKey& key, std::string_view map_key);

  KeyedValue rows_;
  std::string row_key_;
  // Which map keys a key has; made of the rows at open().
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> map_keys_;
};

}  // namespace tidegate
