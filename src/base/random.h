// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace tidegate {

/// The only source of randomness: a seeded generator (xoshiro256**), one owner, not thread-safe.
/// Same seed, same numbers, on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed);
  std::uint64_t next();
  /// Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound);
  /// Uniform in [0, 1).
  double real();

 private:
  std::uint64_t state_[4];
};

/// A seed that nobody can foresee, from the operating system.
std::uint64_t entropy_seed();

}  // namespace tidegate
