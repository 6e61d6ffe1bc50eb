// SPDX-License-Identifier: Apache-2.0
#include "api/process_state.h"

#include <utility>

#include "base/check.h"
#include "state/keyed_list.h"
#include "state/keyed_map.h"
#include "state/keyed_value.h"

namespace tidegate::untyped {
namespace {

StateTtl state_ttl(tidegate::ProcessContext& context, const Ttl& ttl, const EventClock& clock) {
  StateTtl out;
  out.ttl_ms = ttl.duration.count();
  if (ttl.renewed_by_reads) out.update = StateTtl::Update::kOnReadAndWrite;
  out.shows_expired = ttl.shows_expired;
  if (ttl.by_event_time) {
    out.now_ms = clock;
  } else {
    out.now_ms = [&context] { return context.processing_time_ms(); };
  }
  return out;
}

Status check_ttl(tidegate::ProcessContext& context, std::string_view name, const Ttl& ttl) {
  if (ttl.duration.count() < 0) {
    return error(ErrorCode::kInvalidArgument, "the TTL of state '{}' is {} ms", name,
                 ttl.duration.count());
  }
  if (!ttl.by_event_time || context.orders_event_time()) return Status::ok();
  return Status(
      ErrorCode::kInvalidPlan,
      fmt::format("state '{}' ages by event time, but the function does not look at it", name),
      "Give the function a member: static constexpr bool kUsesEventTime = true;");
}

class Value final : public BytesValue {
 public:
  Value(tidegate::ProcessContext& context, KeyedValue state)
      : context_(context), state_(std::move(state)) {}
  std::optional<std::string_view> get() override { return state_.get(context_.key()); }
  Status set(std::string_view bytes) override { return state_.set(context_.key(), bytes); }
  Status append(std::string_view bytes) override { return state_.append(context_.key(), bytes); }
  void clear() override { state_.erase(context_.key()); }

 private:
  tidegate::ProcessContext& context_;
  KeyedValue state_;
};

class List final : public BytesList {
 public:
  List(tidegate::ProcessContext& context, KeyedList state)
      : context_(context), state_(std::move(state)) {}
  void for_each(const std::function<void(std::string_view)>& visit) override {
    const Result<std::vector<std::string_view>> elements = state_.get(context_.key());
    check_state(elements.status());
    for (std::string_view element : *elements) visit(element);
  }
  Status add(std::string_view bytes) override { return state_.add(context_.key(), bytes); }
  void clear() override { state_.erase(context_.key()); }

 private:
  tidegate::ProcessContext& context_;
  KeyedList state_;
};

class Map final : public BytesMap {
 public:
  Map(tidegate::ProcessContext& context, KeyedMap state)
      : context_(context), state_(std::move(state)) {}
  std::optional<std::string_view> get(std::string_view key) override {
    return state_.get(context_.key(), key);
  }
  Status put(std::string_view key, std::string_view value) override {
    return state_.put(context_.key(), key, value);
  }
  void erase(std::string_view key) override { state_.erase(context_.key(), key); }
  void for_each(
      const std::function<void(std::string_view key, std::string_view value)>& visit) override {
    for (const auto& [key, value] : state_.entries(context_.key())) visit(key, value);
  }
  void clear() override { state_.clear(context_.key()); }

 private:
  tidegate::ProcessContext& context_;
  KeyedMap state_;
};

class Broadcast final : public BytesMap {
 public:
  explicit Broadcast(BroadcastState* state) : state_(state) {}
  std::optional<std::string_view> get(std::string_view key) override { return state_->get(key); }
  Status put(std::string_view key, std::string_view value) override {
    return state_->put(key, value);
  }
  void erase(std::string_view key) override { check_state(state_->erase(key)); }
  void for_each(
      const std::function<void(std::string_view key, std::string_view value)>& visit) override {
    for (const auto& [key, value] : state_->entries()) visit(key, value);
  }
  void clear() override {
    std::vector<std::string> keys;
    for (const auto& [key, value] : state_->entries()) keys.emplace_back(key);
    for (const std::string& key : keys) erase(key);
  }

 private:
  BroadcastState* state_;  // the context's
};

}  // namespace

Result<std::shared_ptr<BytesMap>> make_broadcast_state(tidegate::ProcessContext& context,
                                                       std::string_view name) {
  TG_ASSIGN_OR_RETURN(BroadcastState * state, context.broadcast_state(name));
  return std::make_shared<Broadcast>(state);
}

Result<std::shared_ptr<BytesValue>> make_value_state(tidegate::ProcessContext& context,
                                                     std::string_view name, const Ttl& ttl,
                                                     const EventClock& clock) {
  TG_RETURN_IF_ERROR(check_ttl(context, name, ttl));
  TG_ASSIGN_OR_RETURN(KeyedValue state,
                      KeyedValue::open(context.state(), name, state_ttl(context, ttl, clock)));
  return std::make_shared<Value>(context, std::move(state));
}

Result<std::shared_ptr<BytesList>> make_list_state(tidegate::ProcessContext& context,
                                                   std::string_view name, const Ttl& ttl,
                                                   const EventClock& clock) {
  TG_RETURN_IF_ERROR(check_ttl(context, name, ttl));
  TG_ASSIGN_OR_RETURN(KeyedList state,
                      KeyedList::open(context.state(), name, state_ttl(context, ttl, clock)));
  return std::make_shared<List>(context, std::move(state));
}

Result<std::shared_ptr<BytesMap>> make_map_state(tidegate::ProcessContext& context,
                                                 std::string_view name, const Ttl& ttl,
                                                 const EventClock& clock) {
  TG_RETURN_IF_ERROR(check_ttl(context, name, ttl));
  TG_ASSIGN_OR_RETURN(KeyedMap state,
                      KeyedMap::open(context.state(), name, state_ttl(context, ttl, clock)));
  return std::make_shared<Map>(context, std::move(state));
}

}  // namespace tidegate::untyped
