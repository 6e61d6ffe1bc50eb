// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "tidegate/aggregate.h"
#include "tidegate/async_result.h"
#include "tidegate/collector.h"
#include "tidegate/connectors.h"
#include "tidegate/custom.h"
#include "tidegate/disorder.h"
#include "tidegate/failures.h"
#include "tidegate/process.h"
#include "tidegate/record.h"
#include "tidegate/untyped.h"
#include "tidegate/windowed_stream.h"
#include "tidegate/windows.h"

namespace tidegate {

/// The type of a key that outlives the batch it came in.
template <typename M>
using KeyOf = std::conditional_t<std::is_same_v<M, std::string_view>, std::string, M>;

template <RecordType K, RecordType T>
class KeyedStream;
template <RecordType K, RecordType T, RecordType U>
class ConnectedStreams;
template <RecordType K, RecordType V>
class Table;  // and so on: table.h
template <RecordType K, RecordType V>
class VersionedTable;
template <RecordType K, RecordType V>
class GlobalTable;

/// A stream of rows of type T: a place in the plan of an App. A value; copies are the same stream.
/// Verbs add steps to the plan; nothing runs before App::run or App::start.
template <RecordType T>
class Stream {
 public:
  Stream(untyped::Plan* plan, untyped::NodeRef node) : plan_(plan), node_(std::move(node)) {}

  /// Where event time stands: a Timestamp or std::int64_t (ms) member, or a function of the row.
  /// Right after source().
  template <typename M, std::same_as<T> C>
  requires(std::same_as<M, Timestamp> || std::same_as<M, std::int64_t>) Stream
      event_time(M C::*member, Disorder disorder)
  const {
    untyped::TimeSpec time = time_spec(std::move(disorder));
    time.column = static_cast<int>(Record<T>::index_of(member));
    plan_->event_time(node_, std::move(time));
    return *this;
  }
  template <typename F>
  requires std::is_invocable_r_v<Timestamp, F&, const T&> Stream event_time(F of_row,
                                                                            Disorder disorder)
  const {
    untyped::TimeSpec time = time_spec(std::move(disorder));
    time.extract = [of_row](const BatchView& in, EventTime* times) mutable {
      for_each_row(in, [&](std::int64_t row) {
        times[row] = Timestamp(of_row(Record<T>::read(in, 0, row))).ms;
      });
    };
    plan_->event_time(node_, std::move(time));
    return *this;
  }

  /// One row out for each row in.
  template <typename F, typename U = std::remove_cvref_t<std::invoke_result_t<F&, const T&>>>
  auto map(F f) const {
    static_assert(RecordType<U>,
                  "Tidegate: map must return a record: a scalar, a struct with "
                  "BOOST_DESCRIBE_STRUCT, or a tuple or pair of these.");
    return transform<U>("map", [f](const BatchView& in, BatchWriter& out) mutable {
      for_each_row(in, [&](std::int64_t row) {
        Record<U>::write(out, 0, f(Record<T>::read(in, 0, row)));
        out.end_row(static_cast<std::int32_t>(row));
      });
    });
  }

  /// Any number of rows out for each row in: f(row, collector). U is named: flat_map<Word>(...).
  template <RecordType U, std::invocable<const T&, Collector<U>&> F>
  Stream<U> flat_map(F f) const {
    return transform<U>("flat_map", [f](const BatchView& in, BatchWriter& out) mutable {
      Collector<U> collector(out);
      for_each_row(in, [&](std::int64_t row) {
        collector.set_origin(static_cast<std::int32_t>(row));
        f(Record<T>::read(in, 0, row), collector);
      });
    });
  }

