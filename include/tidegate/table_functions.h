// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "tidegate/process.h"
#include "tidegate/update.h"

/// The steps that tables are made of: process functions over rows and updates. The verbs of table.h
/// put them into the plan; programs have no need to.
namespace tidegate::table_functions {

template <typename T>
struct Present {
  using type = T;
};
template <typename T>
struct Present<std::optional<T>> {
  using type = T;
};
/// T, also of std::optional<T>; an owning string for a view.
template <typename T>
using PresentType = std::conditional_t<
    std::is_same_v<typename Present<std::remove_cvref_t<T>>::type, std::string_view>, std::string,
    typename Present<std::remove_cvref_t<T>>::type>;
/// A value as an optional one of a type that owns what it holds.
template <typename V, typename T>
std::optional<V> maybe(T&& value) {
  if constexpr (std::is_same_v<typename Present<std::remove_cvref_t<T>>::type,
                               std::remove_cvref_t<T>>) {
    return std::optional<V>(std::in_place, std::forward<T>(value));
  } else {
    if (!value) return std::nullopt;
    return std::optional<V>(std::in_place, *std::forward<T>(value));
  }
}
/// Whether two values are the same in state.
template <StateType T>
bool same(const T& a, const T& b) {
  return untyped::encode_state(a) == untyped::encode_state(b);
}

/// A value and its event time.
template <typename V>
using Timed = std::pair<std::int64_t, V>;

template <typename V>
std::optional<V> value_of(const std::optional<Timed<V>>& held) {
  if (!held) return std::nullopt;
  return held->second;
}
template <typename V>
void keep(ValueState<Timed<V>>& state, Timestamp time, const std::optional<V>& value) {
  if (value) {
    state.set({time.ms, *value});
  } else {
    state.clear();
  }
}

/// The newest value of each key, in the order of arrival.
template <typename K, typename V>
struct Newest {
  ValueState<V> value;
  void open(StateOpener& state) { value = state.value<V>("value"); }
  void process(const Update<K, V>& row, Context<K, Update<K, V>>& context) {
    std::optional<V> before = value.get();
    if (!before && !row.after) return;
    if (row.after) {
      value.set(*row.after);
    } else {
      value.clear();
    }
    context.emit({row.key, std::move(before), row.after});
  }
};

/// The value of each key that is newest in event time; what is older than it does not count.
template <typename K, typename V>
struct NewestInTime {
  milliseconds history;
  ValueState<Timed<std::optional<V>>> newest;
  void open(StateOpener& state) { newest = state.value<Timed<std::optional<V>>>("value"); }
  void process(const Update<K, V>& row, Context<K, Update<K, V>>& context) {
    std::optional<Timed<std::optional<V>>> held = newest.get();
    if (held && context.event_time().ms < held->first) return;
    newest.set({context.event_time().ms, row.after});
    if (!row.after) context.timer_at(context.event_time() + history);
    std::optional<V> before = held ? std::move(held->second) : std::nullopt;
    if (before || row.after) context.emit({row.key, std::move(before), row.after});
  }
  void on_timer(Timestamp t, Context<K, Update<K, V>>&) {
    const auto held = newest.get();
    if (held && !held->second && held->first + history.count() <= t.ms) newest.clear();
  }
};

/// What a join makes of two values that may be missing; nothing where it has no row.
template <JoinType kType, typename Out, typename F, typename L, typename R>
std::optional<Out> combine(F& f, const std::optional<L>& left, const std::optional<R>& right) {
  if constexpr (kType == JoinType::kInner) {
    if (!left || !right) return std::nullopt;
    return f(*left, *right);
  } else if constexpr (kType == JoinType::kLeft) {
    if (!left) return std::nullopt;
    return f(*left, right);
  } else {
    if (!left && !right) return std::nullopt;
    return f(left, right);
  }
}

/// Two tables with the same key.
template <JoinType kType, typename K, typename L, typename R, typename Out, typename F>
struct JoinTables {
  F f;
  ValueState<Timed<L>> left;
  ValueState<Timed<R>> right;

