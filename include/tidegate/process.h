// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tidegate/record.h"
#include "tidegate/state.h"
#include "tidegate/untyped.h"

/// Functions with state, timers and side outputs over keyed streams.
namespace tidegate {

/// A named further output of an operator, e.g. for late rows.
template <RecordType T>
struct SideOutput {
  std::string name;
};

/// What a process function may ask for while it handles a row or a timer.
template <RecordType K, RecordType Out>
class Context {
 public:
  explicit Context(untyped::ProcessServices& services) : services_(services) {}

  K key() const { return Record<K>::read(services_.key(), 0, 0); }
  /// Of the row, or of the timer that has come.
  Timestamp event_time() const { return Timestamp(services_.event_time()); }
  /// In on_timer(): whether the timer is one of event time.
  bool is_event_timer() const { return services_.is_event_timer(); }
  /// No more rows before it are expected. Functions without on_timer() say kUsesEventTime to know.
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
  /// With an event time of its own.
  void emit(const Out& row, Timestamp event_time) {
    const EventTime own = services_.event_time();
    services_.set_event_time(event_time.ms);
    emit(row);
    services_.set_event_time(own);
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
///     static constexpr bool kUsesEventTime = true;  // optional: without on_timer(), but with the
///   };                                              // watermark, or a Ttl by event time
/// With
///   void process_rows(std::span<const Click> clicks, Context<std::string, Alert>& context);
/// instead of process() it gets the rows of a key together, once per key: all that came since the
/// epoch began (in micro-batches: the batch) or the watermark moved last. What it emits then
/// depends on where epochs end, as with Spark's flatMapGroupsWithState and transformWithState. It
/// is copied once per task. With timers or event time it sees rows and watermarks in the order that
/// one row after another would give.
template <typename F, typename T, typename K, typename Out>
concept ProcessFunctionOf = std::copy_constructible<F> && requires(F& f, StateOpener& state) {
  f.open(state);
} &&(
    requires(F& f, const T& row, Context<K, Out>& context) { f.process(row, context); } ||
    requires(F & f, std::span<const T> rows, Context<K, Out>& context) {
      f.process_rows(rows, context);
    });

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
  static constexpr bool kUsesEventTime = kHasTimers || requires { requires F::kUsesEventTime; };

  static constexpr bool kGroupsRows =
      requires(F & f, std::span<const T> rows, FunctionContext& context) {
    f.process_rows(rows, context);
  };

  explicit TypedProcess(F function) : function_(std::move(function)) {}
  void open(ProcessServices& services) override {
    StateOpener opener(services);
    function_.open(opener);
  }
  void process(int input, const BatchView& batch, ProcessServices& services) override {
    FunctionContext context(services);
    if constexpr (kGroupsRows) {
      std::vector<T> rows;
      for_each_row(batch,
                   [&](std::int64_t row) { rows.push_back(Record<T>::read(batch, 0, row)); });
      services.select(0);
      function_.process_rows(std::span<const T>(rows), context);
    } else {
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