  /// map() for functions that may throw: what it answers, and the rows that it has thrown at.
  template <typename F, typename U = std::remove_cvref_t<std::invoke_result_t<F&, const T&>>>
  Attempted<Stream<U>, Stream<Failed<T>>> attempt(F f) const {
    using Outcome = std::pair<untyped::Maybe<U>, untyped::Maybe<Failed<T>>>;
    const auto outcomes = map([f](const T& row) mutable -> Outcome {
      try {
        return {{f(row)}, {}};
      } catch (const std::exception& thrown) {
        return {{}, {Failed<T>{row, thrown.what()}}};
      } catch (...) {
        return {{}, {Failed<T>{row, "an exception that is no std::exception"}}};
      }
    });
    return {outcomes.template flat_map<U>([](const Outcome& outcome, Collector<U>& out) {
              if (outcome.first.value) out.emit(*outcome.first.value);
            }),
            outcomes.template flat_map<Failed<T>>(
                [](const Outcome& outcome, Collector<Failed<T>>& out) {
                  if (outcome.second.value) out.emit(*outcome.second.value);
                })};
  }

  /// Keeps the rows for which `predicate` is true.
  template <std::predicate<const T&> F>
  Stream filter(F predicate) const {
    auto keep_rows = [predicate](const BatchView& in, std::vector<std::int32_t>& keep) mutable {
      for_each_row(in, [&](std::int64_t row) {
        if (predicate(Record<T>::read(in, 0, row))) keep.push_back(static_cast<std::int32_t>(row));
      });
    };
    return Stream(plan_, plan_->filter(node_, "filter", std::move(keep_rows)));
  }

  /// Scores batches by a model: predict<Scored>(onnx("fraud.onnx"), &Payment::amount, ...), where
  /// the members go into the model in this order. Members of Out that T has are handed on, the
  /// others are the model's outputs, null where a row has a null among the model's inputs.
  template <RecordType Out, typename Row = T, typename... M>
  Stream<Out> predict(const ModelSpec& model, M Row::*... members) const {
    return Stream<Out>(
        plan_, plan_->predict(node_, model, {static_cast<int>(Record<T>::index_of(members))...},
                              record_columns<Out>()));
  }

  /// Asks an outside service about each row: f(row) may block, and returns the answer or what went
  /// wrong. Runs beside the stream, many at a time.
  template <typename F, typename R = std::invoke_result_t<F&, const T&>>
  auto call_blocking(F f, AsyncOptions options = {}) const {
    using U = std::remove_cvref_t<decltype(*std::declval<R&>())>;
    return async<U>(options, /*blocking=*/true,
                    [f](const BatchView& row, std::shared_ptr<untyped::AsyncReply> reply) mutable {
                      AsyncResult<U> result(std::move(reply));
                      R answer = f(Record<T>::read(row, 0, 0));
                      if (answer.is_ok()) {
                        result.complete(*answer);
                      } else {
                        result.fail(answer.status());
                      }
                    });
  }
  /// The same for clients that do not block: f(row, result) begins the call and returns; any thread
  /// answers through the AsyncResult<U> later. std::string_view members of the row are valid during
  /// f only.
  template <RecordType U, std::invocable<const T&, AsyncResult<U>> F>
  Stream<U> call_async(F f, AsyncOptions options = {}) const {
    return async<U>(options, /*blocking=*/false,
                    [f](const BatchView& row, std::shared_ptr<untyped::AsyncReply> reply) mutable {
                      f(Record<T>::read(row, 0, 0), AsyncResult<U>(std::move(reply)));
                    });
  }

  /// The rows of this and the other streams, in no particular order among them.
  template <std::same_as<Stream>... Others>
  Stream merge(const Others&... others) const {
    return Stream(plan_, plan_->merge({node_, others.node_...}));
  }

