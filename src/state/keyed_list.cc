// SPDX-License-Identifier: Apache-2.0
#include "state/keyed_list.h"

#include <cstring>

#include "base/check.h"

namespace tidegate {

Result<KeyedList> KeyedList::open(StateBackend& state, std::string_view name, StateTtl ttl) {
  TG_ASSIGN_OR_RETURN(KeyedValue lists, KeyedValue::open(state, name, std::move(ttl)));
  return KeyedList(std::move(lists));
}

Result<std::vector<std::string_view>> KeyedList::get(const StateKey& key) {
  std::vector<std::string_view> elements;
  std::string_view rest = lists_.get(key).value_or(std::string_view());
  while (!rest.empty()) {
    std::uint32_t size = 0;
    if (rest.size() < sizeof size) break;
    std::memcpy(&size, rest.data(), sizeof size);
    if (rest.size() - sizeof size < size) break;
    elements.push_back(rest.substr(sizeof size, size));
    rest.remove_prefix(sizeof size + size);
  }
  if (!rest.empty()) {
    return error(ErrorCode::kStateCorrupt, "{} bytes at the end of a list in state are no element",
                 rest.size());
  }
  return elements;
}

Status KeyedList::add(const StateKey& key, std::string_view element) {
  std::string bytes(lists_.get(key).value_or(std::string_view()));
  const auto size = static_cast<std::uint32_t>(element.size());
  bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
  bytes.append(element);
  return lists_.set(key, bytes);
}

}  // namespace tidegate
