// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace tidegate {

/// The part of the key space that a task owns: key groups [begin, end) of `total`. Contiguous, so
/// that rescaling moves ranges.
struct KeyGroupRange {
  int begin = 0;
  int end = 128;
  int total = 128;

  bool contains(int group) const { return group >= begin && group < end; }
  friend bool operator==(const KeyGroupRange&, const KeyGroupRange&) = default;
};

/// The key group of a key's hash. Part of the state format: never changes.
constexpr int key_group_of(std::uint64_t hash, int total) {
  return static_cast<int>(((hash >> 32) * static_cast<std::uint64_t>(total)) >> 32);
}

/// The subtask that owns a key group when there are `parallelism` of them.
constexpr int subtask_of_key_group(int group, int total, int parallelism) {
  return group * parallelism / total;
}

/// The key groups of a subtask when `parallelism` of them share `range`; together their ranges
/// cover it once.
constexpr KeyGroupRange part_of(KeyGroupRange range, int subtask, int parallelism) {
  const int size = range.end - range.begin;
  return KeyGroupRange{range.begin + (subtask * size + parallelism - 1) / parallelism,
                       range.begin + ((subtask + 1) * size + parallelism - 1) / parallelism,
                       range.total};
}

/// Likewise of all key groups.
constexpr KeyGroupRange key_groups_of_subtask(int subtask, int total, int parallelism) {
  return part_of(KeyGroupRange{0, total, total}, subtask, parallelism);
}

}  // namespace tidegate