  /// Partitions by a member; no cost per row.
  template <RecordType M, std::same_as<T> C>
  KeyedStream<KeyOf<M>, T> key_by(M C::*member) const {
    return KeyedStream<KeyOf<M>, T>(plan_, node_, {static_cast<int>(Record<T>::index_of(member))});
  }
  /// Partitions by a function of the row.
  template <typename F, typename K = std::remove_cvref_t<std::invoke_result_t<F&, const T&>>>
  requires(!std::is_member_pointer_v<F>) auto key_by(F key_of) const {
    static_assert(RecordType<K>,
                  "Tidegate: a key must be a scalar, a described struct, or a tuple or pair of "
                  "these.");
    static_assert(!std::is_same_v<K, std::string_view>,
                  "Tidegate: return std::string from a key function, since the view may point "
                  "into the row that is gone by then.");
    std::vector<ColumnSpec> columns = record_columns<T>();
    Record<K>::columns(columns);
    std::vector<int> keys;
    for (std::size_t i = Record<T>::kColumns; i < columns.size(); ++i) {
      columns[i].name =
          i == Record<T>::kColumns && Record<K>::kColumns == 1 ? "key" : "key_" + columns[i].name;
      keys.push_back(static_cast<int>(i));
    }
    auto append_key = [key_of](const BatchView& in, BatchWriter& out) mutable {
      for_each_row(in, [&](std::int64_t row) {
        const T value = Record<T>::read(in, 0, row);
        Record<T>::write(out, 0, value);
        Record<K>::write(out, Record<T>::kColumns, key_of(value));
        out.end_row(static_cast<std::int32_t>(row));
      });
    };
    untyped::NodeRef with_key =
        plan_->map(node_, "key_by", std::move(columns), std::move(append_key));
    return KeyedStream<K, T>(plan_, with_key, std::move(keys));
  }
  /// One partition for everything: global windows over the whole stream run in one task.
  KeyedStream<std::monostate, T> all() const {
    return KeyedStream<std::monostate, T>(plan_, node_, {});
  }

  /// Each row goes to the first of the streams whose predicate holds, or else to the last one.
  template <std::predicate<const T&>... F>
  std::array<Stream, sizeof...(F) + 1> split(F... predicates) const {
    return split_at(std::index_sequence_for<F..., int>(), std::tuple<F...>(predicates...));
  }
  /// Through a topic of the program's own: what is written there is read from there.
  Stream through(const ConnectorSpec& spec) const {
    sink(spec);
    return Stream(plan_, plan_->source(spec, record_columns<T>()));
  }
  /// The rows of each task (of all partitions that it reads) in the order of event time, once the
  /// watermark has passed them. How long one partition waits for another says
  /// Disorder::idle_after().
  Stream in_time_order() const { return Stream(plan_, plan_->in_time_order(node_)); }

  /// The newest value of each key: see Table. Key and value are members or functions of the row. A
  /// value of nullopt (a row that is deleted) deletes its key; a row with a key of nullopt is left
  /// out.
  template <typename KeyF, typename ValueF>
  auto to_table(KeyF key_of, ValueF value_of, As name = as("table")) const;
  /// The same of results of aggregates and windows.
  auto to_table(As name = as("table")) const;
  /// With the values of the last `history` of event time.
  template <typename KeyF, typename ValueF>
  auto to_versioned_table(KeyF key_of, ValueF value_of, milliseconds history,
                          As name = as("table")) const;
  /// In every task in full. Rows that join it before it has been read find what is there by then.
  template <typename KeyF, typename ValueF>
  auto to_global_table(KeyF key_of, ValueF value_of) const;
  /// f(row, value) with the value of the key that key_of(row) says (a member or a function;
  /// nullopt: none), as it is when the row comes.
  template <RecordType K, RecordType V, typename KeyF, std::invocable<const T&, const V&> F>
  auto join(const GlobalTable<K, V>& table, KeyF key_of, F f, As name = as("global_join")) const;
  template <RecordType K, RecordType V, typename KeyF,
            std::invocable<const T&, const std::optional<V>&> F>
  auto left_join(const GlobalTable<K, V>& table, KeyF key_of, F f,
                 As name = as("global_join")) const;

