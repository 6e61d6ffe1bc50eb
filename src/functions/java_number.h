// SPDX-License-Identifier: Apache-2.0
//
// Numbers as Java reads them from text.
#pragma once

#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>
#include <type_traits>

namespace tidegate {

/// What String.trim() takes off: all up to the blank.
inline std::string_view without_blanks(std::string_view text) {
  const auto is_blank = [](char c) { return c >= 0 && c <= ' '; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Double.parseDouble: blanks around, a sign, decimal or hexadecimal digits, NaN and Infinity (in
/// this spelling only), and a d or f behind. Too large is infinity.
template <typename T>
bool parse_java_floating(std::string_view text, T* value) {
  text = without_blanks(text);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "NaN" || text == "Infinity") {
    *value = static_cast<T>(std::strtod(text == "NaN" ? "nan" : "inf", nullptr));
    if (negative) *value = -*value;
    return true;
  }
  const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  if (hexadecimal) {
    text.remove_prefix(2);
    if (text.find_first_of("pP") == std::string_view::npos) return false;
  }
  if (text.ends_with('d') || text.ends_with('D') || text.ends_with('f') || text.ends_with('F'))
    text.remove_suffix(1);
  const bool starts_well = !text.empty() && (text[0] == '.' || (text[0] >= '0' && text[0] <= '9') ||
                                             (hexadecimal && text[0] != '-'));
  if (!starts_well) return false;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(
      text.data(), end, *value, hexadecimal ? std::chars_format::hex : std::chars_format::general);
  if (parsed.ptr != end || parsed.ec == std::errc::invalid_argument) return false;
  if (parsed.ec == std::errc::result_out_of_range) {
    // Too large or too small to be told apart here: infinity or zero, as strtod says.
    const std::string whole = (hexadecimal ? "0x" : "") + std::string(text);
    *value = static_cast<T>(std::strtod(whole.c_str(), nullptr));
  }
  if (negative) *value = -*value;
  return true;
}

}  // namespace tidegate