  using OutContext = Context<K, Update<K, Out>>;
  void open(StateOpener& state) {
    left = state.value<Timed<L>>("left");
    right = state.value<Timed<R>>("right");
  }
  void process_first(const Update<K, L>& row, OutContext& context) {
    const auto other = right.get();
    const std::optional<R> value = value_of(other);
    emit(row.key, combine<kType, Out>(f, row.before, value),
         combine<kType, Out>(f, row.after, value), other, context);
    keep(left, context.event_time(), row.after);
  }
  void process_second(const Update<K, R>& row, OutContext& context) {
    const auto other = left.get();
    const std::optional<L> value = value_of(other);
    emit(row.key, combine<kType, Out>(f, value, row.before),
         combine<kType, Out>(f, value, row.after), other, context);
    keep(right, context.event_time(), row.after);
  }

 private:
  template <typename V>
  void emit(const K& key, std::optional<Out> before, std::optional<Out> after,
            const std::optional<Timed<V>>& other, OutContext& context) {
    if (!before && !after) return;
    const Timestamp time(std::max(context.event_time().ms, other ? other->first : kMinWatermark));
    context.emit({key, std::move(before), std::move(after)}, time);
  }
};

/// Rows of a stream with the present value of a table.
template <bool kLeft, typename T, typename V, typename F>
struct JoinTable {
  F f;
  ValueState<V> value;
  void open(StateOpener& state) { value = state.value<V>("value"); }
  template <typename C>
  void process_first(const T& row, C& context) {
    emit(f, row, value.get(), context);
  }
  template <typename K, typename C>
  void process_second(const Update<K, V>& row, C&) {
    if (row.after) {
      value.set(*row.after);
    } else {
      value.clear();
    }
  }
  template <typename C>
  static void emit(F& f, const T& row, const std::optional<V>& value, C& context) {
    if constexpr (kLeft) {
      context.emit(f(row, value));
    } else if (value) {
      context.emit(f(row, *value));
    }
  }
};

/// Rows of a stream with the value that a table had at their time. With a grace rows wait until
/// event time has passed them by it.
template <bool kLeft, typename T, typename V, typename F>
struct JoinVersions {
  F f;
  milliseconds history;
  std::optional<milliseconds> wait;
  MapState<std::int64_t, std::optional<V>> versions;
  MapState<std::int64_t, std::vector<T>> waiting;
  static constexpr bool kUsesEventTime = true;

  void open(StateOpener& state) {
    versions = state.map<std::int64_t, std::optional<V>>("versions");
    waiting = state.map<std::int64_t, std::vector<T>>("waiting");
  }
  template <typename C>
  void process_first(const T& row, C& context) {
    const Timestamp time = context.event_time();
    if (!wait || time + *wait <= context.watermark()) return emit(row, time, context);
    std::vector<T> rows = waiting.get(time.ms).value_or(std::vector<T>());
    rows.push_back(row);
    waiting.put(time.ms, rows);
    // A timer goes off when the watermark is past it.
    context.timer_at(Timestamp(time.ms + wait->count() - 1));
  }
  template <typename K, typename C>
  void process_second(const Update<K, V>& row, C& context) {
    const std::int64_t oldest = oldest_kept(context);
    if (context.event_time().ms < oldest) return;
    versions.put(context.event_time().ms, row.after);
    // Of the versions before the history only the last one is of use.
    std::optional<std::int64_t> last;
    for (const auto& [time, value] : versions.entries()) {
      if (time > oldest) continue;
      if (last) versions.erase(std::min(*last, time));
      last = std::max(last.value_or(time), time);
    }
  }
  template <typename C>
  void on_timer(Timestamp t, C& context) {
    const Timestamp time(t.ms + 1 - wait->count());
    const std::optional<std::vector<T>> rows = waiting.get(time.ms);
    if (!rows) return;
    waiting.erase(time.ms);
    for (const T& row : *rows) emit(row, time, context);
  }

