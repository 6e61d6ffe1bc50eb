// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tidegate/stream.h"
#include "tidegate/table_functions.h"
#include "tidegate/table_steps.h"
#include "tidegate/update.h"

namespace tidegate {

template <RecordType K, RecordType V>
class GroupedTable;

/// The newest value of each key, and every change of it: a stream of updates. As Kafka Streams'
/// KTable; docs/how-to/from-kafka-streams.md says what is the same and what is not. Functions of
/// values must answer the same for the same value, since what a value was is asked again.
template <RecordType K, RecordType V>
class Table {
 public:
  static_assert(StateType<K>, "Tidegate: the key of a table must be a type that state can hold.");
  static_assert(StateType<V>, "Tidegate: the value of a table must be a type that state can hold.");
  using Row = Update<K, V>;

  Table(untyped::Plan* plan, untyped::NodeRef node) : plan_(plan), node_(std::move(node)) {}

  /// Keeps the keys whose value `predicate` holds for; the others are deleted, if they were there.
  template <std::predicate<const V&> F>
  Table filter(F predicate) const {
    return each<V>("filter", [predicate](const Row& row) mutable {
      const auto kept = [&](const std::optional<V>& value) {
        return value && predicate(*value) ? value : std::nullopt;
      };
      return Row{row.key, kept(row.before), kept(row.after)};
    });
  }
  /// f(value) in place of each value.
  template <std::invocable<const V&> F>
  auto map_values(F f) const {
    using U = table_functions::PresentType<std::invoke_result_t<F&, const V&>>;
    return each<U>("map_values", [f](const Row& row) mutable {
      Update<K, U> out{row.key, {}, {}};
      if (row.before) out.before = f(*row.before);
      if (row.after) out.after = f(*row.after);
      return out;
    });
  }

  /// f(left, right) of the keys that both tables have.
  template <RecordType W, std::invocable<const V&, const W&> F>
  auto join(const Table<K, W>& right, F f, As name = as("table_join")) const {
    return join_as<JoinType::kInner>(right, std::move(f), std::move(name));
  }
  /// f(left, right or nullopt) of the keys that this table has.
  template <RecordType W, std::invocable<const V&, const std::optional<W>&> F>
  auto left_join(const Table<K, W>& right, F f, As name = as("table_join")) const {
    return join_as<JoinType::kLeft>(right, std::move(f), std::move(name));
  }
  /// f(left or nullopt, right or nullopt) of the keys that either table has.
  template <RecordType W, std::invocable<const std::optional<V>&, const std::optional<W>&> F>
  auto outer_join(const Table<K, W>& right, F f, As name = as("table_join")) const {
    return join_as<JoinType::kFull>(right, std::move(f), std::move(name));
  }

  /// f(left, right), where the key of `right` is what foreign_key(left) says (a member or a
  /// function; nullopt: none).
  template <RecordType FK, RecordType W, typename KeyF, std::invocable<const V&, const W&> F>
  auto join(const Table<FK, W>& right, KeyF foreign_key, F f,
            As name = as("foreign_key_join")) const {
    return join_by_foreign_key<false>(right, std::move(foreign_key), std::move(f), name);
  }
  template <RecordType FK, RecordType W, typename KeyF,
            std::invocable<const V&, const std::optional<W>&> F>
  auto left_join(const Table<FK, W>& right, KeyF foreign_key, F f,
                 As name = as("foreign_key_join")) const {
    return join_by_foreign_key<true>(right, std::move(foreign_key), std::move(f), name);
  }

  /// Groups by f(key, value) -> pair of a new key (nullopt: in no group) and a value.
  template <std::invocable<const K&, const V&> F>
  auto group_by(F f) const {
    using Pair = std::remove_cvref_t<std::invoke_result_t<F&, const K&, const V&>>;
    using K2 = table_functions::PresentType<typename Pair::first_type>;
    using V2 = table_functions::PresentType<typename Pair::second_type>;
    static_assert(RecordType<K2> && RecordType<V2>,
                  "Tidegate: group_by must return a std::pair of two records, a key and a value.");
    using Out = Update<K2, V2>;
    auto regroup = [f](const BatchView& in, BatchWriter& out) mutable {
      Collector<Out> collector(out);
      for_each_row(in, [&](std::int64_t i) {
        collector.set_origin(static_cast<std::int32_t>(i));
        const Row row = Record<Row>::read(in, 0, i);
        const auto [old_key, old_value] = group_of<K2, V2>(f, row.key, row.before);
        const auto [new_key, new_value] = group_of<K2, V2>(f, row.key, row.after);
        if (old_key && new_key && table_functions::same(*old_key, *new_key)) {
          return collector.emit({*old_key, old_value, new_value});
        }
        if (old_key) collector.emit({*old_key, old_value, std::nullopt});
        if (new_key) collector.emit({*new_key, std::nullopt, new_value});
      });
    };
    return GroupedTable<K2, V2>(
        plan_, plan_->map(node_, "group_by", record_columns<Out>(), std::move(regroup)));
  }

