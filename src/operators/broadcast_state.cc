// SPDX-License-Identifier: Apache-2.0
#include "operators/broadcast_state.h"

#include "base/check.h"
#include "state/state_bytes.h"
#include "types/key_hash.h"

namespace tidegate {
namespace {

/// Without its upper half the hash lies in key group 0, as replicated tables want it.
StateKey key_of(std::string_view bytes) { return {bytes, hash_key(bytes) & 0xffff'ffff}; }

}  // namespace

Result<BroadcastState> BroadcastState::open(StateBackend& state, std::string_view name,
                                            const bool* writable) {
  const StateTableSpec spec{.name = std::string(name),
                            .layout = std::make_shared<BytesLayout>("map/1"),
                            .replicated = true};
  TG_ASSIGN_OR_RETURN(StateTable * table, state.table(spec));
  return BroadcastState(table, writable);
}

std::optional<std::string_view> BroadcastState::get(std::string_view key) const {
  const std::byte* value = table_->find(0, key_of(key));
  if (value == nullptr) return std::nullopt;
  return BytesLayout::view(value);
}

std::vector<std::pair<std::string_view, std::string_view>> BroadcastState::entries() const {
  std::vector<std::pair<std::string_view, std::string_view>> all;
  for (const std::byte* value : rows_by_key(*table_, 0)) {
    all.emplace_back(table_->key(value), BytesLayout::view(value));
  }
  return all;
}

Status BroadcastState::put(std::string_view key, std::string_view value) {
  TG_RETURN_IF_ERROR(check_writable());
  TG_ASSIGN_OR_RETURN(std::byte * place, table_->find_or_create(0, key_of(key)));
  assign_bytes(*table_, place, value);
  return table_->check_budget();
}

Status BroadcastState::erase(std::string_view key) {
  TG_RETURN_IF_ERROR(check_writable());
  table_->erase(0, key_of(key));
  return Status::ok();
}

Status BroadcastState::check_writable() const {
  if (*writable_) return Status::ok();
  return error(ErrorCode::kInvalidPlan,
               "broadcast state '{}' is written by the rows of the broadcast input only, since the "
               "tasks see different rows of the others",
               table_->spec().name);
}

}  // namespace tidegate