  /// Ends here: every row goes to the connector.
  void sink(const ConnectorSpec& spec) const { plan_->sink(node_, spec); }
  /// Ends here: every row goes to a sink of the program's own.
  void sink(std::shared_ptr<CustomSink<T>> custom, As name = as("sink")) const {
    plan_->sink(node_, std::move(name.name),
                std::make_shared<custom_adapters::Sink<T>>(std::move(custom)));
  }
  void print() const { sink(tidegate::print()); }
  /// Ends here: f(row) for every row, in one task. Rows of an epoch that failed come again.
  template <std::invocable<const T&> F>
  void for_each(F f, As name = as("for_each")) const {
    plan_->sink(node_, std::move(name.name), [f](const BatchView& rows) mutable {
      for_each_row(rows, [&](std::int64_t row) { f(Record<T>::read(rows, 0, row)); });
    });
  }

  /// Ends here: f(batch id, rows) once per micro-batch (in other modes per epoch), in one task,
  /// when the batch has committed; also for a batch without rows. May return a Status. After a
  /// failure the last batch may come again, with the same id and the same rows: skip an id that is
  /// done.
  template <std::invocable<std::uint64_t, const std::vector<T>&> F>
  void for_each_batch(F f, As name = as("for_each_batch")) const {
    plan_->sink(node_, std::move(name.name),
                [f](EpochId epoch, const std::vector<BatchView>& pieces) mutable -> Status {
                  std::vector<T> rows;
                  for (const BatchView& piece : pieces) {
                    for (std::int64_t row = 0; row < piece.num_rows; ++row)
                      rows.push_back(Record<T>::read(piece, 0, row));
                  }
                  using Answer = std::invoke_result_t<F&, std::uint64_t, const std::vector<T>&>;
                  if constexpr (std::is_same_v<Answer, Status>) {
                    return f(epoch - 1, rows);
                  } else {
                    f(epoch - 1, rows);
                    return Status::ok();
                  }
                });
  }

  /// The rows that an operator put aside.
  template <RecordType U>
  Stream<U> side_output(const SideOutput<U>& side) const {
    return Stream<U>(plan_, plan_->side_output(node_, side.name));
  }

  Stream named(As name) const {
    plan_->name(node_, std::move(name.name));
    return *this;
  }
  Stream parallelism(int n) const {
    plan_->parallelism(node_, n);
    return *this;
  }

  untyped::Plan* plan() const { return plan_; }
  const untyped::NodeRef& node() const { return node_; }

 private:
  template <RecordType U>
  Stream<U> async(AsyncOptions options, bool blocking, untyped::AsyncCall call) const {
    return Stream<U>(
        plan_, plan_->call_async(node_, record_columns<U>(), options, blocking, std::move(call)));
  }
  template <std::size_t... I, typename Predicates>
  std::array<Stream, sizeof...(I)> split_at(std::index_sequence<I...>,
                                            const Predicates& predicates) const {
    return {filter([predicates](const T& row) mutable {
      std::size_t first = sizeof...(I) - 1;
      std::size_t i = 0;
      std::apply(
          [&](auto&... holds) { (void)((holds(row) ? (first = i, true) : (++i, false)) || ...); },
          predicates);
      return first == I;
    })...};
  }
  template <RecordType U>
  Stream<U> transform(std::string name, untyped::MapBatch map) const {
    return Stream<U>(plan_,
                     plan_->map(node_, std::move(name), record_columns<U>(), std::move(map)));
  }
  untyped::Plan* plan_;
  untyped::NodeRef node_;
};

/// A stream partitioned by a key of type K: all rows of a key go through one task, in order.
template <RecordType K, RecordType T>
class KeyedStream {
 public:
  KeyedStream(untyped::Plan* plan, untyped::NodeRef node, std::vector<int> keys)
      : plan_(plan), node_(std::move(node)), keys_(std::move(keys)) {}

