// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tidegate/codec.h"
#include "tidegate/record.h"
#include "tidegate/untyped.h"

namespace tidegate {

/// An aggregate over rows of T:
///   struct Average {
///     struct Accumulator { double sum = 0; std::int64_t n = 0; };      // state: see Codec
///     Accumulator create() const;
///     void add(Accumulator&, const T& row) const;
///     double result(const Accumulator&) const;                         // a record
///     void merge(Accumulator& into, const Accumulator& from) const;    // optional: needed for
///                                                                      // sessions; faster else
///     void retract(Accumulator&, const T& row) const;                  // optional: for changelogs
///   };
template <typename A, typename T>
concept AggregateOf = requires(const A& aggregate, typename A::Accumulator& accumulator,
                               const typename A::Accumulator& constant, const T& row) {
  { aggregate.create() } -> std::same_as<typename A::Accumulator>;
  aggregate.add(accumulator, row);
  aggregate.result(constant);
}
&&StateType<typename A::Accumulator>;

template <typename A>
using AggregateResult = std::remove_cvref_t<decltype(std::declval<const A&>().result(
    std::declval<const typename A::Accumulator&>()))>;

/// SUM keeps the type of its argument; small integers widen as the built-in function does not, so
/// members of 8 and 16 bits sum in their own width.
template <typename M>
using SumType = M;

/// reduce(f) as an aggregate.
template <typename T, typename F>
struct Reduce {
  using Accumulator = std::optional<T>;
  mutable F combine;

  Accumulator create() const { return std::nullopt; }
  void add(Accumulator& accumulator, const T& row) const {
    if (accumulator) {
      accumulator = combine(*accumulator, row);
    } else {
      accumulator = row;
    }
  }
  void merge(Accumulator& into, const Accumulator& from) const {
    if (from) add(into, *from);
  }
  T result(const Accumulator& accumulator) const { return *accumulator; }
};

/// The untyped form of an aggregate of the program's own.
template <RecordType T, AggregateOf<T> A>
class TypedAggregate final : public untyped::NativeAggregate {
 public:
  using Accumulator = typename A::Accumulator;
  using Value = AggregateResult<A>;
  static_assert(RecordType<Value>,
                "Tidegate: result() of an aggregate must return a record: a scalar, a struct with "
                "BOOST_DESCRIBE_STRUCT, or a tuple or pair of these.");
  static_assert(alignof(Accumulator) <= 8, "Tidegate: accumulators are aligned to 8 bytes.");

  explicit TypedAggregate(A aggregate) : aggregate_(std::move(aggregate)) {}

  std::vector<ColumnSpec> result_columns() const override { return record_columns<Value>(); }
  std::int32_t size_bytes() const override { return sizeof(Accumulator); }
  void create(std::byte* accumulator) const override {
    new (accumulator) Accumulator(aggregate_.create());
  }
  void destroy(std::byte* accumulator) const override { at(accumulator).~Accumulator(); }
  void add(std::byte* const* accumulators, const BatchView& in) const override {
    for_each_row(in, [&](std::int64_t row) {
      aggregate_.add(at(accumulators[row]), Record<T>::read(in, 0, row));
    });
  }
  bool can_retract() const override { return kRetracts; }
  void retract(std::byte* const* accumulators, const BatchView& in) const override {
    if constexpr (kRetracts) {
      for_each_row(in, [&](std::int64_t row) {
        aggregate_.retract(at(accumulators[row]), Record<T>::read(in, 0, row));
      });
    }
  }
  bool can_merge() const override { return kMerges; }
  void merge(std::byte* into, const std::byte* from) const override {
    if constexpr (kMerges) aggregate_.merge(at(into), at(from));
  }
  void result(const std::byte* accumulator, BatchWriter& out) const override {
    Record<Value>::write(out, 0, aggregate_.result(at(accumulator)));
    out.end_row(0);
  }
  void serialize(const std::byte* accumulator, std::string& out) const override {
    Codec<Accumulator>::write(out, at(accumulator));
  }
  bool deserialize(std::string_view& in, std::byte* accumulator) const override {
    return Codec<Accumulator>::read(in, at(accumulator));
  }

 private:
  static constexpr bool kMerges = requires(const A& a, Accumulator& into, const Accumulator& from) {
    a.merge(into, from);
  };
  static constexpr bool kRetracts = requires(const A& a, Accumulator& into, const T& row) {
    a.retract(into, row);
  };

  static Accumulator& at(std::byte* bytes) {
    return *std::launder(reinterpret_cast<Accumulator*>(bytes));
  }
  static const Accumulator& at(const std::byte* bytes) {
    return *std::launder(reinterpret_cast<const Accumulator*>(bytes));
  }

  A aggregate_;
};

template <RecordType T, AggregateOf<T> A>
std::shared_ptr<const untyped::NativeAggregate> make_native_aggregate(A aggregate) {
  return std::make_shared<TypedAggregate<T, A>>(std::move(aggregate));
}

}  // namespace tidegate
