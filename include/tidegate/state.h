// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "tidegate/aggregate.h"
#include "tidegate/codec.h"
#include "tidegate/untyped.h"

/// State per key of functions of the program.
namespace tidegate {

/// How long state is kept after it was written (or also read). An entry of a map ages by itself,
/// other states as a whole. Expired values are never seen, and cleaned up beside the work.
struct Ttl {
  milliseconds duration{0};  ///< 0: for ever
  bool renewed_by_reads = false;
  /// Ages by the watermark instead of the clock; the function must say kUsesEventTime, unless it
  /// has on_timer().
  bool by_event_time = false;
  bool shows_expired = false;  ///< expired values are seen until they are cleaned up
};
constexpr Ttl ttl(milliseconds duration) { return Ttl{.duration = duration}; }

namespace untyped {
/// Throws what went wrong with state; it stops the job with the operator's name.
inline void check_state(const Status& status) {
  if (!status.is_ok()) throw std::runtime_error(status.to_string());
}
template <StateType T>
T decode_state(std::string_view bytes) {
  T value{};
  if (!Codec<T>::read(bytes, value)) throw std::runtime_error("state is not of the type asked for");
  return value;
}
template <StateType T>
std::string encode_state(const T& value) {
  std::string bytes;
  Codec<T>::write(bytes, value);
  return bytes;
}
}  // namespace untyped

/// One value per key. Like all states: a handle, made in open(), that means the current key's.
template <StateType T>
class ValueState {
 public:
  ValueState() = default;
  explicit ValueState(std::shared_ptr<untyped::BytesValue> bytes) : bytes_(std::move(bytes)) {}
  std::optional<T> get() const {
    const std::optional<std::string_view> bytes = bytes_->get();
    if (!bytes) return std::nullopt;
    return untyped::decode_state<T>(*bytes);
  }
  T get_or(T fallback) const { return get().value_or(std::move(fallback)); }
  void set(const T& value) { untyped::check_state(bytes_->set(untyped::encode_state(value))); }
  void clear() { bytes_->clear(); }

 private:
  std::shared_ptr<untyped::BytesValue> bytes_;
};

/// One value per key that all added ones have been combined to.
template <StateType T>
class ReducingState {
 public:
  ReducingState() = default;
  ReducingState(ValueState<T> value, std::function<T(const T&, const T&)> combine)
      : value_(std::move(value)), combine_(std::move(combine)) {}
  std::optional<T> get() const { return value_.get(); }
  void add(const T& value) {
    const std::optional<T> before = value_.get();
    value_.set(before ? combine_(*before, value) : value);
  }
  void clear() { value_.clear(); }

 private:
  ValueState<T> value_;
  std::function<T(const T&, const T&)> combine_;
};

/// The aggregate of all added values of a key; see AggregateOf.
template <typename T, AggregateOf<T> A>
class AggregatingState {
 public:
  AggregatingState() = default;
  AggregatingState(ValueState<typename A::Accumulator> accumulator, A aggregate)
      : accumulator_(std::move(accumulator)), aggregate_(std::move(aggregate)) {}
  /// Empty when nothing has been added.
  std::optional<AggregateResult<A>> get() const {
    const auto accumulator = accumulator_.get();
    if (!accumulator) return std::nullopt;
    return aggregate_->result(*accumulator);
  }
  void add(const T& value) {
    auto accumulator = accumulator_.get();
    if (!accumulator) accumulator = aggregate_->create();
    aggregate_->add(*accumulator, value);
    accumulator_.set(*accumulator);
  }
  void clear() { accumulator_.clear(); }

 private:
  ValueState<typename A::Accumulator> accumulator_;
  std::optional<A> aggregate_;
};

/// A list per key.
template <StateType T>
class ListState {
 public:
  ListState() = default;
  explicit ListState(std::shared_ptr<untyped::BytesList> bytes) : bytes_(std::move(bytes)) {}
  std::vector<T> get() const {
    std::vector<T> values;
    bytes_->for_each(
        [&](std::string_view bytes) { values.push_back(untyped::decode_state<T>(bytes)); });
    return values;
  }
  void add(const T& value) { untyped::check_state(bytes_->add(untyped::encode_state(value))); }
  void clear() { bytes_->clear(); }

 private:
  std::shared_ptr<untyped::BytesList> bytes_;
};

/// A map per key. What an epoch stores is the entries that have changed, not the map.
template <StateType M, StateType T>
class MapState {
 public:
  MapState() = default;
  explicit MapState(std::shared_ptr<untyped::BytesMap> bytes) : bytes_(std::move(bytes)) {}
  std::optional<T> get(const M& key) const {
    const std::optional<std::string_view> bytes = bytes_->get(untyped::encode_state(key));
    if (!bytes) return std::nullopt;
    return untyped::decode_state<T>(*bytes);
  }
  bool contains(const M& key) const { return bytes_->get(untyped::encode_state(key)).has_value(); }
  void put(const M& key, const T& value) {
    untyped::check_state(bytes_->put(untyped::encode_state(key), untyped::encode_state(value)));
  }
  void erase(const M& key) { bytes_->erase(untyped::encode_state(key)); }
  /// In the order of the keys' bytes.
  std::vector<std::pair<M, T>> entries() const {
    std::vector<std::pair<M, T>> entries;
    bytes_->for_each([&](std::string_view key, std::string_view value) {
      entries.emplace_back(untyped::decode_state<M>(key), untyped::decode_state<T>(value));
    });
    return entries;
  }
  void clear() { bytes_->clear(); }

 private:
  std::shared_ptr<untyped::BytesMap> bytes_;
};

/// Makes the states of a process function; names are their identity over restarts.
class StateOpener {
 public:
  explicit StateOpener(untyped::ProcessServices& services) : services_(services) {}
  template <StateType T>
  ValueState<T> value(std::string_view name, Ttl ttl = {}) {
    return ValueState<T>(services_.value_state(name, ttl));
  }
  template <StateType T>
  ListState<T> list(std::string_view name, Ttl ttl = {}) {
    return ListState<T>(services_.list_state(name, ttl));
  }
  /// combine(a, b) of two values, as std::plus<>().
  template <StateType T, typename F>
  requires std::is_invocable_r_v<T, F&, const T&, const T&> ReducingState<T> reducing(
      std::string_view name, F combine, Ttl ttl = {}) {
    return ReducingState<T>(value<T>(name, ttl), std::move(combine));
  }
  template <typename T, AggregateOf<T> A>
  AggregatingState<T, A> aggregating(std::string_view name, A aggregate, Ttl ttl = {}) {
    return AggregatingState<T, A>(value<typename A::Accumulator>(name, ttl), std::move(aggregate));
  }
  template <StateType M, StateType T>
  MapState<M, T> map(std::string_view name, Ttl ttl = {}) {
    return MapState<M, T>(services_.map_state(name, ttl));
  }
  /// A map that every task has in full, for all keys: rules, rates, models. Only rows of a
  /// broadcast stream may change it; see KeyedStream::connect_broadcast.
  template <StateType M, StateType T>
  MapState<M, T> broadcast(std::string_view name) {
    return MapState<M, T>(services_.broadcast_state(name));
  }
  int task() const { return services_.task(); }

 private:
  untyped::ProcessServices& services_;
};

}  // namespace tidegate