  /// Sends of each key only the last update, `time` of event time after the first.
  Table suppress(milliseconds time, As name = as("suppress")) const {
    return hold([time](const K&, Timestamp first) { return first + time; }, true, std::move(name));
  }
  /// Of a table of windows: only the last update of each, when event time has come to its end and
  /// the grace.
  Table suppress_until_close(Grace grace = {}, As name = as("suppress")) const {
    static_assert(
        requires(const K& key) {
          key.end.ms;
          key.start.ms;
        },
        "Tidegate: suppress_until_close is of a table of windows, as to_table() makes of "
        "the results of a windowed stream.");
    const milliseconds after = grace.duration;
    return hold([after](const K& key, Timestamp) { return key.end + after; }, false,
                std::move(name));
  }

  /// Every change as a row; a key without value has been deleted.
  auto to_stream() const {
    static_assert(RecordType<std::optional<V>>,
                  "Tidegate: to_stream() without a function is of tables of scalars and described "
                  "structs; use to_stream(f), f(key, std::optional<value>).");
    return to_stream([](const K& key, const std::optional<V>& value) {
      return Keyed<K, std::optional<V>>{key, value};
    });
  }
  template <std::invocable<const K&, const std::optional<V>&> F>
  auto to_stream(F f) const {
    return updates().map([f](const Row& row) mutable { return f(row.key, row.after); });
  }
  /// Every change with the value before it.
  Stream<Row> updates() const {
    // A step of its own, so that what is said of it does not concern the table.
    return Stream<Row>(plan_, node_).filter([](const Row&) { return true; });
  }

  /// Ends here: every change goes to the connector, with the columns of the key and then those of
  /// the value. `connector("upsert-kafka")` writes tombstones.
  void sink(const ConnectorSpec& spec) const {
    using Out = std::pair<std::string, Keyed<K, V>>;
    auto changes = [](const BatchView& in, BatchWriter& out) {
      Collector<Out> collector(out);
      for_each_row(in, [&](std::int64_t i) {
        collector.set_origin(static_cast<std::int32_t>(i));
        const Row row = Record<Row>::read(in, 0, i);
        const bool both = row.before && row.after;
        if (row.before) collector.emit({both ? "UPDATE_BEFORE" : "DELETE", {row.key, *row.before}});
        if (row.after) collector.emit({both ? "UPDATE_AFTER" : "INSERT", {row.key, *row.after}});
      });
    };
    const untyped::NodeRef rows =
        plan_->map(node_, "changes", record_columns<Out>(), std::move(changes));
    plan_->sink(plan_->from_changelog(rows, Record<K>::kColumns), spec);
  }

  untyped::Plan* plan() const { return plan_; }
  const untyped::NodeRef& node() const { return node_; }
  /// For steps whose state is by the same key: rows stay in their task.
  untyped::ProcessInput by_key() const {
    return {node_, untyped::first_columns(Record<K>::kColumns), false, /*in_place=*/true};
  }

