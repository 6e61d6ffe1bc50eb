// SPDX-License-Identifier: Apache-2.0
//
// Values in the order in which they came that can be taken back, the oldest of equal ones first:
// for FIRST_VALUE and LAST_VALUE, and the aggregates that list their values.
#pragma once

#include <deque>
#include <map>
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
    auto found = numbers_.find(value);
    if (found == numbers_.end())
      found = numbers_.emplace(Kept(value), std::deque<std::uint64_t>()).first;
    found->second.push_back(next_);
    order_.emplace(next_++, &found->first);
    owned_bytes_ += kBytesPerValue + kept_bytes(found->first);
  }
  /// A value that is not there (a changelog that was shuffled) is owed: the next one is left out.
  void take(T value) {
    const auto found = numbers_.find(value);
    if (found == numbers_.end()) {
      owe(value, 1);
      return;
    }
    owned_bytes_ -= kBytesPerValue + kept_bytes(found->first);
    order_.erase(found->second.front());
    found->second.pop_front();
    if (found->second.empty()) numbers_.erase(found);
  }
  void merge(const ValueSequence& other) {
    for (const auto& [number, value] : other.order_) add(T(*value));
    for (const auto& [value, count] : other.owed_)
      for (std::int64_t i = 0; i < count; ++i) take(T(value));
  }
  template <typename F>
  void for_each(F f) const {
    for (const auto& [number, value] : order_) f(T(*value));
  }
  template <typename Choice>
  bool result(T* out) const {
    if (order_.empty()) return false;
    *out = std::is_same_v<Choice, KeepFirst> ? *order_.begin()->second : *order_.rbegin()->second;
    return true;
  }

  std::int64_t owned_bytes() const {
    return owned_bytes_ + static_cast<std::int64_t>(sizeof(*this));
  }
  void serialize(std::string& out) const {
    append_plain(static_cast<std::uint64_t>(order_.size()), out);
    for (const auto& [number, value] : order_) append_kept(*value, out);
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

  void owe(T value, std::int64_t count) {
    const auto [owed, is_new] = owed_.try_emplace(Kept(value), 0);
    if (is_new) owned_bytes_ += kMapNodeBytes + kept_bytes(owed->first);
    owed->second += count;
  }
  void forget(typename std::map<Kept, std::int64_t, Less>::iterator owed) {
    owned_bytes_ -= kMapNodeBytes + kept_bytes(owed->first);
    owed_.erase(owed);
  }

  std::map<Kept, std::deque<std::uint64_t>, Less> numbers_;
  std::map<Kept, std::int64_t, Less> owed_;     // taken before they were added, with how often
  std::map<std::uint64_t, const Kept*> order_;  // keys of numbers_, which stay where they are
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
