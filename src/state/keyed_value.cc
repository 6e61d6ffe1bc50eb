// SPDX-License-Identifier: Apache-2.0
#include "state/keyed_value.h"

#include "base/check.h"
#include "state/state_bytes.h"

namespace tidegate {

Result<KeyedValue> KeyedValue::open(StateBackend& state, std::string_view name, StateTtl ttl,
                                    std::string form) {
  const StateTableSpec spec{.name = std::string(name),
                            .layout = std::make_shared<BytesLayout>(std::move(form)),
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
      if (ttl_.shows_expired) return BytesLayout::view(value);
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
  TG_ASSIGN_OR_RETURN(std::byte * value, row_to_write(key));
  assign_bytes(*table_, value, bytes);
  return table_->check_budget();
}

Status KeyedValue::append(const StateKey& key, std::string_view bytes) {
  std::byte* const before = ttl_.enabled() ? table_->find(0, key) : nullptr;
  if (before != nullptr && ttl_.is_expired(table_->stamp(before), ttl_.now_ms())) {
    table_->erase(0, before);
  }
  TG_ASSIGN_OR_RETURN(std::byte * value, row_to_write(key));
  append_bytes(*table_, value, bytes);
  return table_->check_budget();
}

Result<std::byte*> KeyedValue::row_to_write(const StateKey& key) {
  if (!ttl_.enabled()) return table_->find_or_create(0, key);
  const std::int64_t now = ttl_.now_ms();
  sweep_.sweep(ttl_, now, 2);
  TG_ASSIGN_OR_RETURN(std::byte * value, table_->find_or_create(0, key));
  table_->stamp(value) = now;
  return value;
}

void KeyedValue::for_each_key(const std::function<void(std::string_view)>& visit) const {
  for (const std::byte* value : rows_by_key(*table_, 0)) visit(table_->key(value));
}

}  // namespace tidegate