 private:
  template <typename C>
  std::int64_t oldest_kept(C& context) const {
    const std::int64_t now = context.watermark().ms;
    return now < kMinWatermark + history.count() ? kMinWatermark : now - history.count();
  }
  template <typename C>
  void emit(const T& row, Timestamp time, C& context) {
    std::optional<Timed<std::optional<V>>> found;
    for (const auto& [since, value] : versions.entries()) {
      if (since <= time.ms && (!found || since > found->first)) found = {since, value};
    }
    std::optional<V> value;
    if (found) value = std::move(found->second);
    if constexpr (kLeft) {
      context.emit(f(row, value), time);
    } else if (value) {
      context.emit(f(row, *value), time);
    }
  }
};

/// Rows of a stream with the value of a table that every task holds.
template <bool kLeft, typename T, typename K, typename V, typename Out, typename KeyF, typename F>
struct JoinGlobal {
  KeyF key_of;
  F f;
  MapState<K, V> values;
  void open(StateOpener& state) { values = state.broadcast<K, V>("values"); }
  template <typename C>
  void process_first(const T& row, C& context) {
    const std::optional<K> key = maybe<K>(std::invoke(key_of, row));
    JoinTable<kLeft, T, V, F>::emit(f, row, key ? values.get(*key) : std::nullopt, context);
  }
  template <typename C>
  void process_second(const Update<K, V>& row, C&) {
    if (row.after) {
      values.put(row.key, *row.after);
    } else {
      values.erase(row.key);
    }
  }
};

/// What a row of a table tells the task of its foreign key.
template <typename FK>
using Subscription = std::tuple<std::optional<FK>,            // none: no row of the other table
                                std::string,                  // the key
                                std::int64_t,                 // version of the row
                                bool,                         // the last that is heard of the key
                                bool,                         // asks for an answer
                                std::optional<std::string>>;  // the value; none: it is gone

/// What a join by foreign key says of a row, and of which version of it.
template <typename K, typename Out>
using Answer = std::tuple<Update<K, Out>, std::int64_t, bool>;

/// Tells rows of the left table where their foreign key lives. A row that changes its foreign key
/// is answered by two tasks in turn; versions tell their answers apart.
template <typename K, typename L, typename FK, typename KeyF>
struct Subscribe {
  KeyF foreign_key_of;
  ValueState<std::pair<std::int64_t, bool>> version;  // and whether the foreign key ever changed
  using OutContext = Context<K, Subscription<FK>>;

  void open(StateOpener& state) { version = state.value<std::pair<std::int64_t, bool>>("version"); }
  void process(const Update<K, L>& row, OutContext& context) {
    const std::optional<FK> before = key_of(row.before);
    const std::optional<FK> after = key_of(row.after);
    auto [number, moved] = version.get_or({0, false});
    ++number;
    const std::string key = untyped::encode_state(row.key);
    const bool changes = row.before && row.after && !same(before, after);
    moved = moved || changes;
    if (changes) context.emit({before, key, number, false, false, std::nullopt});
    const bool last = !row.after && !moved;
    if (row.after) {
      context.emit({after, key, number, false, true, untyped::encode_state(*row.after)});
    } else {
      context.emit({before, key, number, last, true, std::nullopt});
    }
    if (last) {
      version.clear();
    } else {
      version.set({number, moved});
    }
  }

 private:
  std::optional<FK> key_of(const std::optional<L>& value) {
    if (!value) return std::nullopt;
    return maybe<FK>(foreign_key_of(*value));
  }
};

/// Answers rows of the left table from the right one, now and whenever that changes.
template <bool kLeft, typename K, typename L, typename FK, typename R, typename Out, typename F>
struct AnswerSubscriptions {
  static constexpr JoinType kType = kLeft ? JoinType::kLeft : JoinType::kInner;
  using Subscriber = std::pair<std::int64_t, std::string>;  // version, value
  F f;
  ValueState<Timed<R>> right;
  MapState<std::string, Subscriber> subscribers;
  using OutContext = Context<std::optional<FK>, Answer<K, Out>>;

  void open(StateOpener& state) {
    right = state.value<Timed<R>>("right");
    subscribers = state.map<std::string, Subscriber>("subscribers");
  }
  void process_first(const Subscription<FK>& row, OutContext& context) {
    const auto& [foreign, key, version, last, asks, value] = row;
    const std::int64_t now = context.event_time().ms;
    if (foreign && value) subscribers.put(key, {version, *value});
    if (foreign && !value) subscribers.erase(key);
    if (!asks) return;
    const auto held = foreign ? right.get() : std::nullopt;
    std::optional<L> left;
    if (value) left = untyped::decode_state<L>(*value);
    answer(key, version, last, left, value_of(held), std::max(now, held ? held->first : now),
           context);
  }
  void process_second(const Update<FK, R>& row, OutContext& context) {
    const std::int64_t now = context.event_time().ms;
    keep(right, context.event_time(), row.after);
    for (const auto& [key, subscriber] : subscribers.entries()) {
      const auto& [version, value] = subscriber;
      answer(key, version, false, std::optional<L>(untyped::decode_state<L>(value)), row.after, now,
             context);
    }
  }

