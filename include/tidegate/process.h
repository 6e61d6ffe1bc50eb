// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tidegate/codec.h"
#include "tidegate/record.h"
#include "tidegate/untyped.h"

/// Functions with state, timers and side outputs over keyed streams.
namespace tidegate {

/// A named further output of an operator, e.g. for late rows.
template <RecordType T>
struct SideOutput {
  std::string name;
};

/// How long state is kept after it was written (or also read). Expired values are never seen.
struct Ttl {
  milliseconds duration{0};  ///< 0: for ever
  bool renewed_by_reads = false;
  bool by_event_time = false;  ///< else by processing time
};
constexpr Ttl ttl(milliseconds duration) { return {duration, false, false}; }

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

/// What a process function may ask for while it handles a row or a timer.
template <RecordType K, RecordType Out>
class Context {
 public:
  explicit Context(untyped::ProcessServices& services) : services_(services) {}

  K key() const { return Record<K>::read(services_.key(), 0, 0); }
  /// Of the row, or of the timer that has come.
  Timestamp event_time() const { return Timestamp(services_.event_time()); }
  /// No more rows before it are expected.
  Timestamp watermark() const { return Timestamp(services_.watermark()); }
  Timestamp processing_time() const { return Timestamp(services_.processing_time()); }

  /// Calls on_timer() for the current key once event time has passed `t`. A key has at most one
  /// timer of a time.
  void timer_at(Timestamp t) { untyped::check_state(services_.add_timer(true, t.ms)); }
  void remove_timer(Timestamp t) { services_.remove_timer(true, t.ms); }
  void processing_timer_at(Timestamp t) { untyped::check_state(services_.add_timer(false, t.ms)); }
  void remove_processing_timer(Timestamp t) { services_.remove_timer(false, t.ms); }

  void emit(const Out& row) {
    BatchWriter& out = services_.output(-1);
    Record<Out>::write(out, 0, row);
    out.end_row(0);
  }
  template <RecordType U>
  void emit(const SideOutput<U>& side, const U& row) {
    BatchWriter& out = services_.side_output(side.name);
    Record<U>::write(out, 0, row);
    out.end_row(0);
  }

 private:
  untyped::ProcessServices& services_;
};

/// A function over the rows of a keyed stream:
///   struct Sessions {
///     ValueState<std::int64_t> clicks;
///     void open(StateOpener& state) { clicks = state.value<std::int64_t>("clicks"); }
///     void process(const Click& click, Context<std::string, Alert>& context);
///     void on_timer(Timestamp t, Context<std::string, Alert>& context);  // optional
///   };
/// It is copied once per task.
template <typename F, typename T, typename K, typename Out>
concept ProcessFunctionOf = std::copy_constructible<F> &&
    requires(F& f, StateOpener& state, const T& row, Context<K, Out>& context) {
  f.open(state);
  f.process(row, context);
};

/// A function over two connected streams: process_first() and process_second() share state and,
/// where both are keyed, timers. Rows of a broadcast stream go to process_second() of every task.
template <typename F, typename T, typename U, typename K, typename Out>
concept ConnectedFunctionOf = std::copy_constructible<F> &&
    requires(F& f, StateOpener& state, const T& first, const U& second, Context<K, Out>& context) {
  f.open(state);
  f.process_first(first, context);
  f.process_second(second, context);
};

namespace untyped {

/// Calls a process function of type F; `U` is void when there is one input.
template <typename F, typename T, typename U, typename K, typename Out>
class TypedProcess final : public NativeProcess {
 public:
  using FunctionContext = Context<K, Out>;
  static constexpr bool kHasTimers = requires(F & f, Timestamp t, FunctionContext& context) {
    f.on_timer(t, context);
  };

  explicit TypedProcess(F function) : function_(std::move(function)) {}
  void open(ProcessServices& services) override {
    StateOpener opener(services);
    function_.open(opener);
  }
  void process(int input, const BatchView& batch, ProcessServices& services) override {
    FunctionContext context(services);
    for_each_row(batch, [&](std::int64_t row) {
      services.select(row);
      if constexpr (std::is_void_v<U>) {
        function_.process(Record<T>::read(batch, 0, row), context);
      } else if (input == 0) {
        function_.process_first(Record<T>::read(batch, 0, row), context);
      } else {
        function_.process_second(Record<U>::read(batch, 0, row), context);
      }
    });
  }
  void on_timer(EventTime time, ProcessServices& services) override {
    if constexpr (kHasTimers) {
      FunctionContext context(services);
      function_.on_timer(Timestamp(time), context);
    }
  }

 private:
  F function_;
};

}  // namespace untyped

}  // namespace tidegate
