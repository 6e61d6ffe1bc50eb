// SPDX-License-Identifier: Apache-2.0
#include "state/keyed_value.h"

#include "base/check.h"
#include "state/state_bytes.h"

namespace tidegate {

Result<KeyedValue> KeyedValue::open(StateBackend& state, std::string_view name, StateTtl ttl) {
  const StateTableSpec spec{.name = std::string(name),
                            .layout = std::make_shared<BytesLayout>(),
                            .stamped = ttl.enabled()};
  TG_ASSIGN_OR_RETURN(StateTable * table, state.table(spec));
  return KeyedValue(table, std::move(ttl));
}

std::optional<std::string_view> KeyedValue::get(const StateKey& key) {
  std::byte* value = table_->find(0, key);
  if (value == nullptr) return std::nullopt;
  if (ttl_.enabled()) {
    const std::int64_t now = ttl_.now_ms();
    if (ttl_.is_expired(table_->stamp(value), now)) {
      table_->erase(0, value);
      return std::nullopt;
    }
    if (ttl_.update == StateTtl::Update::kOnReadAndWrite) {
      table_->stamp(value) = now;
      table_->touch(0, value);
    }
  }
  return BytesLayout::view(value);
}

Status KeyedValue::set(const StateKey& key, std::string_view bytes) {
  if (ttl_.enabled()) sweep_.sweep(ttl_, ttl_.now_ms(), 2);
  TG_ASSIGN_OR_RETURN(std::byte * value, table_->find_or_create(0, key));
  assign_bytes(*table_, value, bytes);
  if (ttl_.enabled()) table_->stamp(value) = ttl_.now_ms();
  return table_->check_budget();
}

void KeyedValue::for_each_key(const std::function<void(std::string_view)>& visit) const {
  for (const std::byte* value : rows_by_key(*table_, 0)) visit(table_->key(value));
}

}  // namespace tidegate
