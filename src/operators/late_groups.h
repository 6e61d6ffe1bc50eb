// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <unordered_set>

#include "tidegate/time.h"

namespace tidegate {

/// Counts late rows as Spark does, which aggregates before it looks at time: rows of the same key
/// and window in an epoch are one.
class LateGroups {
 public:
  /// True for the first one since clear().
  bool add(std::uint64_t key_hash, EventTime window_end) {
    constexpr std::uint64_t kOdd = 0x9e37'79b9'7f4a'7c15;
    return seen_.insert(key_hash ^ (static_cast<std::uint64_t>(window_end) * kOdd)).second;
  }
  void clear() { seen_.clear(); }

 private:
  std::unordered_set<std::uint64_t> seen_;
};

}  // namespace tidegate
