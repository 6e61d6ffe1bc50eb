// SPDX-License-Identifier: Apache-2.0
#include "state/keyed_list.h"

#include <cstring>
#include <utility>

#include "base/check.h"

namespace tidegate {
namespace {

struct Element {
  std::int64_t stamp = 0;
  std::string_view bytes;
};

void append_element(std::string& out, const Element& element, bool stamped) {
  const auto size = static_cast<std::uint32_t>(element.bytes.size());
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  if (stamped) out.append(reinterpret_cast<const char*>(&element.stamp), sizeof element.stamp);
  out.append(element.bytes);
}

/// Takes the first element off a list; false when the bytes do not begin with one.
bool take_element(std::string_view& rest, bool stamped, Element& element) {
  std::uint32_t size = 0;
  const std::size_t head = sizeof size + (stamped ? sizeof element.stamp : 0);
  if (rest.size() < head) return false;
  std::memcpy(&size, rest.data(), sizeof size);
  if (stamped) std::memcpy(&element.stamp, rest.data() + sizeof size, sizeof element.stamp);
  if (rest.size() - head < size) return false;
  element.bytes = rest.substr(head, size);
  rest.remove_prefix(head + size);
  return true;
}

}  // namespace

Result<KeyedList> KeyedList::open(StateBackend& state, std::string_view name, StateTtl ttl) {
  // Before version 2 only a list as a whole had a time.
  TG_ASSIGN_OR_RETURN(KeyedValue lists, KeyedValue::open(state, name, std::move(ttl), "list/2"));
  return KeyedList(std::move(lists));
}

Result<std::vector<std::string_view>> KeyedList::get(const StateKey& key) {
  const StateTtl& ttl = lists_.ttl();
  const std::int64_t now = ttl.enabled() ? ttl.now_ms() : 0;
  const bool renews = ttl.enabled() && ttl.update == StateTtl::Update::kOnReadAndWrite;
  if (renews) TG_RETURN_IF_ERROR(renew(key, now));
  std::vector<std::string_view> elements;
  std::string_view rest = lists_.get(key).value_or(std::string_view());
  Element element;
  while (!rest.empty() && take_element(rest, ttl.enabled(), element)) {
    const bool expired = ttl.enabled() && ttl.is_expired(element.stamp, now);
    if (!expired || ttl.shows_expired) elements.push_back(element.bytes);
  }
  if (!rest.empty()) {
    return error(ErrorCode::kStateCorrupt, "{} bytes at the end of a list in state are no element",
                 rest.size());
  }
  return elements;
}

Status KeyedList::renew(const StateKey& key, std::int64_t now) {
  const StateTtl& ttl = lists_.ttl();
  std::string_view rest = lists_.get(key).value_or(std::string_view());
  if (rest.empty()) return Status::ok();
  std::string renewed;
  Element element;
  while (take_element(rest, true, element)) {
    if (ttl.is_expired(element.stamp, now)) continue;
    element.stamp = now;
    append_element(renewed, element, true);
  }
  if (!rest.empty()) return Status::ok();  // get() reports it
  return lists_.set(key, renewed);
}

Status KeyedList::add(const StateKey& key, std::string_view element) {
  const StateTtl& ttl = lists_.ttl();
  element_.clear();
  append_element(element_, {ttl.enabled() ? ttl.now_ms() : 0, element}, ttl.enabled());
  return lists_.append(key, element_);
}

}  // namespace tidegate
