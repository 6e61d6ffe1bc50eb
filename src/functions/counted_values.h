// SPDX-License-Identifier: Apache-2.0
//
// MIN and MAX that can take rows back: all values are kept in order, with how often each is there.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "functions/keep_one.h"

namespace tidegate {

/// How a value is kept outside of columns, and as bytes.
template <typename T>
using KeptValue = std::conditional_t<std::is_same_v<T, std::string_view>, std::string, T>;

template <typename T>
void append_kept(const T& value, std::string& out) {
  append_plain(value, out);
}
inline void append_kept(const std::string& value, std::string& out) { append_sized(value, out); }

template <typename T>
bool take_kept(std::string_view& in, T* value) {
  return take_plain(in, value);
}
inline bool take_kept(std::string_view& in, std::string* value) {
  std::string_view bytes;
  if (!take_sized(in, &bytes)) return false;
  *value = bytes;
  return true;
}

template <typename T>
std::int64_t kept_bytes(const T&) {
  return static_cast<std::int64_t>(sizeof(T));
}
inline std::int64_t kept_bytes(const std::string& value) {
  return static_cast<std::int64_t>(sizeof(value) + (value.size() > 15 ? value.capacity() : 0));
}

/// What a node of a std::map takes beside its value.
inline constexpr std::int64_t kMapNodeBytes = 48;

/// Rows may be taken back before they are added (a changelog that was shuffled): counts go below
/// zero for a while, and such values do not show.
template <typename T>
class CountedValues {
 public:
  using Kept = KeptValue<T>;
  struct Less {
    using is_transparent = void;
    bool operator()(T a, T b) const { return is_less<T>(a, b); }
  };

  void change(T value, std::int64_t by) {
    auto found = counts_.find(value);
    if (found == counts_.end()) {
      found = counts_.emplace(Kept(value), 0).first;
      owned_bytes_ += kMapNodeBytes + kept_bytes(found->first);
    }
    found->second += by;
    if (found->second != 0) return;
    owned_bytes_ -= kMapNodeBytes + kept_bytes(found->first);
    counts_.erase(found);
  }
  void merge(const CountedValues& other) {
    for (const auto& [value, count] : other.counts_) change(T(value), count);
  }
  template <typename Choice>
  bool result(T* out) const {
    if constexpr (std::is_same_v<Choice, KeepSmallest>) {
      return first_present(counts_.begin(), counts_.end(), out);
    } else {
      return first_present(counts_.rbegin(), counts_.rend(), out);
    }
  }

  /// f(value, count) for the values that are there, from the smallest on.
  template <typename F>
  void for_each(F f) const {
    for (const auto& [value, count] : counts_)
      if (count > 0) f(T(value), count);
  }

  std::int64_t owned_bytes() const {
    return owned_bytes_ + static_cast<std::int64_t>(sizeof(*this));
  }
  void serialize(std::string& out) const {
    append_plain(static_cast<std::uint64_t>(counts_.size()), out);
    for (const auto& [value, count] : counts_) {
      append_kept(value, out);
      append_plain(count, out);
    }
  }
  bool deserialize(std::string_view& in) {
    std::uint64_t size = 0;
    if (!take_plain(in, &size)) return false;
    for (; size > 0; --size) {
      Kept value{};
      std::int64_t count = 0;
      if (!take_kept(in, &value) || !take_plain(in, &count)) return false;
      change(T(value), count);
    }
    return true;
  }

 private:
  template <typename Iterator>
  static bool first_present(Iterator begin, Iterator end, T* out) {
    for (; begin != end; ++begin) {
      if (begin->second <= 0) continue;
      *out = begin->first;
      return true;
    }
    return false;
  }

  std::map<Kept, std::int64_t, Less> counts_;
  std::int64_t owned_bytes_ = 0;
};

template <typename T, typename Choice>
class RetractableExtreme final : public HeapAggregator<CountedValues<T>> {
 public:
  using Content = CountedValues<T>;
  using Base = HeapAggregator<Content>;
  using Base::Base;
  using Base::content_of;
  using Base::state;

  std::string fingerprint() const override { return "counted " + this->result_type().to_string(); }

  Status add(Accumulators accumulators, ArgumentArrays arguments) const override {
    return change(accumulators, *arguments[0], 1);
  }
  bool can_retract() const override { return true; }
  Status retract(Accumulators accumulators, ArgumentArrays arguments) const override {
    return change(accumulators, *arguments[0], -1);
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
  static Status change(Accumulators accumulators, const arrow::Array& argument, std::int64_t by) {
    const ValueReader<T> values(argument);
    for (std::size_t i = 0; i < accumulators.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      if (!values.is_null(row)) content_of(accumulators[i]).change(values[row], by);
    }
    return Status::ok();
  }
};

}  // namespace tidegate
