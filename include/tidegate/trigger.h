// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "tidegate/codec.h"
#include "tidegate/record.h"
#include "tidegate/untyped.h"
#include "tidegate/windows.h"

/// Triggers say when a window gives a result, as in Flink.
namespace tidegate {

/// What a trigger may ask for. Its timers are those of the window, and go with it.
class TriggerContext {
 public:
  explicit TriggerContext(untyped::WindowTimers& timers) : timers_(timers) {}
  /// Of the row, or of the timer that has come.
  Timestamp event_time() const { return Timestamp(timers_.event_time()); }
  /// No more rows before it are expected.
  Timestamp watermark() const { return Timestamp(timers_.watermark()); }
  Timestamp processing_time() const { return Timestamp(timers_.processing_time()); }
  bool has_passed(Timestamp t) const { return t < watermark(); }

  void timer_at(Timestamp t) { timers_.add_timer(true, t.ms); }
  void remove_timer(Timestamp t) { timers_.remove_timer(true, t.ms); }
  void processing_timer_at(Timestamp t) { timers_.add_timer(false, t.ms); }
  void remove_processing_timer(Timestamp t) { timers_.remove_timer(false, t.ms); }

 private:
  untyped::WindowTimers& timers_;
};

namespace untyped {
template <typename G>
struct StateOfTrigger {
  using Type = std::monostate;
};
template <typename G>
requires requires { typename G::State; }
struct StateOfTrigger<G> {
  using Type = typename G::State;
};
}  // namespace untyped

/// What a trigger remembers of a window.
template <typename G>
using TriggerState = typename untyped::StateOfTrigger<G>::Type;

/// A trigger over rows of T. One object serves all windows; what it knows of one is in `State`:
///   struct EveryThird {
///     using State = std::int64_t;                      // optional; per key and window; see Codec
///     TriggerResult on_row(State&, const T& row, const WindowSpan&, TriggerContext&) const;
///     TriggerResult on_event_time(State&, Timestamp t, const WindowSpan&, TriggerContext&) const;
///     TriggerResult on_processing_time(State&, Timestamp t, const WindowSpan&,
///                                      TriggerContext&) const;    // both optional: timers
///     void merge(State& into, const State& from) const;           // both optional: needed for
///     void on_merge(State&, const WindowSpan&, TriggerContext&) const;  // sessions, which merge;
///   };                                                            // sets the timers anew
template <typename G, typename T>
concept TriggerOf = std::copy_constructible<G> && StateType<TriggerState<G>> &&
    requires(const G& trigger, TriggerState<G>& state, const T& row, const WindowSpan& window,
             TriggerContext& context) {
  { trigger.on_row(state, row, window, context) } -> std::same_as<TriggerResult>;
};

template <typename G>
concept HasEventTimers = requires(const G& trigger, TriggerState<G>& state, Timestamp t,
                                  const WindowSpan& window, TriggerContext& context) {
  { trigger.on_event_time(state, t, window, context) } -> std::same_as<TriggerResult>;
};
template <typename G>
concept HasProcessingTimers = requires(const G& trigger, TriggerState<G>& state, Timestamp t,
                                       const WindowSpan& window, TriggerContext& context) {
  { trigger.on_processing_time(state, t, window, context) } -> std::same_as<TriggerResult>;
};
template <typename G>
concept MergesState = requires(const G& trigger, TriggerState<G>& into,
                               const TriggerState<G>& from) {
  trigger.merge(into, from);
};
template <typename G>
concept MergesTimers = requires(const G& trigger, TriggerState<G>& state, const WindowSpan& window,
                                TriggerContext& context) {
  trigger.on_merge(state, window, context);
};

namespace untyped {
/// True when a trigger looks at the watermark at nothing but ends of windows.
template <typename G>
inline constexpr bool kOnlyEndsOfWindows = requires {
  requires G::kOnlyEndsOfWindows;
};
}  // namespace untyped

/// Fires when event time reaches the end of the window, and with each row that comes after that
/// within the grace. The end of a global window is the end of a bounded input.
struct EventTimeTrigger {
  static constexpr bool kOnlyEndsOfWindows = true;
  using State = std::monostate;
  template <typename T>
  TriggerResult on_row(State&, const T&, const WindowSpan& window, TriggerContext& context) const {
    if (context.has_passed(window.last)) return TriggerResult::kFire;
    context.timer_at(window.last);
    return TriggerResult::kContinue;
  }
  TriggerResult on_event_time(State&, Timestamp t, const WindowSpan& window,
                              TriggerContext&) const {
    return t == window.last ? TriggerResult::kFire : TriggerResult::kContinue;
  }
  void on_merge(State&, const WindowSpan& window, TriggerContext& context) const {
    if (!context.has_passed(window.last)) context.timer_at(window.last);
  }
};
inline EventTimeTrigger on_event_time() { return {}; }

/// Fires once, when the window has its final result: its end and the grace have passed.
struct CloseTrigger {
  static constexpr bool kOnlyEndsOfWindows = true;
  using State = std::monostate;
  milliseconds grace{0};
  Timestamp close(const WindowSpan& window) const {
    return window.last.ms > kMaxWatermark - grace.count() ? Timestamp(kMaxWatermark)
                                                          : window.last + grace;
  }
  template <typename T>
  TriggerResult on_row(State&, const T&, const WindowSpan& window, TriggerContext& context) const {
    context.timer_at(close(window));
    return TriggerResult::kContinue;
  }
  TriggerResult on_event_time(State&, Timestamp t, const WindowSpan& window,
                              TriggerContext&) const {
    return t == close(window) ? TriggerResult::kFire : TriggerResult::kContinue;
  }
  void on_merge(State&, const WindowSpan& window, TriggerContext& context) const {
    context.timer_at(close(window));
  }
};

/// Fires when the clock reaches the end of the window.
struct ProcessingTimeTrigger {
  using State = std::monostate;
  template <typename T>
  TriggerResult on_row(State&, const T&, const WindowSpan& window, TriggerContext& context) const {
    context.processing_timer_at(window.last);
    return TriggerResult::kContinue;
  }
  TriggerResult on_processing_time(State&, Timestamp, const WindowSpan&, TriggerContext&) const {
    return TriggerResult::kFire;
  }
  void on_merge(State&, const WindowSpan& window, TriggerContext& context) const {
    context.processing_timer_at(window.last);
  }
};
inline ProcessingTimeTrigger on_processing_time() { return {}; }

/// Fires with every n-th row of the window.
struct CountTrigger {
  using State = std::int64_t;
  std::int64_t count = 1;
  template <typename T>
  TriggerResult on_row(State& seen, const T&, const WindowSpan&, TriggerContext&) const {
    if (++seen < count) return TriggerResult::kContinue;
    seen = 0;
    return TriggerResult::kFire;
  }
  void merge(State& into, const State& from) const { into += from; }
};
inline CountTrigger on_count(std::int64_t rows) { return {rows}; }

namespace untyped {
/// The earliest of two times that may not be there.
inline std::optional<std::int64_t> earliest(std::optional<std::int64_t> a,
                                            std::optional<std::int64_t> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}
/// The multiple of `interval` behind `t`, or the last instant of the window before that.
inline std::int64_t next_firing(std::int64_t t, milliseconds interval, const WindowSpan& window) {
  std::int64_t into = t % interval.count();
  if (into < 0) into += interval.count();
  return std::min(t - into + interval.count(), window.last.ms);
}
}  // namespace untyped

/// Fires at every multiple of `interval` in event time, and at the end of the window.
struct ContinuousEventTimeTrigger {
  using State = std::optional<std::int64_t>;  // when it fires next
  milliseconds interval{0};
  template <typename T>
  TriggerResult on_row(State& next, const T&, const WindowSpan& window,
                       TriggerContext& context) const {
    if (context.has_passed(window.last)) return TriggerResult::kFire;
    context.timer_at(window.last);
    if (!next) set(next, context.event_time().ms, window, context);
    return TriggerResult::kContinue;
  }
  TriggerResult on_event_time(State& next, Timestamp t, const WindowSpan& window,
                              TriggerContext& context) const {
    if (t == window.last) return TriggerResult::kFire;
    if (next != t.ms) return TriggerResult::kContinue;
    set(next, t.ms, window, context);
    return TriggerResult::kFire;
  }
  void merge(State& into, const State& from) const { into = untyped::earliest(into, from); }
  void on_merge(State& next, const WindowSpan& window, TriggerContext& context) const {
    context.timer_at(window.last);
    if (next) context.timer_at(Timestamp(*next));
  }

