// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "tidegate/stream.h"
#include "tidegate/table_steps.h"

/// One aggregate over streams of different types with the same key:
///   cogroup<Total>(clicks.key_by(&Click::user), [](Total& total, const Click&) { ++total.clicks;
///   })
///       .with(orders.key_by(&Order::user),
///             [](Total& total, const Order& order) { total.spent += order.amount; })
///       .window(tumbling(5min), grace(1min))                  // or .aggregate()
namespace tidegate {

/// A row of one of several streams: its key, which stream, and the row as bytes.
template <typename K>
using CogroupRow = std::tuple<K, std::int32_t, std::string>;

/// How rows of T change the accumulator.
template <typename T, typename F>
struct CogroupPart {
  using Row = T;
  F f;
};

template <typename K, typename A, typename... Parts>
struct CogroupAggregate {
  using Accumulator = A;
  mutable std::tuple<Parts...> parts;

  Accumulator create() const { return A{}; }
  void add(Accumulator& accumulator, const CogroupRow<K>& row) const {
    std::int32_t part = 0;
    std::apply([&](auto&... each) { (add_if(part++, each, accumulator, row), ...); }, parts);
  }
  A result(const Accumulator& accumulator) const { return accumulator; }

 private:
  template <typename Part>
  static void add_if(std::int32_t part, Part& of, Accumulator& accumulator,
                     const CogroupRow<K>& row) {
    if (part != std::get<1>(row)) return;
    of.f(accumulator, untyped::decode_state<typename Part::Row>(std::get<2>(row)));
  }
};

template <RecordType K, RecordType A, typename... Parts>
class Cogrouped {
 public:
  static_assert(StateType<A>, "Tidegate: a cogroup needs an accumulator that state can hold.");
  Cogrouped(untyped::Plan* plan, std::vector<untyped::NodeRef> rows, std::tuple<Parts...> parts)
      : plan_(plan), rows_(std::move(rows)), parts_(std::move(parts)) {}

  /// Rows of a further stream: f(accumulator, row).
  template <RecordType T, std::invocable<A&, const T&> F>
  Cogrouped<K, A, Parts..., CogroupPart<T, F>> with(const KeyedStream<K, T>& stream, F f) const {
    static_assert(StateType<T>,
                  "Tidegate: rows of a cogroup must be of a type that state can "
                  "hold; use std::string in place of std::string_view.");
    auto number = [keys = stream.keys()](const BatchView& in, BatchWriter& out) {
      const auto first = static_cast<std::size_t>(keys.empty() ? 0 : keys[0]);
      for_each_row(in, [&](std::int64_t row) {
        Record<CogroupRow<K>>::write(
            out, 0,
            {Record<K>::read(in, first, row), static_cast<std::int32_t>(sizeof...(Parts)),
             untyped::encode_state(Record<T>::read(in, 0, row))});
        out.end_row(static_cast<std::int32_t>(row));
      });
    };
    std::vector<untyped::NodeRef> rows = rows_;
    rows.push_back(
        plan_->map(stream.node(), "cogroup", record_columns<CogroupRow<K>>(), std::move(number)));
    return {plan_, std::move(rows),
            std::tuple_cat(parts_, std::tuple(CogroupPart<T, F>{std::move(f)}))};
  }

  /// The accumulator of a key with each of its rows.
  Stream<Keyed<K, A>> aggregate(As name = as("cogroup")) const {
    return keyed().aggregate(Aggregate{parts_}, std::move(name));
  }
  /// The accumulators of a key's windows.
  Stream<Windowed<K, A>> window(Window window, Grace grace = {}, Emit emit = Emit::kOnClose,
                                As name = as("cogroup")) const {
    return keyed().window(window, grace).emit(emit).aggregate(Aggregate{parts_}, std::move(name));
  }

 private:
  using Aggregate = CogroupAggregate<K, A, Parts...>;
  KeyedStream<K, CogroupRow<K>> keyed() const {
    return {plan_, plan_->merge(rows_), untyped::first_columns(Record<K>::kColumns)};
  }

  untyped::Plan* plan_;
  std::vector<untyped::NodeRef> rows_;
  std::tuple<Parts...> parts_;
};

/// Begins with one stream; with() adds others.
template <RecordType A, RecordType K, RecordType T, std::invocable<A&, const T&> F>
auto cogroup(const KeyedStream<K, T>& stream, F f) {
  return Cogrouped<K, A>(stream.plan(), {}, {}).with(stream, std::move(f));
}

}  // namespace tidegate
