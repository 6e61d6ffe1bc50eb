// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "state/state_table.h"
#include "state/value_layout.h"
#include "types/key_group.h"

namespace tidegate {

// State values of BytesLayout, counted against the memory budget.

/// Replaces, or extends, the bytes of a row; the memory is counted.
inline void assign_bytes(StateTable& table, std::byte* value, std::string_view bytes) {
  const BytesLayout layout;
  const std::int64_t before = layout.owned_bytes(value);
  BytesLayout::assign(value, bytes);
  table.count_owned(layout.owned_bytes(value) - before);
}
inline void append_bytes(StateTable& table, std::byte* value, std::string_view bytes) {
  const BytesLayout layout;
  const std::int64_t before = layout.owned_bytes(value);
  BytesLayout::append(value, bytes);
  table.count_owned(layout.owned_bytes(value) - before);
}

/// The values of a namespace in the order of their keys, which unlike that of their creation is the
/// same after a restore. All of them are in memory then.
template <typename Wanted>
std::vector<std::byte*> rows_by_key(const StateTable& table, std::int64_t name_space,
                                    const Wanted& wanted) {
  table.load(name_space);
  std::vector<std::byte*> rows;
  std::array<std::byte*, 256> piece;
  RowCursor cursor;
  while (const std::size_t count = table.next(name_space, cursor, piece)) {
    std::copy_if(piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(count),
                 std::back_inserter(rows),
                 [&](const std::byte* value) { return wanted(table.key(value)); });
  }
  std::ranges::sort(rows, {}, [&](const std::byte* value) {
    return std::pair(table.key(value), table.hash(value));
  });
  return rows;
}
inline std::vector<std::byte*> rows_by_key(const StateTable& table, std::int64_t name_space) {
  return rows_by_key(table, name_space, [](std::string_view) { return true; });
}

/// The hash of rows that belong to a task and not to a key: it lies in the first key group of the
/// task, so that one of the tasks gets the row after rescaling.
inline std::uint64_t task_hash(KeyGroupRange range) {
  const auto group = static_cast<std::uint64_t>(std::min(range.begin, range.total - 1));
  const auto total = static_cast<std::uint64_t>(range.total);
  return ((group << 32) + total - 1) / total << 32;
}

}  // namespace tidegate
