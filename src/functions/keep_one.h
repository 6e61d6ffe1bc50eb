// SPDX-License-Identifier: Apache-2.0
//
// Aggregators that keep one of their values: the smallest, the largest, the first or the last.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "expr/state_aggregator.h"

namespace tidegate {

/// Room for one value in an accumulator; empty when all bytes are zero.
template <typename T>
struct ValueSlot {
  using Stored = std::conditional_t<std::is_same_v<T, Int128>, Int128InPlace, T>;
  static constexpr bool kOwnsMemory = false;

  bool has() const { return present != 0; }
  T get() const { return value; }
  void set(T v) {
    value = v;
    present = 1;
  }
  void destroy() {}
  std::int64_t owned_bytes() const { return 0; }

  Stored value;
  std::int64_t present;
};

template <>
struct ValueSlot<std::string_view> {
  static constexpr bool kOwnsMemory = true;

  bool has() const { return data != nullptr; }
  std::string_view get() const { return {data, size}; }
  void set(std::string_view text) {
    if (data == nullptr || capacity < text.size()) {
      capacity = static_cast<std::uint32_t>(std::max<std::size_t>(text.size(), 16));
      delete[] data;
      data = new char[capacity];
    }
    std::memcpy(data, text.data(), text.size());
    size = static_cast<std::uint32_t>(text.size());
  }
  void destroy() { delete[] std::exchange(data, nullptr); }
  std::int64_t owned_bytes() const { return data == nullptr ? 0 : capacity; }

  char* data;
  std::uint32_t size;
  std::uint32_t capacity;
};

/// A total order: NaN is the largest, so that the answer does not depend on the order of rows.
template <typename T>
bool is_less(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) || std::isnan(b)) return !std::isnan(a) && std::isnan(b);
  }
  return a < b;
}

struct KeepSmallest {
  static constexpr bool kOrderDependent = false;
  template <typename T>
  static bool replaces(T candidate, T current) {
    return is_less(candidate, current);
  }
};
struct KeepLargest {
  static constexpr bool kOrderDependent = false;
  template <typename T>
  static bool replaces(T candidate, T current) {
    return is_less(current, candidate);
  }
};
struct KeepFirst {
  static constexpr bool kOrderDependent = true;
  template <typename T>
  static bool replaces(T, T) {
    return false;
  }
};
struct KeepLast {
  static constexpr bool kOrderDependent = true;
  template <typename T>
  static bool replaces(T, T) {
    return true;
  }
};

template <typename T, typename Choice>
class KeepOne final : public StateAggregator<ValueSlot<T>> {
 public:
  using Slot = ValueSlot<T>;
  using Base = StateAggregator<Slot>;
  using Base::Base;
  using Base::state;

  bool needs_destroy() const override { return Slot::kOwnsMemory; }
  bool is_relocatable() const override { return true; }
  void destroy(std::byte* accumulator) const override { state(accumulator).destroy(); }
  std::int64_t owned_bytes(const std::byte* accumulator) const override {
    return state(accumulator).owned_bytes();
  }
  bool is_order_dependent() const override { return Choice::kOrderDependent; }

  Status add(Accumulators accumulators, ArgumentArrays arguments) const override {
    Base::template for_each_value<T>(accumulators, *arguments[0],
                                     [](Slot& slot, T value) { offer(slot, value); });
    return Status::ok();
  }
  Status merge(std::byte* into, const std::byte* from) const override {
    if (state(from).has()) offer(state(into), state(from).get());
    return Status::ok();
  }
  Result<ArrayPtr> result(ConstAccumulators accumulators) const override {
    return Base::template result_column<T>(accumulators, [](const Slot& slot, T* out) {
      if (!slot.has()) return false;
      *out = slot.get();
      return true;
    });
  }

  void serialize(const std::byte* accumulator, std::string& out) const override {
    if constexpr (!Slot::kOwnsMemory) {
      Base::serialize(accumulator, out);
    } else {
      const Slot& slot = state(accumulator);
      out += slot.has() ? '\1' : '\0';
      if (slot.has()) append_sized(slot.get(), out);
    }
  }
  Status deserialize(std::string_view& in, std::byte* accumulator) const override {
    if constexpr (!Slot::kOwnsMemory) {
      return Base::deserialize(in, accumulator);
    } else {
      char present = 0;
      std::string_view text;
      if (!take_plain(in, &present) || (present == 1 && !take_sized(in, &text)) || present > 1)
        return corrupt_accumulator();
      if (present == 1) {
        state(accumulator).set(text);
      } else {
        state(accumulator).destroy();
      }
      return Status::ok();
    }
  }

 private:
  static void offer(Slot& slot, T value) {
    if (!slot.has() || Choice::replaces(value, slot.get())) slot.set(value);
  }
};

}  // namespace tidegate