 private:
  template <typename U, typename F>
  Table<K, U> each(std::string verb, F f) const {
    auto rows = [f](const BatchView& in, BatchWriter& out) mutable {
      for_each_row(in, [&](std::int64_t i) {
        const Update<K, U> row = f(Record<Row>::read(in, 0, i));
        if (!row.before && !row.after) return;
        Record<Update<K, U>>::write(out, 0, row);
        out.end_row(static_cast<std::int32_t>(i));
      });
    };
    return Table<K, U>(
        plan_, plan_->map(node_, std::move(verb), record_columns<Update<K, U>>(), std::move(rows)));
  }
  template <JoinType kType, typename W, typename F>
  auto join_as(const Table<K, W>& right, F f, As name) const {
    using Left = std::conditional_t<kType == JoinType::kFull, std::optional<V>, V>;
    using Right = std::conditional_t<kType == JoinType::kInner, W, std::optional<W>>;
    using Out = table_functions::PresentType<std::invoke_result_t<F&, const Left&, const Right&>>;
    using Function = table_functions::JoinTables<kType, K, V, W, Out, F>;
    return Table<K, Out>(plan_, untyped::connect<K, Update<K, V>, Update<K, W>, Update<K, Out>>(
                                    plan_, by_key(), right.by_key(), Function{std::move(f), {}, {}},
                                    std::move(name)));
  }
  template <bool kLeft, typename FK, typename W, typename KeyF, typename F>
  auto join_by_foreign_key(const Table<FK, W>& right, KeyF foreign_key, F f, const As& name) const {
    using Right = std::conditional_t<kLeft, std::optional<W>, W>;
    using Out = table_functions::PresentType<std::invoke_result_t<F&, const V&, const Right&>>;
    auto key_of = [foreign_key](const V& value) mutable {
      return table_functions::maybe<FK>(std::invoke(foreign_key, value));
    };
    using Subscribe = table_functions::Subscribe<K, V, FK, decltype(key_of)>;
    using Answers = table_functions::AnswerSubscriptions<kLeft, K, V, FK, W, Out, F>;
    using Subscription = table_functions::Subscription<FK>;
    using Answer = table_functions::Answer<K, Out>;
    const untyped::NodeRef asked = untyped::step<K, Row, Subscription>(
        plan_, by_key(), Subscribe{key_of, {}}, as(name.name + "-subscribe"));
    const untyped::NodeRef answered =
        untyped::connect<std::optional<FK>, Subscription, Update<FK, W>, Answer>(
            plan_, untyped::keyed_input<FK>(asked), right.by_key(), Answers{std::move(f), {}, {}},
            as(name.name + "-answer"));
    return Table<K, Out>(plan_, untyped::step<K, Answer, Update<K, Out>>(
                                    plan_, untyped::keyed_input<K>(answered),
                                    table_functions::TakeAnswers<K, Out>{}, name));
  }
  template <typename K2, typename V2, typename F>
  static std::pair<std::optional<K2>, std::optional<V2>> group_of(F& f, const K& key,
                                                                  const std::optional<V>& value) {
    if (!value) return {};
    auto group = f(key, *value);
    return {table_functions::maybe<K2>(std::move(group.first)),
            table_functions::maybe<V2>(std::move(group.second))};
  }
  template <typename Due>
  Table hold(Due due, bool sends_deletes, As name) const {
    return Table(plan_, untyped::step<K, Row, Row>(
                            plan_, by_key(),
                            table_functions::Hold<K, V, Due>{std::move(due), sends_deletes, {}},
                            std::move(name)));
  }

  untyped::Plan* plan_;
  untyped::NodeRef node_;
};

/// A table that also knows what its values were: joins of streams with it look at the time of the
/// row. What comes out of order is a version of its own, and changes nothing else.
template <RecordType K, RecordType V>
class VersionedTable : public Table<K, V> {
 public:
  VersionedTable(Table<K, V> newest, untyped::NodeRef versions, milliseconds history)
      : Table<K, V>(std::move(newest)), versions_(std::move(versions)), history_(history) {}
  const untyped::NodeRef& versions() const { return versions_; }
  milliseconds history() const { return history_; }

 private:
  untyped::NodeRef versions_;
  milliseconds history_;
};

/// A table that every task holds in full, for joins by any key.
template <RecordType K, RecordType V>
class GlobalTable {
 public:
  explicit GlobalTable(untyped::NodeRef node) : node_(std::move(node)) {}
  const untyped::NodeRef& node() const { return node_; }

 private:
  untyped::NodeRef node_;
};

/// Rows of a table by a key of another kind: see Table::group_by.
template <RecordType K, RecordType V>
class GroupedTable {
 public:
  GroupedTable(untyped::Plan* plan, untyped::NodeRef node) : plan_(plan), node_(std::move(node)) {}

  /// An aggregate with retract(): see AggregateOf. An update takes the value before it back and
  /// adds the one after it. A result of nullopt deletes the key.
  template <AggregateOf<V> A>
  auto aggregate(A aggregate, As name = as("aggregate")) const {
    static_assert(
        requires(const A& a, typename A::Accumulator& accumulator, const V& row) {
          a.retract(accumulator, row);
        },
        "Tidegate: an aggregate of a table needs retract(accumulator, row), since rows of a table "
        "change.");
    using Function = table_functions::AggregateRows<K, V, A>;
    using Out = Update<K, typename Function::Out>;
    return Table<K, typename Function::Out>(
        plan_,
        untyped::step<K, Update<K, V>, Out>(plan_, untyped::keyed_input<K>(node_),
                                            Function{std::move(aggregate), {}}, std::move(name)));
  }
  auto count(As name = as("count")) const { return aggregate(CountUpdates(), std::move(name)); }
  /// add(sum, value) and subtract(sum, value); the first value of a key is its first sum.
  template <typename Add, typename Subtract>
  requires(std::is_invocable_r_v<V, Add&, const V&, const V&>&& std::is_invocable_r_v<
           V, Subtract&, const V&, const V&>) auto reduce(Add add, Subtract subtract,
                                                          As name = as("reduce")) const {
    return aggregate(ReduceUpdates<Add, Subtract>{std::move(add), std::move(subtract)},
                     std::move(name));
  }

