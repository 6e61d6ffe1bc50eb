// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace tidegate {

/// Inner loops of the JSON reader. All of them may read up to 16 bytes past the token, which the
/// padding behind decoders' input allows.

/// Copies a string's bytes from behind its quote up to the closing quote or the first backslash,
/// and returns where that is. Writes up to 15 bytes too many; `to` has advanced by what counts.
inline const std::uint8_t* copy_json_string(const std::uint8_t* from, std::uint8_t*& to) {
#ifdef __SSE2__
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  for (;; from += 16, to += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    const auto ends = static_cast<std::uint32_t>(_mm_movemask_epi8(
        _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash))));
    if (ends != 0) {
      const int length = std::countr_zero(ends);
      to += length;
      return from + length;
    }
  }
#else
  while (*from != '"' && *from != '\\') *to++ = *from++;
  return from;
#endif
}

/// The end (closing quote or first backslash) of the string whose bytes behind the quote are at
/// `from`.
inline const std::uint8_t* find_json_string_end(const std::uint8_t* from) {
#ifdef __SSE2__
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  for (;; from += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    const auto ends = static_cast<std::uint32_t>(_mm_movemask_epi8(
        _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash))));
    if (ends != 0) return from + std::countr_zero(ends);
  }
#else
  while (*from != '"' && *from != '\\') ++from;
  return from;
#endif
}

/// True for what may stand behind a number or literal: white space , ] }.
inline bool ends_json_scalar(std::uint8_t byte) {
  return byte == ',' || byte == '}' || byte == ']' || byte == '\n' || byte == ' ' || byte == '\r' ||
         byte == '\t';
}

/// Number of newlines in `size` bytes.
inline std::size_t count_newlines(const char* from, std::size_t size) {
  std::size_t count = 0;
  std::size_t at = 0;
#ifdef __SSE2__
  const __m128i newline = _mm_set1_epi8('\n');
  while (at + 16 <= size) {
    // A byte of `sums` counts its column of at most 255 rows.
    const std::size_t stop = std::min(size - 15, at + std::size_t{255} * 16);
    __m128i sums = _mm_setzero_si128();
    for (; at < stop; at += 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + at));
      sums = _mm_sub_epi8(sums, _mm_cmpeq_epi8(bytes, newline));
    }
    const __m128i halves = _mm_sad_epu8(sums, _mm_setzero_si128());
    count += static_cast<std::size_t>(_mm_cvtsi128_si32(halves)) +
             static_cast<std::size_t>(_mm_extract_epi16(halves, 4));
  }
#endif
  for (; at < size; ++at) count += from[at] == '\n';
  return count;
}

inline std::uint64_t load_8(const std::uint8_t* from) {
  std::uint64_t word;
  std::memcpy(&word, from, sizeof(word));
  return word;
}

/// Number of decimal digits that `word` (in little-endian order) starts with, 0 to 8.
inline int count_digits_8(std::uint64_t word) {
  constexpr std::uint64_t kZeros = 0x3030303030303030;
  constexpr std::uint64_t kSigns = 0x8080808080808080;
  // A byte is a digit if neither byte - '0' nor '9' - byte borrows; bytes with the top bit are not.
  const std::uint64_t others =
      (((word | kSigns) - kZeros) ^ kSigns) | (word + 0x4646464646464646) | word;
  const std::uint64_t marks = others & kSigns;
  return marks == 0 ? 8 : std::countr_zero(marks) / 8;
}

/// The number that `count` digits (0 to 8) at the start of `word` make.
inline std::uint64_t parse_digits_8(std::uint64_t word, int count) {
  if (count == 0) return 0;
  // Moved to the end of the word, so that zeros come in front.
  word = (word - 0x3030303030303030) << (64 - 8 * count);
  word = (word * 10) + (word >> 8);
  constexpr std::uint64_t kPairs = 0x000000FF000000FF;
  constexpr std::uint64_t kFirst = 0x000F424000000064;   // 100 + (1000000 << 32)
  constexpr std::uint64_t kSecond = 0x0000271000000001;  // 1 + (10000 << 32)
  return (((word & kPairs) * kFirst) + (((word >> 16) & kPairs) * kSecond)) >> 32;
}

inline constexpr std::uint64_t kPowersOf10[] = {1,      10,      100,      1000,     10000,
                                                100000, 1000000, 10000000, 100000000};

/// Reads an integer as JSON writes them and checks that it ends there. False for anything else, and
/// for the smallest int64 and what is larger than the largest.
[[gnu::always_inline]] inline bool parse_json_integer(const std::uint8_t* from,
                                                      std::int64_t& value) {
  const bool negative = *from == '-';
  from += negative;
  std::uint64_t word = load_8(from);
  int count = count_digits_8(word);
  std::uint64_t magnitude = parse_digits_8(word, count);
  if (count == 0 || (*from == '0' && count > 1)) return false;
  from += count;
  if (count == 8) {
    word = load_8(from);
    count = count_digits_8(word);
    magnitude = magnitude * kPowersOf10[count] + parse_digits_8(word, count);
    from += count;
    if (count == 8) [[unlikely]] {
      word = load_8(from);
      count = count_digits_8(word);
      constexpr int kMaxDigits = 19;  // more would not even fit into the magnitude
      if (count > kMaxDigits - 16) return false;
      magnitude = magnitude * kPowersOf10[count] + parse_digits_8(word, count);
      if (magnitude > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        return false;
      from += count;
    }
  }
  value = negative ? -static_cast<std::int64_t>(magnitude) : static_cast<std::int64_t>(magnitude);
  return ends_json_scalar(*from);
}

}  // namespace tidegate
