// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace tidegate {

class EncodedKeys;  // types/key_encoding.h

/// The hash of a key, equal on every machine and in every version: it decides the key group, so it
/// is part of the state format and never changes (key_hash_test holds golden values).
///
/// With mix(a, b) = low(a * b) ^ high(a * b) over the 128-bit product, and little-endian loads:
///   * up to 16 bytes: a, b = the bytes as two words, padded with zeros; state = K0;
///   * longer: state = K0, then state = mix(w0 ^ K1, w1 ^ state) for each 16-byte block (w0, w1)
///     that ends before the last byte; a, b = the last 16 bytes, which may overlap such a block;
///   * (low, high) = (a ^ K1) * (b ^ state); hash = mix(low ^ K0 ^ length, high ^ K1).
/// This is the multiply-and-fold of Wang Yi's wyhash with its published constants.
std::uint64_t hash_key(std::string_view key);

/// hash_key() of every key; `hashes` has keys.num_rows() entries.
void hash_keys(const EncodedKeys& keys, std::span<std::uint64_t> hashes);

namespace key_hash {

inline constexpr std::uint64_t kK0 = 0xa0761d6478bd642fULL;
inline constexpr std::uint64_t kK1 = 0xe7037ed1a0b428dbULL;
static_assert(std::endian::native == std::endian::little, "loads below are little-endian");

inline std::uint64_t load(const char* p) {
  std::uint64_t word;
  std::memcpy(&word, p, sizeof(word));
  return word;
}

inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t finish(std::uint64_t a, std::uint64_t b, std::uint64_t state,
                            std::size_t length) {
  const auto product = static_cast<unsigned __int128>(a ^ kK1) * (b ^ state);
  return mix(static_cast<std::uint64_t>(product) ^ kK0 ^ length,
             static_cast<std::uint64_t>(product >> 64) ^ kK1);
}

/// More than 16 bytes.
inline std::uint64_t hash_long(const char* p, std::size_t length) {
  std::uint64_t state = kK0;
  const char* last = p + length - 16;
  for (; p < last; p += 16) state = mix(load(p) ^ kK1, load(p + 8) ^ state);
  return finish(load(last), load(last + 8), state, length);
}

/// Reads only the bytes of the key.
inline std::uint64_t hash_exact(const char* p, std::size_t length) {
  if (length > 16) return hash_long(p, length);
  char padded[16] = {};
  std::memcpy(padded, p, length);
  return finish(load(padded), load(padded + 8), kK0, length);
}

/// The same, without a branch on the length of short keys: needs 16 readable bytes at `p`.
inline std::uint64_t hash_readable16(const char* p, std::size_t length) {
  if (length > 16) return hash_long(p, length);
  // Shifts of 64 are undefined, so each mask is made of two shifts of at most 63.
  constexpr std::uint64_t kOnes = ~std::uint64_t{0};
  const std::size_t low = length < 8 ? length : 8;
  const std::size_t high = length - low;
  const std::uint64_t low_mask = ~(kOnes << (low * 4) << (low * 4));
  const std::uint64_t high_mask = ~(kOnes << (high * 4) << (high * 4));
  return finish(load(p) & low_mask, load(p + 8) & high_mask, kK0, length);
}

}  // namespace key_hash

}  // namespace tidegate
