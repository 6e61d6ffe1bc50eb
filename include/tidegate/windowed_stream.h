// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tidegate/aggregate.h"
#include "tidegate/evictor.h"
#include "tidegate/process.h"
#include "tidegate/record.h"
#include "tidegate/trigger.h"
#include "tidegate/untyped.h"
#include "tidegate/window_function.h"
#include "tidegate/windows.h"

namespace tidegate {

/// Names an operator: in metrics and errors, and as the identity of its state.
struct As {
  std::string name;
};
inline As as(std::string name) { return {std::move(name)}; }

template <RecordType T>
class Stream;

/// A windowed stream with a trigger, an evictor or windows of processing time. Rows of T are kept
/// in state where all of them are needed: by a function or an evictor.
template <RecordType K, RecordType T, template <typename, typename> typename R>
class TriggeredStream {
 public:
  TriggeredStream(untyped::Plan* plan, untyped::NodeRef node, std::vector<int> keys,
                  untyped::WindowSpec spec)
      : plan_(plan), node_(std::move(node)), keys_(std::move(keys)), spec_(std::move(spec)) {}

  template <TriggerOf<T> G>
  TriggeredStream trigger(G trigger) const {
    TriggeredStream copy = *this;
    copy.spec_.trigger = make_trigger<T>(std::move(trigger));
    return copy;
  }
  template <EvictorOf<T> E>
  TriggeredStream evict(E evictor) const {
    TriggeredStream copy = *this;
    copy.evictor_ = std::make_shared<untyped::TypedEvictor<T, E>>(std::move(evictor));
    return copy;
  }
  /// Ends windows by the clock, unless trigger() follows.
  TriggeredStream by_processing_time() const {
    TriggeredStream copy = trigger(on_processing_time());
    copy.spec_.processing_time = true;
    return copy;
  }
  TriggeredStream late_to(const SideOutput<T>& side) const {
    TriggeredStream copy = *this;
    copy.spec_.late_output = side.name;
    return copy;
  }

  template <RecordType Out, typename F, RecordType... Sides>
  requires WindowFunctionOf<F, std::vector<T>, K, Out> Stream<Out> process(
      F function, As name = as("process"), const SideOutput<Sides>&... sides)
  const { return finish<Out>(untyped::AllRows(), std::move(function), std::move(name), sides...); }
  template <RecordType Out, AggregateOf<T> A, typename F, RecordType... Sides>
  requires WindowFunctionOf<F, AggregateResult<A>, K, Out> Stream<Out> process(
      A aggregate, F function, As name = as("process"), const SideOutput<Sides>&... sides)
  const {
    return finish<Out>(std::move(aggregate), std::move(function), std::move(name), sides...);
  }

  Stream<R<K, std::int64_t>> count(As name = as("count")) const {
    return aggregate(CountRows<T>(), std::move(name));
  }
  template <typename M, std::same_as<T> C>
  auto sum(M C::*member, As name = as("sum")) const {
    return aggregate(FoldMember<T, M, AddNumbers>{member}, std::move(name));
  }
  template <typename M, std::same_as<T> C>
  Stream<R<K, M>> min(M C::*member, As name = as("min")) const {
    return aggregate(FoldMember<T, M, SmallerOf>{member}, std::move(name));
  }
  template <typename M, std::same_as<T> C>
  Stream<R<K, M>> max(M C::*member, As name = as("max")) const {
    return aggregate(FoldMember<T, M, LargerOf>{member}, std::move(name));
  }
  template <AggregateOf<T> A>
  auto aggregate(A aggregate, As name = as("aggregate")) const {
    return finish<R<K, AggregateResult<A>>>(std::move(aggregate), EmitValue<R>(), std::move(name));
  }
  template <typename F>
  requires std::is_invocable_r_v<T, F&, const T&, const T&> Stream<R<K, T>> reduce(
      F f, As name = as("reduce"))
  const { return aggregate(Reduce<T, F>{std::move(f)}, std::move(name)); }

 private:
  template <RecordType Out, typename A, typename F, RecordType... Sides>
  Stream<Out> finish(A aggregate, F function, As name, const SideOutput<Sides>&... sides) const {
    using Function = untyped::TypedWindow<T, K, Out, A, F>;
    std::vector<untyped::SideSpec> side_specs{{sides.name, record_columns<Sides>()}...};
    if (!spec_.late_output.empty()) {
      side_specs.push_back({spec_.late_output, record_columns<T>()});
    }
    untyped::NodeRef node = plan_->window(
        node_, keys_, spec_, record_columns<Out>(), std::move(side_specs),
        /*orders_rows=*/Function::kHasState, [aggregate, function, evictor = evictor_] {
          return std::make_unique<Function>(aggregate, function, evictor);
        });
    plan_->name(node, std::move(name.name));
    return Stream<Out>(plan_, node);
  }

  untyped::Plan* plan_;
  untyped::NodeRef node_;
  std::vector<int> keys_;
  untyped::WindowSpec spec_;
  std::shared_ptr<const untyped::RowEvictor<T>> evictor_;
};

/// A keyed stream cut into windows: finish it with an aggregate or a function. R is what a result
/// is: Windowed for windows of time, Keyed for windows of rows.
template <RecordType K, RecordType T, template <typename, typename> typename R>
class WindowedStream {
 public:
  WindowedStream(untyped::Plan* plan, untyped::NodeRef node, std::vector<int> keys,
                 untyped::WindowSpec spec)
      : plan_(plan), node_(std::move(node)), keys_(std::move(keys)), spec_(std::move(spec)) {}

