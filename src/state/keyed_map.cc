// SPDX-License-Identifier: Apache-2.0
#include "state/keyed_map.h"

#include <cstring>

#include "base/check.h"
#include "types/key_hash.h"

namespace tidegate {

Result<KeyedMap> KeyedMap::open(StateBackend& state, std::string_view name, StateTtl ttl) {
  TG_ASSIGN_OR_RETURN(KeyedValue rows, KeyedValue::open(state, name, std::move(ttl), "map/1"));
  KeyedMap map(std::move(rows));
  Status status;
  map.rows_.for_each_key([&](std::string_view row_key) {
    std::uint32_t size = 0;
    if (row_key.size() < sizeof size) {
      status = error(ErrorCode::kStateCorrupt, "a row of map state '{}' has no key", name);
      return;
    }
    std::memcpy(&size, row_key.data(), sizeof size);
    row_key.remove_prefix(sizeof size);
    if (row_key.size() < size) {
      status = error(ErrorCode::kStateCorrupt, "a row of map state '{}' has no key", name);
      return;
    }
    map.map_keys_[std::string(row_key.substr(0, size))].emplace(row_key.substr(size));
  });
  TG_RETURN_IF_ERROR(status);
  return map;
}

StateKey KeyedMap::row_key(const StateKey& key, std::string_view map_key) {
  const auto size = static_cast<std::uint32_t>(key.bytes.size());
  row_key_.assign(reinterpret_cast<const char*>(&size), sizeof size);
  row_key_.append(key.bytes);
  row_key_.append(map_key);
  return {row_key_, (key.hash & 0xffff'ffff'0000'0000) | (hash_key(row_key_) & 0xffff'ffff)};
}

std::optional<std::string_view> KeyedMap::get(const StateKey& key, std::string_view map_key) {
  return rows_.get(row_key(key, map_key));
}

Status KeyedMap::put(const StateKey& key, std::string_view map_key, std::string_view value) {
  auto known = map_keys_.find(key.bytes);
  if (known == map_keys_.end()) known = map_keys_.try_emplace(std::string(key.bytes)).first;
  known->second.emplace(map_key);
  return rows_.set(row_key(key, map_key), value);
}

void KeyedMap::erase(const StateKey& key, std::string_view map_key) {
  rows_.erase(row_key(key, map_key));
  const auto known = map_keys_.find(key.bytes);
  if (known == map_keys_.end()) return;
  const auto entry = known->second.find(map_key);
  if (entry != known->second.end()) known->second.erase(entry);
  if (known->second.empty()) map_keys_.erase(known);
}

void KeyedMap::clear(const StateKey& key) {
  const auto known = map_keys_.find(key.bytes);
  if (known == map_keys_.end()) return;
  for (const std::string& map_key : known->second) rows_.erase(row_key(key, map_key));
  map_keys_.erase(known);
}

std::vector<std::pair<std::string, std::string>> KeyedMap::entries(const StateKey& key) {
  std::vector<std::pair<std::string, std::string>> entries;
  const auto known = map_keys_.find(key.bytes);
  if (known == map_keys_.end()) return entries;
  for (auto map_key = known->second.begin(); map_key != known->second.end();) {
    const std::optional<std::string_view> value = get(key, *map_key);
    if (value) {
      entries.emplace_back(*map_key, *value);
      ++map_key;
    } else {
      map_key = known->second.erase(map_key);  // it has expired
    }
  }
  return entries;
}

}  // namespace tidegate
