// SPDX-License-Identifier: Apache-2.0
#include "state/base_catalog.h"

#include <algorithm>

#include "state/binary_codec.h"

namespace tidegate {
namespace {

constexpr std::uint8_t kVersion = 1;

bool read_text(std::string_view& in, std::string& text) {
  std::string_view bytes;
  if (!read_bytes(in, bytes)) return false;
  text = bytes;
  return true;
}

bool read_number(std::string_view& in, int& number) {
  std::uint32_t bits = 0;
  if (!read_fixed(in, bits)) return false;
  number = static_cast<int>(bits);
  return true;
}

bool read_version(std::string_view& in) {
  std::uint8_t version = 0;
  return read_fixed(in, version) && version == kVersion;
}

}  // namespace

void BaseTableInfo::add_whole(KeyGroupRange range) {
  key_groups = range.total;
  whole.emplace_back(range.begin, range.end);
  std::ranges::sort(whole);
  std::vector<std::pair<int, int>> joined;
  for (const auto& [begin, end] : whole) {
    if (joined.empty() || joined.back().second < begin) {
      joined.emplace_back(begin, end);
    } else {
      joined.back().second = std::max(joined.back().second, end);
    }
  }
  whole = std::move(joined);
}

bool BaseTableInfo::is_whole() const {
  return key_groups > 0 && is_whole({0, key_groups, key_groups});
}

bool BaseTableInfo::is_whole(KeyGroupRange range) const {
  return std::ranges::any_of(whole, [&](const auto& part) {
    return part.first <= range.begin && range.end <= part.second;
  });
}

std::string encode(const BaseTableInfo& table) {
  std::string out;
  write_fixed(out, kVersion);
  write_fixed(out, table.id);
  write_bytes(out, table.name.first);
  write_bytes(out, table.name.second);
  write_bytes(out, table.layout);
  write_fixed(out, static_cast<std::uint32_t>(table.key_groups));
  write_fixed(out, static_cast<std::uint32_t>(table.whole.size()));
  for (const auto& [begin, end] : table.whole) {
    write_fixed(out, static_cast<std::uint32_t>(begin));
    write_fixed(out, static_cast<std::uint32_t>(end));
  }
  return out;
}

std::optional<BaseTableInfo> decode_table(std::string_view bytes) {
  BaseTableInfo table;
  std::uint32_t parts = 0;
  if (!read_version(bytes) || !read_fixed(bytes, table.id) || !read_text(bytes, table.name.first) ||
      !read_text(bytes, table.name.second) || !read_text(bytes, table.layout) ||
      !read_number(bytes, table.key_groups) || !read_fixed(bytes, parts)) {
    return std::nullopt;
  }
  for (std::uint32_t i = 0; i < parts; ++i) {
    std::pair<int, int> part;
    if (!read_number(bytes, part.first) || !read_number(bytes, part.second)) return std::nullopt;
    table.whole.push_back(part);
  }
  return bytes.empty() ? std::optional(std::move(table)) : std::nullopt;
}

std::string encode_mark(const HeldState& held) {
  std::string out;
  write_fixed(out, kVersion);
  write_bytes(out, held.as_of.run);
  write_fixed(out, held.as_of.epoch);
  write_bytes(out, held.as_of.position);
  write_fixed(out, held.least_epoch);
  return out;
}

std::optional<HeldState> decode_mark(std::string_view bytes) {
  HeldState held;
  if (!read_version(bytes) || !read_text(bytes, held.as_of.run) ||
      !read_fixed(bytes, held.as_of.epoch) || !read_text(bytes, held.as_of.position) ||
      !read_fixed(bytes, held.least_epoch) || !bytes.empty()) {
    return std::nullopt;
  }
  return held;
}

}  // namespace tidegate
