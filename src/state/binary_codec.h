// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tidegate {

// Numbers and byte strings of state encodings: little-endian, LEB128 varints. The readers consume
// from the front of `in` and answer false, leaving it anywhere, when it ends too early or is not
// what the writer makes.

template <typename T>
void write_fixed(std::string& out, T value) {
  static_assert(std::endian::native == std::endian::little);
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <typename T>
bool read_fixed(std::string_view& in, T& value) {
  if (in.size() < sizeof(value)) return false;
  std::memcpy(&value, in.data(), sizeof(value));
  in.remove_prefix(sizeof(value));
  return true;
}

inline void write_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

inline bool read_varint(std::string_view& in, std::uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const auto byte = static_cast<std::uint8_t>(in.front());
    in.remove_prefix(1);
    // The tenth byte has room for one bit.
    if (shift == 63 && byte > 1) return false;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

inline void write_bytes(std::string& out, std::string_view bytes) {
  write_varint(out, bytes.size());
  out.append(bytes);
}

/// `bytes` points into `in`.
inline bool read_bytes(std::string_view& in, std::string_view& bytes) {
  std::uint64_t size = 0;
  if (!read_varint(in, size) || size > in.size()) return false;
  bytes = in.substr(0, size);
  in.remove_prefix(size);
  return true;
}

}  // namespace tidegate
