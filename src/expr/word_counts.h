// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "types/key_hash.h"

namespace tidegate {

/// How often words of eight bytes are there, those of count zero left out: a hash table with open
/// addressing in one block of memory, for sets of which there are many and most are small.
class WordCounts {
 public:
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  static constexpr std::size_t kSlotBytes = 2 * sizeof(std::int64_t);

  /// Adds `by` to the count of `word`; +1 when it came to be above zero, -1 when it is no longer,
  /// else 0.
  int add(std::uint64_t word, std::int64_t by) {
    if (by == 0) return 0;
    std::size_t at = 0;
    if (capacity_ > 0) {
      for (at = home(word); slots_[at].count != 0; at = next(at)) {
        if (slots_[at].word == word) return add_to(at, by);
      }
    }
    if (4 * (size_ + 1) > 3 * capacity_) {
      grow();
      at = free_slot(word);
    }
    slots_[at] = {word, by};
    ++size_;
    return by > 0 ? 1 : 0;
  }

  /// Asks for the memory that add() will look at.
  void prefetch(std::uint64_t word) const {
    if (capacity_ > 0) __builtin_prefetch(&slots_[home(word)]);
  }

  /// visit(word, count)
  template <typename Visit>
  void for_each(const Visit& visit) const {
    for (std::size_t i = 0; i < capacity_; ++i) {
      if (slots_[i].count != 0) visit(slots_[i].word, slots_[i].count);
    }
  }

 private:
  struct Slot {
    std::uint64_t word;
    std::int64_t count;  // 0: the slot is free
  };
  static constexpr std::uint32_t kSmallest = 4;

  std::size_t home(std::uint64_t word) const {
    return key_hash::mix(word ^ key_hash::kK0, key_hash::kK1) & (capacity_ - 1);
  }
  std::size_t next(std::size_t at) const { return (at + 1) & (capacity_ - 1); }
  std::size_t free_slot(std::uint64_t word) const {
    std::size_t at = home(word);
    while (slots_[at].count != 0) at = next(at);
    return at;
  }

  int add_to(std::size_t at, std::int64_t by) {
    const bool was_there = slots_[at].count > 0;
    slots_[at].count += by;
    const bool is_there = slots_[at].count > 0;
    if (slots_[at].count == 0) close_gap(at);
    return static_cast<int>(is_there) - static_cast<int>(was_there);
  }

  // The slot is free: those behind it that would be found no more move up.
  void close_gap(std::size_t gap) {
    --size_;
    for (std::size_t at = next(gap); slots_[at].count != 0; at = next(at)) {
      const std::size_t distance = (at - home(slots_[at].word)) & (capacity_ - 1);
      if (distance < ((at - gap) & (capacity_ - 1))) continue;
      slots_[gap] = slots_[at];
      slots_[at].count = 0;
      gap = at;
    }
  }

  void grow() {
    const std::unique_ptr<Slot[]> old = std::move(slots_);
    const std::uint32_t old_capacity = capacity_;
    capacity_ = capacity_ == 0 ? kSmallest : 2 * capacity_;
    slots_ = std::make_unique<Slot[]>(capacity_);
    for (std::uint32_t i = 0; i < old_capacity; ++i) {
      if (old[i].count != 0) slots_[free_slot(old[i].word)] = old[i];
    }
  }

  std::unique_ptr<Slot[]> slots_;
  std::uint32_t capacity_ = 0;  // a power of two, or 0
  std::uint32_t size_ = 0;
};

}  // namespace tidegate