  WindowedStream<K, T, Windowed> window(Window window, Grace grace = {}) const {
    untyped::WindowSpec spec;
    spec.window = window;
    spec.grace = grace;
    return WindowedStream<K, T, Windowed>(plan_, node_, keys_, spec);
  }
  WindowedStream<K, T, Keyed> window(RowWindow window) const {
    untyped::WindowSpec spec;
    spec.window = window.window;
    return WindowedStream<K, T, Keyed>(plan_, node_, keys_, spec);
  }
  TriggeredStream<K, T, Keyed> window(SlidingRowWindow window) const {
    return this->window(RowWindow{window.window})
        .trigger(on_count(window.slide))
        .evict(keep_last(window.window.count));
  }

  /// A function with state and timers per key: see ProcessFunctionOf. Rows for `sides` come out of
  /// Stream::side_output.
  template <RecordType Out, ProcessFunctionOf<T, K, Out> F, RecordType... Sides>
  Stream<Out> process(F function, As name = as("process"),
                      const SideOutput<Sides>&... sides) const {
    using Process = untyped::TypedProcess<F, T, void, K, Out>;
    untyped::NodeRef node = plan_->process(
        {{node_, keys_}}, record_columns<Out>(), {{sides.name, record_columns<Sides>()}...},
        Process::kUsesEventTime, [function] { return std::make_unique<Process>(function); },
        Process::kGroupsRows);
    plan_->name(node, std::move(name.name));
    return Stream<Out>(plan_, node);
  }
  /// Two streams with the same key type for one function with shared state.
  template <RecordType U>
  ConnectedStreams<K, T, U> connect(const KeyedStream<K, U>& second) const {
    return {plan_, {node_, keys_}, {second.node(), second.keys()}};
  }
  /// A control stream whose rows go to every task: rules for all keys.
  template <RecordType U>
  ConnectedStreams<K, T, U> connect_broadcast(const Stream<U>& control) const {
    return {plan_, {node_, keys_}, {control.node(), {}, /*broadcast=*/true}};
  }

  /// Pairs of rows of both streams with the same key whose event times are near each other:
  /// clicks.interval_join(payments, between(0s, 10min)). Rows without a partner come too, once none
  /// can come any more, with interval_join<JoinType::kLeft>(...).
  template <JoinType kType = JoinType::kInner, RecordType U>
  auto interval_join(const KeyedStream<K, U>& right, Between interval,
                     As name = as("interval_join")) const {
    using Pair = Joined<kType, T, U>;
    untyped::NodeRef node =
        plan_->interval_join(side(), right.side(), kType, interval, record_columns<Pair>());
    plan_->name(node, std::move(name.name));
    return Stream<Pair>(plan_, node);
  }
  /// Pairs of rows of both streams with the same key in the same window, when it closes.
  template <JoinType kType = JoinType::kInner, RecordType U>
  auto window_join(const KeyedStream<K, U>& right, Window window,
                   As name = as("window_join")) const {
    using Pair = Joined<kType, T, U>;
    untyped::NodeRef node =
        plan_->window_join(side(), right.side(), kType, window, record_columns<Pair>());
    plan_->name(node, std::move(name.name));
    return Stream<Pair>(plan_, node);
  }

  /// f(row, value) with the present value of the row's key in the table. Updates of the table alone
  /// give nothing.
  template <RecordType K2, RecordType V, std::invocable<const T&, const V&> F>
  auto join(const Table<K2, V>& table, F f, As name = as("table_join")) const;
  template <RecordType K2, RecordType V, std::invocable<const T&, const std::optional<V>&> F>
  auto left_join(const Table<K2, V>& table, F f, As name = as("table_join")) const;
  /// With the value that the table had at the time of the row. With `wait` a row waits until event
  /// time of both sides has passed it by so much: grace(0ms) takes both in the order of time.
  template <RecordType K2, RecordType V, std::invocable<const T&, const V&> F>
  auto join(const VersionedTable<K2, V>& table, F f, std::optional<Grace> wait = {},
            As name = as("table_join")) const;
  template <RecordType K2, RecordType V, std::invocable<const T&, const std::optional<V>&> F>
  auto left_join(const VersionedTable<K2, V>& table, F f, std::optional<Grace> wait = {},
                 As name = as("table_join")) const;

