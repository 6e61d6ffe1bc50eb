// SPDX-License-Identifier: Apache-2.0
//
// What aggregators share: their state as a struct inside the accumulator, and the errors of
// binding.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "expr/aggregate.h"
#include "expr/column_values.h"

namespace tidegate {

using Accumulators = std::span<std::byte* const>;
using ConstAccumulators = std::span<const std::byte* const>;
using ArgumentArrays = std::span<const std::shared_ptr<arrow::Array>>;

/// An Int128 at an address that is a multiple of 8 only, as accumulators are.
struct Int128InPlace {
  Int128InPlace() = default;
  Int128InPlace(Int128 value)  // NOLINT: implicit by intent
      : low(static_cast<std::uint64_t>(value)), high(static_cast<std::int64_t>(value >> 64)) {}
  operator Int128() const {  // NOLINT: implicit by intent
    return static_cast<Int128>(static_cast<unsigned __int128>(high) << 64 | low);
  }

  std::uint64_t low;
  std::int64_t high;
};

/// An aggregator whose accumulator is one State, a trivial struct that is empty when all its bytes
/// are zero.
template <typename State>
class StateAggregator : public Aggregator {
 public:
  static_assert(std::is_trivially_copyable_v<State> && alignof(State) <= 8);

  explicit StateAggregator(LogicalType result_type) : result_type_(std::move(result_type)) {}

  LogicalType result_type() const override { return result_type_; }
  std::int32_t size_bytes() const override { return static_cast<std::int32_t>(sizeof(State)); }

 protected:
  static State& state(std::byte* accumulator) { return *reinterpret_cast<State*>(accumulator); }
  static const State& state(const std::byte* accumulator) {
    return *reinterpret_cast<const State*>(accumulator);
  }

  /// Calls f(state, value) for every row whose argument is not null.
  template <typename T, typename F>
  static void for_each_value(Accumulators accumulators, const arrow::Array& argument, F f) {
    const ValueReader<T> values(argument);
    const auto count = static_cast<std::int64_t>(accumulators.size());
    if (!values.has_nulls()) {
      for (std::int64_t i = 0; i < count; ++i)
        f(state(accumulators[static_cast<std::size_t>(i)]), values[i]);
    } else {
      for (std::int64_t i = 0; i < count; ++i)
        if (!values.is_null(i)) f(state(accumulators[static_cast<std::size_t>(i)]), values[i]);
    }
  }

  /// The column of the results; get(state, &value) answers false for null.
  template <typename T, typename F>
  Result<ArrayPtr> result_column(ConstAccumulators accumulators, F get) const {
    const auto count = static_cast<std::int64_t>(accumulators.size());
    TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<T>::make(count));
    for (std::int64_t i = 0; i < count; ++i) {
      T value{};
      if (get(state(accumulators[static_cast<std::size_t>(i)]), &value)) {
        writer.set(i, value);
      } else {
        TG_RETURN_IF_ERROR(writer.set_null(i));
      }
    }
    return writer.finish(result_type_);
  }

 private:
  LogicalType result_type_;
};

/// Bytes with their length in front, for serialize() and deserialize().
void append_sized(std::string_view bytes, std::string& out);
bool take_sized(std::string_view& in, std::string_view* bytes);

template <typename T>
void append_plain(const T& value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}
template <typename T>
bool take_plain(std::string_view& in, T* value) {
  if (in.size() < sizeof(T)) return false;
  std::memcpy(value, in.data(), sizeof(T));
  in.remove_prefix(sizeof(T));
  return true;
}

Status corrupt_accumulator();

/// An aggregator whose accumulator is a pointer to a Content on the heap, made with the first row.
/// Content: owned_bytes(), serialize(std::string&), bool deserialize(std::string_view&).
template <typename Content>
class HeapAggregator : public StateAggregator<Content*> {
 public:
  using Base = StateAggregator<Content*>;
  using Base::Base;
  using Base::state;

  bool needs_destroy() const override { return true; }
  bool is_relocatable() const override { return true; }
  void destroy(std::byte* accumulator) const override {
    delete std::exchange(state(accumulator), nullptr);
  }
  std::int64_t owned_bytes(const std::byte* accumulator) const override {
    const Content* content = state(accumulator);
    return content == nullptr ? 0 : content->owned_bytes();
  }
  void serialize(const std::byte* accumulator, std::string& out) const override {
    const Content* content = state(accumulator);
    out += content == nullptr ? '\0' : '\1';
    if (content != nullptr) content->serialize(out);
  }
  Status deserialize(std::string_view& in, std::byte* accumulator) const override {
    char present = 0;
    if (!take_plain(in, &present) || present > 1) return corrupt_accumulator();
    destroy(accumulator);
    if (present == 0) return Status::ok();
    if (!content_of(accumulator).deserialize(in)) return corrupt_accumulator();
    return Status::ok();
  }

 protected:
  static Content& content_of(std::byte* accumulator) {
    Content*& content = state(accumulator);
    if (content == nullptr) content = new Content();
    return *content;
  }
};

}  // namespace tidegate