 private:
  void answer(const std::string& key, std::int64_t version, bool last, const std::optional<L>& left,
              const std::optional<R>& value, std::int64_t time, OutContext& context) {
    Update<K, Out> update;
    update.key = untyped::decode_state<K>(key);
    update.after = combine<kType, Out>(f, left, value);
    context.emit({std::move(update), version, last}, Timestamp(time));
  }
};

/// The answers of each key as a table: none of an older version of the row.
template <typename K, typename Out>
struct TakeAnswers {
  ValueState<Timed<std::optional<Out>>> newest;  // by version
  void open(StateOpener& state) { newest = state.value<Timed<std::optional<Out>>>("newest"); }
  void process(const Answer<K, Out>& row, Context<K, Update<K, Out>>& context) {
    const auto& [update, version, last] = row;
    auto held = newest.get();
    if (held && version < held->first) return;
    if (last) {
      newest.clear();
    } else {
      newest.set({version, update.after});
    }
    std::optional<Out> before = held ? std::move(held->second) : std::nullopt;
    if (before || update.after) context.emit({update.key, std::move(before), update.after});
  }
};

/// An aggregate over the rows of a table, by a key of another kind: an update takes the value
/// before it back and then adds the one after it.
template <typename K, typename V, typename A>
struct AggregateRows {
  using Accumulator = typename A::Accumulator;
  using Answered = std::remove_cvref_t<decltype(std::declval<const A&>().result(
      std::declval<const Accumulator&>()))>;
  using Out = PresentType<Answered>;
  A aggregate;
  ValueState<Timed<Accumulator>> state;

  void open(StateOpener& opener) { state = opener.value<Timed<Accumulator>>("aggregate"); }
  void process(const Update<K, V>& row, Context<K, Update<K, Out>>& context) {
    std::optional<Timed<Accumulator>> held = state.get();
    std::optional<Out> before;
    if (held) before = maybe<Out>(aggregate.result(held->second));
    Timestamp time = context.event_time();
    if (held) time = std::max(time, Timestamp(held->first));
    if (!held && !row.after) return;
    if (!held) {
      held = {time.ms, aggregate.create()};
    } else if (row.before) {
      aggregate.retract(held->second, *row.before);
    }
    if (row.after) aggregate.add(held->second, *row.after);
    std::optional<Out> after = maybe<Out>(aggregate.result(held->second));
    if (after) {
      state.set({time.ms, held->second});
    } else {
      state.clear();
    }
    if (before || after) context.emit({row.key, std::move(before), std::move(after)}, time);
  }
};

/// Holds updates of a key back, and sends the last of them on when event time has come to due_at
/// (key, time of the first).
template <typename K, typename V, typename Due>
struct Hold {
  /// When it is due, the time of the last update, the values before the first and after the last.
  using Held = std::tuple<std::int64_t, std::int64_t, std::optional<V>, std::optional<V>>;
  Due due_at;
  bool sends_deletes;
  ValueState<Held> state;
  using OutContext = Context<K, Update<K, V>>;

  void open(StateOpener& opener) { state = opener.value<Held>("held"); }
  void process(const Update<K, V>& row, OutContext& context) {
    const Timestamp now = context.event_time();
    std::optional<Held> held = state.get();
    const std::int64_t due = held ? std::get<0>(*held) : due_at(row.key, now).ms;
    if (!held) {
      held = {due, now.ms, row.before, row.after};
      if (due <= context.watermark().ms) return send(row.key, *held, context);
      context.timer_at(Timestamp(due - 1));  // it goes off when the watermark is past it
    }
    std::get<1>(*held) = now.ms;
    std::get<3>(*held) = row.after;
    state.set(*held);
  }
  void on_timer(Timestamp, OutContext& context) {
    const auto held = state.get();
    if (!held) return;
    state.clear();
    send(context.key(), *held, context);
  }

 private:
  void send(const K& key, const Held& held, OutContext& context) {
    const auto& [due, time, before, after] = held;
    if (after || (before && sends_deletes)) context.emit({key, before, after}, Timestamp(time));
  }
};

}  // namespace tidegate::table_functions