  /// Running results per key: each row updates its key's value and emits the new one.
  Stream<Keyed<K, std::int64_t>> count(As name = as("count")) const {
    return running<std::int64_t>({"COUNT", {}, nullptr, "count"}, std::move(name));
  }
  template <typename M, std::same_as<T> C>
  auto sum(M C::*member, As name = as("sum")) const {
    return running<SumType<M>>({"SUM", {column(member)}, nullptr, "sum"}, std::move(name));
  }
  template <typename M, std::same_as<T> C>
  Stream<Keyed<K, M>> min(M C::*member, As name = as("min")) const {
    return running<M>({"MIN", {column(member)}, nullptr, "min"}, std::move(name));
  }
  template <typename M, std::same_as<T> C>
  Stream<Keyed<K, M>> max(M C::*member, As name = as("max")) const {
    return running<M>({"MAX", {column(member)}, nullptr, "max"}, std::move(name));
  }
  template <AggregateOf<T> A>
  auto aggregate(A aggregate, As name = as("aggregate")) const {
    using V = AggregateResult<A>;
    return running<V>({"", {}, make_native_aggregate<T>(std::move(aggregate)), "value"},
                      std::move(name));
  }
  /// f(a, b) combines two rows of a key; emits the combination so far with each row.
  template <typename F>
  requires std::is_invocable_r_v<T, F&, const T&, const T&> Stream<Keyed<K, T>> reduce(
      F f, As name = as("reduce"))
  const { return aggregate(Reduce<T, F>{std::move(f)}, std::move(name)); }

  untyped::Plan* plan() const { return plan_; }
  const untyped::NodeRef& node() const { return node_; }
  const std::vector<int>& keys() const { return keys_; }
  untyped::JoinSide side() const { return {node_, keys_, Record<T>::kColumns}; }

 private:
  template <typename M, std::same_as<T> C>
  static int column(M C::*member) {
    return static_cast<int>(Record<T>::index_of(member));
  }
  template <typename V>
  Stream<Keyed<K, V>> running(untyped::AggregateCall call, As name) const {
    untyped::NodeRef node = plan_->aggregate(node_, keys_, {std::move(call)});
    plan_->name(node, std::move(name.name));
    return Stream<Keyed<K, V>>(plan_, node);
  }

  untyped::Plan* plan_;
  untyped::NodeRef node_;
  std::vector<int> keys_;
};

/// Two streams for one function: see ConnectedFunctionOf.
template <RecordType K, RecordType T, RecordType U>
class ConnectedStreams {
 public:
  ConnectedStreams(untyped::Plan* plan, untyped::ProcessInput first, untyped::ProcessInput second)
      : plan_(plan), first_(std::move(first)), second_(std::move(second)) {}
  template <RecordType Out, ConnectedFunctionOf<T, U, K, Out> F, RecordType... Sides>
  Stream<Out> process(F function, As name = as("process"),
                      const SideOutput<Sides>&... sides) const {
    using Process = untyped::TypedProcess<F, T, U, K, Out>;
    untyped::NodeRef node = plan_->process(
        {first_, second_}, record_columns<Out>(), {{sides.name, record_columns<Sides>()}...},
        Process::kUsesEventTime, [function] { return std::make_unique<Process>(function); });
    plan_->name(node, std::move(name.name));
    return Stream<Out>(plan_, node);
  }

 private:
  untyped::Plan* plan_;
  untyped::ProcessInput first_;
  untyped::ProcessInput second_;
};

}  // namespace tidegate
