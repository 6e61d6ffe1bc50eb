// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>

#include "formats/json_scan.h"

/// What JSON is made of: scalars, strings and brackets.
namespace tidegate {

/// As deep as Jackson goes by default; also keeps the brackets of a skipped value on the stack.
inline constexpr int kMaxJsonDepth = 1000;

inline bool starts_number(std::uint8_t byte) { return byte == '-' || (byte >= '0' && byte <= '9'); }

/// The end of the number, true, false or null at `from`, or null when it is none of them.
inline const std::uint8_t* scalar_end(const std::uint8_t* from) {
  const auto skip_digits = [](const std::uint8_t* at) {
    while (*at >= '0' && *at <= '9') ++at;
    return at;
  };
  switch (*from) {
    case 't':
      return std::memcmp(from, "true", 4) == 0 ? from + 4 : nullptr;
    case 'f':
      return std::memcmp(from, "false", 5) == 0 ? from + 5 : nullptr;
    case 'n':
      return std::memcmp(from, "null", 4) == 0 ? from + 4 : nullptr;
    default:
      break;
  }
  const std::uint8_t* digits = from + (*from == '-');
  const std::uint8_t* at = skip_digits(digits);
  if (at == digits || (*digits == '0' && at > digits + 1)) return nullptr;
  if (*at == '.') {
    const std::uint8_t* fraction = at + 1;
    at = skip_digits(fraction);
    if (at == fraction) return nullptr;
  }
  if (*at == 'e' || *at == 'E') {
    ++at;
    if (*at == '-' || *at == '+') ++at;
    const std::uint8_t* exponent = at;
    at = skip_digits(exponent);
    if (at == exponent) return nullptr;
  }
  return at;
}

/// The closing quote of the string whose bytes behind the quote are at `from`.
inline const std::uint8_t* string_end(const std::uint8_t* from) {
  const std::uint8_t* end = find_json_string_end(from);
  while (*end != '"') end = find_json_string_end(end + 2);
  return end;
}

/// For a number with a fraction or an exponent: its whole part, as Flink (Jackson) reads integers.
inline bool truncate_number(std::string_view number, std::string& whole) {
  if (number.find_first_of(".eE") == std::string_view::npos) return false;
  double value;
  const auto [end, failed] = std::from_chars(number.data(), number.data() + number.size(), value);
  constexpr double kLimit = 9223372036854775808.0;
  if (failed != std::errc() || !(value >= -kLimit && value < kLimit)) return false;
  whole = std::to_string(static_cast<std::int64_t>(value));
  return true;
}

/// The open brackets of a value, one bit each.
class JsonBrackets {
 public:
  bool open(std::uint8_t bracket) {
    if (depth_ == kMaxJsonDepth) return false;
    bits_[static_cast<std::size_t>(depth_) / 64] &= ~(std::uint64_t{1} << (depth_ % 64));
    bits_[static_cast<std::size_t>(depth_) / 64] |= std::uint64_t{bracket == '{'} << (depth_ % 64);
    ++depth_;
    return true;
  }
  bool close(std::uint8_t bracket) {
    --depth_;
    const bool brace = (bits_[static_cast<std::size_t>(depth_) / 64] >> (depth_ % 64)) & 1;
    return brace == (bracket == '}');
  }
  bool any() const { return depth_ > 0; }

 private:
  std::uint64_t bits_[kMaxJsonDepth / 64 + 1];  // only those below depth_ are set
  int depth_ = 0;
};

}  // namespace tidegate