 private:
  struct CountUpdates {
    using Accumulator = std::int64_t;
    Accumulator create() const { return 0; }
    void add(Accumulator& count, const V&) const { ++count; }
    void retract(Accumulator& count, const V&) const { --count; }
    std::int64_t result(Accumulator count) const { return count; }
  };
  template <typename Add, typename Subtract>
  struct ReduceUpdates {
    using Accumulator = std::optional<V>;
    mutable Add plus;
    mutable Subtract minus;
    Accumulator create() const { return std::nullopt; }
    void add(Accumulator& sum, const V& value) const { sum = sum ? plus(*sum, value) : value; }
    void retract(Accumulator& sum, const V& value) const {
      if (sum) sum = minus(*sum, value);
    }
    std::optional<V> result(const Accumulator& sum) const { return sum; }
  };

  untyped::Plan* plan_;
  untyped::NodeRef node_;
};

// Verbs of streams that make tables, or join them.

template <RecordType T>
template <typename KeyF, typename ValueF>
auto Stream<T>::to_table(KeyF key_of, ValueF value_of, As name) const {
  using K = untyped::FieldOf<KeyF, T>;
  using V = untyped::FieldOf<ValueF, T>;
  const untyped::NodeRef updates =
      untyped::updates_of<K, V, T>(plan_, node_, std::move(key_of), std::move(value_of));
  return Table<K, V>(plan_, untyped::step<K, Update<K, V>, Update<K, V>>(
                                plan_, untyped::keyed_input<K>(updates),
                                table_functions::Newest<K, V>(), std::move(name)));
}

template <RecordType T>
auto Stream<T>::to_table(As name) const {
  if constexpr (requires(const T& row) { row.window_start; }) {
    using Key = WindowKey<decltype(T::key)>;
    return to_table(
        [](const T& row) {
          return Key{row.key, row.window_start, row.window_end};
        },
        &T::value, std::move(name));
  } else {
    static_assert(
        requires(const T& row) {
          row.key;
          row.value;
        },
        "Tidegate: to_table() without functions is of rows with a key and a value, as "
        "aggregates give; use to_table(key_of, value_of).");
    return to_table(&T::key, &T::value, std::move(name));
  }
}

template <RecordType T>
template <typename KeyF, typename ValueF>
auto Stream<T>::to_versioned_table(KeyF key_of, ValueF value_of, milliseconds history,
                                   As name) const {
  using K = untyped::FieldOf<KeyF, T>;
  using V = untyped::FieldOf<ValueF, T>;
  const untyped::NodeRef updates =
      untyped::updates_of<K, V, T>(plan_, node_, std::move(key_of), std::move(value_of));
  Table<K, V> newest(plan_, untyped::step<K, Update<K, V>, Update<K, V>>(
                                plan_, untyped::keyed_input<K>(updates),
                                table_functions::NewestInTime<K, V>{history, {}}, std::move(name)));
  return VersionedTable<K, V>(std::move(newest), updates, history);
}

template <RecordType T>
template <typename KeyF, typename ValueF>
auto Stream<T>::to_global_table(KeyF key_of, ValueF value_of) const {
  using K = untyped::FieldOf<KeyF, T>;
  using V = untyped::FieldOf<ValueF, T>;
  return GlobalTable<K, V>(
      untyped::updates_of<K, V, T>(plan_, node_, std::move(key_of), std::move(value_of)));
}

namespace untyped {

/// Rows of a stream with those of a table that has their key in every task.
template <bool kLeft, typename T, typename K, typename V, typename KeyF, typename F>
auto join_global(Plan* plan, const NodeRef& rows, const GlobalTable<K, V>& table, KeyF key_of, F f,
                 As name) {
  using Value = std::conditional_t<kLeft, std::optional<V>, V>;
  using Out = std::remove_cvref_t<std::invoke_result_t<F&, const T&, const Value&>>;
  using Function = table_functions::JoinGlobal<kLeft, T, K, V, Out, KeyF, F>;
  return Stream<Out>(
      plan, connect<std::monostate, T, Update<K, V>, Out>(
                plan, {rows, {}, false, /*in_place=*/true}, {table.node(), {}, /*broadcast=*/true},
                Function{std::move(key_of), std::move(f), {}}, std::move(name)));
}

/// Rows of a stream with the present values of a table.
template <bool kLeft, typename K, typename T, typename K2, typename V, typename F>
auto join_table(Plan* plan, ProcessInput rows, const Table<K2, V>& table, F f, As name) {
  static_assert(std::is_same_v<table_functions::PresentType<K>, K2>,
                "Tidegate: the key of the stream must be the key of the table (or an optional "
                "one).");
  using Value = std::conditional_t<kLeft, std::optional<V>, V>;
  using Out = std::remove_cvref_t<std::invoke_result_t<F&, const T&, const Value&>>;
  using Function = table_functions::JoinTable<kLeft, T, V, F>;
  return Stream<Out>(
      plan, connect<K, T, Update<K2, V>, Out>(plan, std::move(rows), table.by_key(),
                                              Function{std::move(f), {}}, std::move(name)));
}

/// Rows of a stream with the values that a table had at their time.
template <bool kLeft, typename K, typename T, typename K2, typename V, typename F>
auto join_versions(Plan* plan, ProcessInput rows, const VersionedTable<K2, V>& table, F f,
                   std::optional<Grace> wait, As name) {
  static_assert(std::is_same_v<table_functions::PresentType<K>, K2>,
                "Tidegate: the key of the stream must be the key of the table (or an optional "
                "one).");
  using Value = std::conditional_t<kLeft, std::optional<V>, V>;
  using Out = std::remove_cvref_t<std::invoke_result_t<F&, const T&, const Value&>>;
  using Function = table_functions::JoinVersions<kLeft, T, V, F>;
  std::optional<milliseconds> time;
  if (wait) time = wait->duration;
  return Stream<Out>(plan,
                     connect<K, T, Update<K2, V>, Out>(
                         plan, std::move(rows), keyed_input<K2>(table.versions()),
                         Function{std::move(f), table.history(), time, {}, {}}, std::move(name)));
}

}  // namespace untyped

template <RecordType T>
template <RecordType K, RecordType V, typename KeyF, std::invocable<const T&, const V&> F>
auto Stream<T>::join(const GlobalTable<K, V>& table, KeyF key_of, F f, As name) const {
  return untyped::join_global<false, T>(plan_, node_, table, std::move(key_of), std::move(f),
                                        std::move(name));
}
template <RecordType T>
template <RecordType K, RecordType V, typename KeyF,
          std::invocable<const T&, const std::optional<V>&> F>
auto Stream<T>::left_join(const GlobalTable<K, V>& table, KeyF key_of, F f, As name) const {
  return untyped::join_global<true, T>(plan_, node_, table, std::move(key_of), std::move(f),
                                       std::move(name));
}

template <RecordType K, RecordType T>
template <RecordType K2, RecordType V, std::invocable<const T&, const V&> F>
auto KeyedStream<K, T>::join(const Table<K2, V>& table, F f, As name) const {
  return untyped::join_table<false, K, T>(plan_, {node_, keys_}, table, std::move(f),
                                          std::move(name));
}
template <RecordType K, RecordType T>
template <RecordType K2, RecordType V, std::invocable<const T&, const std::optional<V>&> F>
auto KeyedStream<K, T>::left_join(const Table<K2, V>& table, F f, As name) const {
  return untyped::join_table<true, K, T>(plan_, {node_, keys_}, table, std::move(f),
                                         std::move(name));
}
template <RecordType K, RecordType T>
template <RecordType K2, RecordType V, std::invocable<const T&, const V&> F>
auto KeyedStream<K, T>::join(const VersionedTable<K2, V>& table, F f, std::optional<Grace> wait,
                             As name) const {
  return untyped::join_versions<false, K, T>(plan_, {node_, keys_}, table, std::move(f), wait,
                                             std::move(name));
}
template <RecordType K, RecordType T>
template <RecordType K2, RecordType V, std::invocable<const T&, const std::optional<V>&> F>
auto KeyedStream<K, T>::left_join(const VersionedTable<K2, V>& table, F f,
                                  std::optional<Grace> wait, As name) const {
  return untyped::join_versions<true, K, T>(plan_, {node_, keys_}, table, std::move(f), wait,
                                            std::move(name));
}

}  // namespace tidegate