 private:
  void set(State& next, std::int64_t t, const WindowSpan& window, TriggerContext& context) const {
    next = untyped::next_firing(t, interval, window);
    context.timer_at(Timestamp(*next));
  }
};
inline ContinuousEventTimeTrigger every_event_time(milliseconds interval) { return {interval}; }

/// Fires at every multiple of `interval` on the clock, while rows come.
struct ContinuousProcessingTimeTrigger {
  using State = std::optional<std::int64_t>;  // when it fires next
  milliseconds interval{0};
  template <typename T>
  TriggerResult on_row(State& next, const T&, const WindowSpan& window,
                       TriggerContext& context) const {
    if (!next) set(next, context.processing_time().ms, window, context);
    return TriggerResult::kContinue;
  }
  TriggerResult on_processing_time(State& next, Timestamp t, const WindowSpan& window,
                                   TriggerContext& context) const {
    if (next != t.ms) return TriggerResult::kContinue;
    set(next, t.ms, window, context);
    return TriggerResult::kFire;
  }
  void merge(State& into, const State& from) const { into = untyped::earliest(into, from); }
  void on_merge(State& next, const WindowSpan&, TriggerContext& context) const {
    if (next) context.processing_timer_at(Timestamp(*next));
  }

 private:
  /// The clock may be far behind the end of a window of event time.
  void set(State& next, std::int64_t t, const WindowSpan& window, TriggerContext& context) const {
    next = untyped::next_firing(t, interval, t < window.last.ms ? window : WindowSpan());
    context.processing_timer_at(Timestamp(*next));
  }
};
inline ContinuousProcessingTimeTrigger every_processing_time(milliseconds interval) {
  return {interval};
}

/// Fires with a row that is further than `threshold` from the one that fired last (or the first
/// one): distance(a, b) says how far.
template <StateType T, typename F>
struct DeltaTrigger {
  using State = std::optional<T>;
  double threshold = 0;
  F distance;
  TriggerResult on_row(State& last, const T& row, const WindowSpan&, TriggerContext&) const {
    if (last && !(distance(*last, row) > threshold)) return TriggerResult::kContinue;
    const bool fires = last.has_value();
    last = row;
    return fires ? TriggerResult::kFire : TriggerResult::kContinue;
  }
};
template <StateType T, typename F>
requires std::is_invocable_r_v<double, const F&, const T&, const T&> DeltaTrigger<T, F> on_delta(
    double threshold, F distance) {
  return {threshold, std::move(distance)};
}

/// Fires when another trigger does, and lets the rows go with that.
template <typename G>
struct PurgingTrigger {
  static constexpr bool kOnlyEndsOfWindows = untyped::kOnlyEndsOfWindows<G>;
  using State = TriggerState<G>;
  G trigger;
  template <typename T>
  requires TriggerOf<G, T> TriggerResult on_row(State& state, const T& row,
                                                const WindowSpan& window, TriggerContext& context)
  const { return purge(trigger.on_row(state, row, window, context)); }
  TriggerResult on_event_time(State& state, Timestamp t, const WindowSpan& window,
                              TriggerContext& context) const requires HasEventTimers<G> {
    return purge(trigger.on_event_time(state, t, window, context));
  }
  TriggerResult on_processing_time(State& state, Timestamp t, const WindowSpan& window,
                                   TriggerContext& context) const requires HasProcessingTimers<G> {
    return purge(trigger.on_processing_time(state, t, window, context));
  }
  void merge(State& into, const State& from) const requires MergesState<G> {
    trigger.merge(into, from);
  }
  void on_merge(State& state, const WindowSpan& window,
                TriggerContext& context) const requires MergesTimers<G> {
    trigger.on_merge(state, window, context);
  }