  /// When results are emitted; once on close by default.
  WindowedStream emit(Emit policy) const {
    WindowedStream copy = *this;
    copy.spec_.emit = policy;
    return copy;
  }
  /// Flink's allowed lateness: emits at the window's end and again per late row within `grace`.
  WindowedStream allowed_lateness(milliseconds lateness) const {
    WindowedStream copy = emit(Emit::kOnEndAndLate);
    copy.spec_.grace = Grace{lateness};
    return copy;
  }
  /// Rows that come after their windows have closed; read them with Stream::side_output.
  WindowedStream late_to(const SideOutput<T>& side) const {
    WindowedStream copy = *this;
    copy.spec_.late_output = side.name;
    return copy;
  }

  Stream<R<K, std::int64_t>> count(As name = as("count")) const {
    return finish<std::int64_t>({"COUNT", {}, nullptr, "count"}, std::move(name));
  }
  template <typename M, std::same_as<T> C>
  auto sum(M C::*member, As name = as("sum")) const {
    return finish<SumType<M>>({"SUM", {column(member)}, nullptr, "sum"}, std::move(name));
  }
  template <typename M, std::same_as<T> C>
  Stream<R<K, M>> min(M C::*member, As name = as("min")) const {
    return finish<M>({"MIN", {column(member)}, nullptr, "min"}, std::move(name));
  }
  template <typename M, std::same_as<T> C>
  Stream<R<K, M>> max(M C::*member, As name = as("max")) const {
    return finish<M>({"MAX", {column(member)}, nullptr, "max"}, std::move(name));
  }
  /// An aggregate of one's own; see AggregateOf.
  template <AggregateOf<T> A>
  auto aggregate(A aggregate, As name = as("aggregate")) const {
    return finish<AggregateResult<A>>(
        {"", {}, make_native_aggregate<T>(std::move(aggregate)), "value"}, std::move(name));
  }
  template <typename F>
  requires std::is_invocable_r_v<T, F&, const T&, const T&> Stream<R<K, T>> reduce(
      F f, As name = as("reduce"))
  const { return aggregate(Reduce<T, F>{std::move(f)}, std::move(name)); }

  /// A function over all rows of a window, or over the result of an aggregate that has seen them
  /// one by one; see WindowFunctionOf. Rows for `sides` come out of Stream::side_output.
  template <RecordType Out, typename F, RecordType... Sides>
  requires WindowFunctionOf<F, std::vector<T>, K, Out> Stream<Out> process(
      F function, As name = as("process"), const SideOutput<Sides>&... sides)
  const {
    return triggered().template process<Out>(std::move(function), std::move(name), sides...);
  }
  template <RecordType Out, AggregateOf<T> A, typename F, RecordType... Sides>
  requires WindowFunctionOf<F, AggregateResult<A>, K, Out> Stream<Out> process(
      A aggregate, F function, As name = as("process"), const SideOutput<Sides>&... sides)
  const {
    return triggered().template process<Out>(std::move(aggregate), std::move(function),
                                             std::move(name), sides...);
  }

  /// Results when `trigger` says so, in place of the emit policy; see TriggerOf. The grace is
  /// Flink's allowed lateness then: windows take rows until their end and the grace have passed.
  template <TriggerOf<T> G>
  TriggeredStream<K, T, R> trigger(G trigger) const {
    return triggered().trigger(std::move(trigger));
  }
  /// Takes rows out of a window before or after its function has seen them; see EvictorOf.
  template <EvictorOf<T> E>
  TriggeredStream<K, T, R> evict(E evictor) const {
    return triggered().evict(std::move(evictor));
  }
  /// Windows by the clock at a row's arrival, in place of event time; no row is late.
  TriggeredStream<K, T, R> by_processing_time() const {
    TriggeredStream<K, T, R> by_clock = triggered();
    return by_clock.by_processing_time();
  }

 private:
  /// With the trigger that stands for the emit policy.
  TriggeredStream<K, T, R> triggered() const {
    const TriggeredStream<K, T, R> stream(plan_, node_, keys_, spec_);
    if (spec_.window.kind == Window::Kind::kCount) {
      return stream.trigger(purging(on_count(spec_.window.count)));
    }
    if (spec_.emit == Emit::kOnEveryUpdate) return stream.trigger(on_count(1));
    if (spec_.emit == Emit::kOnEndAndLate) return stream.trigger(on_event_time());
    return stream.trigger(CloseTrigger{spec_.grace.duration});
  }
  template <typename M, std::same_as<T> C>
  static int column(M C::*member) {
    return static_cast<int>(Record<T>::index_of(member));
  }
  template <typename V>
  Stream<R<K, V>> finish(untyped::AggregateCall call, As name) const {
    untyped::NodeRef node = plan_->window_aggregate(node_, keys_, spec_, {std::move(call)});
    plan_->name(node, std::move(name.name));
    return Stream<R<K, V>>(plan_, node);
  }

  untyped::Plan* plan_;
  untyped::NodeRef node_;
  std::vector<int> keys_;
  untyped::WindowSpec spec_;
};

}  // namespace tidegate
