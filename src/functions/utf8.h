// SPDX-License-Identifier: Apache-2.0
//
// Characters (code points) of UTF-8 text. Bytes that are not UTF-8 count as characters of some
// length; nothing reads outside of the text.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tidegate {

inline bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

inline std::int64_t count_characters(std::string_view text) {
  std::int64_t count = 0;
  for (char c : text) count += is_continuation(c) ? 0 : 1;
  return count;
}

/// The byte at which character `index` starts, or the end when there are not so many.
inline std::size_t byte_of_character(std::string_view text, std::int64_t index) {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (!is_continuation(text[i]) && index-- == 0) return i;
  return text.size();
}

/// The length in bytes of the character at byte `at`.
inline std::size_t character_length(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && is_continuation(text[end])) ++end;
  return end - at;
}

/// The first `count` characters.
inline std::string_view first_characters(std::string_view text, std::int64_t count) {
  // No text has more characters than bytes.
  if (static_cast<std::int64_t>(text.size()) <= count) return text;
  return text.substr(0, byte_of_character(text, std::max<std::int64_t>(count, 0)));
}

inline bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace tidegate
