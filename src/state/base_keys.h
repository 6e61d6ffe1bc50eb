// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rocksdb/slice.h>
#include <rocksdb/status.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "tidegate/status.h"
#include "types/key_group.h"

namespace tidegate {

// The keys of a BaseStore: table (4) | namespace (8, sign flipped) | hash (8) | key bytes.

using BaseTableId = std::uint32_t;

/// From here on: layers.
inline constexpr BaseTableId kFirstLayer = 0x8000'0000;
/// More is written in pieces.
inline constexpr std::size_t kBatchBytes = std::size_t{1} << 20;

template <typename T>
void append_big_endian(std::string& out, T value) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift));
  }
}

template <typename T>
T read_big_endian(std::string_view bytes) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value << 8 | static_cast<std::uint8_t>(bytes[i]));
  }
  return value;
}

inline constexpr std::size_t kTableBytes = 4;
inline constexpr std::size_t kNamespaceBytes = 12;  // with the table
inline constexpr std::size_t kHashBytes = 20;       // with table and namespace
inline constexpr std::uint64_t kSign = std::uint64_t{1} << 63;

inline std::string table_prefix(BaseTableId table) {
  std::string out;
  append_big_endian(out, table);
  return out;
}

inline std::string namespace_prefix(BaseTableId table, std::int64_t name_space) {
  std::string out = table_prefix(table);
  append_big_endian(out, static_cast<std::uint64_t>(name_space) ^ kSign);
  return out;
}

inline std::string row_key(BaseTableId table, std::int64_t name_space, std::uint64_t hash,
                           std::string_view key) {
  std::string out = namespace_prefix(table, name_space);
  append_big_endian(out, hash);
  out += key;
  return out;
}

/// The first key behind all that begin with the prefix, of which some byte is not 0xff.
inline std::string behind(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

/// Where the key groups from `group` on begin within a namespace.
inline std::string group_begin(BaseTableId table, std::int64_t name_space, int group, int total) {
  if (group >= total) return behind(namespace_prefix(table, name_space));
  const auto first = static_cast<std::uint64_t>(group);
  const auto groups = static_cast<std::uint64_t>(total);
  return row_key(table, name_space, ((first << 32) + groups - 1) / groups << 32, "");
}

inline std::string_view view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

inline Status to_status(const rocksdb::Status& status) {
  if (status.ok()) return Status::ok();
  const std::string text = status.ToString();
  if (status.IsNoSpace()) return error(ErrorCode::kDiskFull, "the state store: {}", text);
  if (status.IsCorruption()) return error(ErrorCode::kStateCorrupt, "the state store: {}", text);
  return error(ErrorCode::kFileIo, "the state store: {}", text);
}

}  // namespace tidegate
