// SPDX-License-Identifier: Apache-2.0
//
// Values in the order in which they came that can be taken back, the oldest of equal ones first:
// for FIRST_VALUE and LAST_VALUE, and the aggregates that list their values.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "functions/counted_values.h"

namespace tidegate {

template <typename T>
class ValueSequence {
 public:
  using Kept = KeptValue<T>;

  void add(T value) {
    if (const auto owed = owed_.find(value); owed != owed_.end()) {
      if (--owed->second == 0) forget(owed);
      return;
    }
    const auto row = order_.emplace_hint(order_.end(), next_++, Kept(value));
    index_.insert(&*row);
    owned_bytes_ += kBytesPerValue + kept_bytes(row->second);
  }
  /// A value that is not there (a changelog that was shuffled) is owed: the next one is left out.
  void take(T value) {
    if (!contains(value)) return owe(value, 1);
    const auto found = index_.lower_bound(value);
    const auto row = order_.find((*found)->first);
    owned_bytes_ -= kBytesPerValue + kept_bytes(row->second);
    index_.erase(found);
    order_.erase(row);
  }
  void merge(const ValueSequence& other) {
    for (const auto& [number, value] : other.order_) add(T(value));
    for (const auto& [value, count] : other.owed_) {
      std::int64_t left = count;
      for (; left > 0 && contains(value); --left) take(value);
      if (left > 0) owe(value, left);
    }
  }
  template <typename F>
  void for_each(F f) const {
    for (const auto& [number, value] : order_) f(T(value));
  }
  template <typename Choice>
  bool result(T* out) const {
    if (order_.empty()) return false;
    *out = std::is_same_v<Choice, KeepFirst> ? order_.begin()->second : order_.rbegin()->second;
    return true;
  }

  std::int64_t owned_bytes() const {
    return owned_bytes_ + static_cast<std::int64_t>(sizeof(*this));
  }
  void serialize(std::string& out) const {
    append_plain(static_cast<std::uint64_t>(order_.size()), out);
    for (const auto& [number, value] : order_) append_kept(value, out);
    append_plain(static_cast<std::uint64_t>(owed_.size()), out);
    for (const auto& [value, count] : owed_) {
      append_kept(value, out);
      append_plain(count, out);
    }
  }
  bool deserialize(std::string_view& in) {
    std::uint64_t size = 0;
    if (!take_plain(in, &size)) return false;
    for (; size > 0; --size) {
      Kept value{};
      if (!take_kept(in, &value)) return false;
      add(T(value));
    }
    if (!take_plain(in, &size)) return false;
    for (; size > 0; --size) {
      Kept value{};
      std::int64_t count = 0;
      if (!take_kept(in, &value) || !take_plain(in, &count) || count <= 0) return false;
      owe(T(value), count);
    }
    return true;
  }

 private:
  static constexpr std::int64_t kBytesPerValue = 2 * kMapNodeBytes + 8;

  using Less = typename CountedValues<T>::Less;
  using Order = std::map<std::uint64_t, Kept>;

  /// By value, equal ones by number; a value alone stands before all that are equal to it.
  struct Before {
    using is_transparent = void;
    using Row = const typename Order::value_type*;
    bool operator()(Row a, Row b) const {
      if (is_less<T>(a->second, b->second)) return true;
      return !is_less<T>(b->second, a->second) && a->first < b->first;
    }
    bool operator()(Row a, T b) const { return is_less<T>(a->second, b); }
    bool operator()(T a, Row b) const { return !is_less<T>(b->second, a); }
  };

  bool contains(T value) const {
    const auto found = index_.lower_bound(value);
    return found != index_.end() && !is_less<T>(value, (*found)->second);
  }
  void owe(T value, std::int64_t count) {
    const auto [owed, is_new] = owed_.try_emplace(Kept(value), 0);
    if (is_new) owned_bytes_ += kMapNodeBytes + kept_bytes(owed->first);
    owed->second += count;
  }
  void forget(typename std::map<Kept, std::int64_t, Less>::iterator owed) {
    owned_bytes_ -= kMapNodeBytes + kept_bytes(owed->first);
    owed_.erase(owed);
  }

  Order order_;
  std::set<const typename Order::value_type*, Before> index_;
  std::map<Kept, std::int64_t, Less> owed_;  // taken before they were added, with how often
  std::uint64_t next_ = 0;
  std::int64_t owned_bytes_ = 0;
};

template <typename T, typename Choice>
class RetractableSequence final : public HeapAggregator<ValueSequence<T>> {
 public:
  using Content = ValueSequence<T>;
  using Base = HeapAggregator<Content>;
  using Base::Base;
  using Base::content_of;
  using Base::state;

  std::string fingerprint() const override { return "sequence " + this->result_type().to_string(); }
  bool is_order_dependent() const override { return true; }

  Status add(Accumulators accumulators, ArgumentArrays arguments) const override {
    for_each(accumulators, *arguments[0], [](Content& content, T value) { content.add(value); });
    return Status::ok();
  }
  bool can_retract() const override { return true; }
  Status retract(Accumulators accumulators, ArgumentArrays arguments) const override {
    for_each(accumulators, *arguments[0], [](Content& content, T value) { content.take(value); });
    return Status::ok();
  }
  Status merge(std::byte* into, const std::byte* from) const override {
    if (state(from) != nullptr) content_of(into).merge(*state(from));
    return Status::ok();
  }
  Result<ArrayPtr> result(ConstAccumulators accumulators) const override {
    return Base::template result_column<T>(accumulators, [](const Content* content, T* out) {
      return content != nullptr && content->template result<Choice>(out);
    });
  }

 private:
  template <typename F>
  static void for_each(Accumulators accumulators, const arrow::Array& argument, F f) {
    const ValueReader<T> values(argument);
    for (std::size_t i = 0; i < accumulators.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      if (!values.is_null(row)) f(content_of(accumulators[i]), values[row]);
    }
  }
};

}  // namespace tidegate