 private:
  static TriggerResult purge(TriggerResult result) {
    return result == TriggerResult::kFire ? TriggerResult::kFireAndPurge : result;
  }
};
template <typename G>
PurgingTrigger<G> purging(G trigger) {
  return {std::move(trigger)};
}

namespace untyped {

/// The untyped form of a trigger.
template <RecordType T, TriggerOf<T> G>
class TypedTrigger final : public NativeTrigger {
 public:
  using State = TriggerState<G>;
  explicit TypedTrigger(G trigger) : trigger_(std::move(trigger)) {}

  std::string initial_state() const override { return encode(State{}); }
  bool orders_rows() const override { return HasEventTimers<G> && !kOnlyEndsOfWindows<G>; }
  TriggerResult on_row(std::string& state, const BatchView& in, std::int64_t row,
                       const WindowSpan& window, WindowTimers& timers) const override {
    return call(state, timers, [&](State& typed, TriggerContext& context) {
      return trigger_.on_row(typed, Record<T>::read(in, 0, row), window, context);
    });
  }
  TriggerResult on_timer(std::string& state, bool event_time, std::int64_t time,
                         const WindowSpan& window, WindowTimers& timers) const override {
    return call(state, timers, [&](State& typed, TriggerContext& context) {
      if constexpr (HasEventTimers<G>) {
        if (event_time) return trigger_.on_event_time(typed, Timestamp(time), window, context);
      }
      if constexpr (HasProcessingTimers<G>) {
        if (!event_time) {
          return trigger_.on_processing_time(typed, Timestamp(time), window, context);
        }
      }
      return TriggerResult::kContinue;
    });
  }
  bool can_merge() const override {
    constexpr bool kHasTimers = HasEventTimers<G> || HasProcessingTimers<G>;
    return (MergesState<G> || std::is_empty_v<State>)&&(MergesTimers<G> || !kHasTimers);
  }
  void merge(std::string& into, std::string_view from) const override {
    if constexpr (MergesState<G>) {
      State merged = decode(into);
      trigger_.merge(merged, decode(from));
      into = encode(merged);
    }
  }
  void on_merge(std::string& state, const WindowSpan& window, WindowTimers& timers) const override {
    if constexpr (MergesTimers<G>) {
      call(state, timers, [&](State& typed, TriggerContext& context) {
        trigger_.on_merge(typed, window, context);
        return TriggerResult::kContinue;
      });
    }
  }

 private:
  static State decode(std::string_view bytes) {
    State state{};
    if (!Codec<State>::read(bytes, state)) {
      throw std::runtime_error("the state of a trigger is not of its type");
    }
    return state;
  }
  static std::string encode(const State& state) {
    std::string bytes;
    Codec<State>::write(bytes, state);
    return bytes;
  }
  template <typename F>
  static TriggerResult call(std::string& state, WindowTimers& timers, F&& f) {
    TriggerContext context(timers);
    State typed = decode(state);
    const TriggerResult result = f(typed, context);
    state = encode(typed);
    return result;
  }

  G trigger_;
};

}  // namespace untyped

template <RecordType T, TriggerOf<T> G>
std::shared_ptr<const untyped::NativeTrigger> make_trigger(G trigger) {
  return std::make_shared<untyped::TypedTrigger<T, G>>(std::move(trigger));
}

}  // namespace tidegate
