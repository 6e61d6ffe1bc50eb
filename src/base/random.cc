// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <sys/random.h>

#include <errno.h>

#include <bit>

#include "base/check.h"

namespace tidegate {
namespace {

// splitmix64: spreads a seed over the whole state, so that seeds 1 and 2 have nothing in common.
std::uint64_t split_mix(std::uint64_t& x) {
  x += 0x9e3779b97f4a7c15;
  std::uint64_t z = x;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

Random::Random(std::uint64_t seed) {
  for (std::uint64_t& word : state_) word = split_mix(seed);
}

// xoshiro256** 1.0 by Blackman and Vigna (public domain).
std::uint64_t Random::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::uint64_t Random::below(std::uint64_t bound) {
  TG_CHECK(bound > 0, "bound must be positive");
  // The numbers below 2^64 mod bound are rejected: what is left divides evenly.
  const std::uint64_t rejected = (0 - bound) % bound;
  std::uint64_t number = next();
  while (number < rejected) number = next();
  return number % bound;
}

double Random::real() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

std::uint64_t entropy_seed() {
  std::uint64_t seed = 0;
  ssize_t got = 0;
  do {
    got = ::getrandom(&seed, sizeof(seed), 0);
  } while (got < 0 && errno == EINTR);
  TG_CHECK(got == sizeof(seed), "getrandom gave {} bytes, errno {}", got, errno);
  return seed;
}

}  // namespace tidegate
