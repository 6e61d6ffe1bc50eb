// SPDX-License-Identifier: Apache-2.0
//
// Code points from UTF-8 and back.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tidegate {

/// Stands for what is no character.
inline constexpr char32_t kReplacementCharacter = 0xFFFD;

/// Takes the first code point off the text, which is not empty. Bytes that are not UTF-8 are taken
/// as one kReplacementCharacter for each part that could have been the start of a character.
inline char32_t take_code_point(std::string_view& text) {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) {
    text.remove_prefix(1);
    return first;
  }
  const std::size_t length = first < 0xC2 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  char32_t point = length == 2 ? first & 0x1F : length == 3 ? first & 0x0F : first & 0x07;
  if (length == 1 || first > 0xF4) {
    text.remove_prefix(1);
    return kReplacementCharacter;
  }
  for (std::size_t i = 1; i < length; ++i) {
    bool valid = i < text.size() && (byte(i) & 0xC0) == 0x80;
    // Neither longer than needed, nor a surrogate, nor past U+10FFFF.
    if (valid && i == 1) {
      if (first == 0xE0) valid = byte(1) >= 0xA0;
      if (first == 0xED) valid = byte(1) < 0xA0;
      if (first == 0xF0) valid = byte(1) >= 0x90;
      if (first == 0xF4) valid = byte(1) < 0x90;
    }
    if (!valid) {
      text.remove_prefix(i);
      return kReplacementCharacter;
    }
    point = point << 6 | (byte(i) & 0x3F);
  }
  text.remove_prefix(length);
  return point;
}

inline void append_code_point(char32_t point, std::string& out) {
  const auto tail = [&out](char32_t bits) { out += static_cast<char>(0x80 | (bits & 0x3F)); };
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | point >> 6);
    tail(point);
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0 | point >> 12);
    tail(point >> 6);
    tail(point);
  } else {
    out += static_cast<char>(0xF0 | point >> 18);
    tail(point >> 12);
    tail(point >> 6);
    tail(point);
  }
}

/// The text with bytes that are not UTF-8 replaced.
inline void append_repaired_utf8(std::string_view text, std::string& out) {
  while (!text.empty()) append_code_point(take_code_point(text), out);
}

inline bool is_surrogate(char32_t unit) { return unit >= 0xD800 && unit < 0xE000; }
inline bool is_high_surrogate(char32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
inline bool is_low_surrogate(char32_t unit) { return unit >= 0xDC00 && unit < 0xE000; }
inline char32_t from_surrogates(char32_t high, char32_t low) {
  return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

/// Calls f with the one or two UTF-16 units of a code point.
template <typename F>
void for_each_utf16_unit(char32_t point, F f) {
  if (point < 0x10000) {
    f(static_cast<char16_t>(point));
    return;
  }
  f(static_cast<char16_t>(0xD800 + ((point - 0x10000) >> 10)));
  f(static_cast<char16_t>(0xDC00 + ((point - 0x10000) & 0x3FF)));
}

}  // namespace tidegate
