// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "state/held_state.h"
#include "types/key_group.h"

namespace tidegate {

/// A table of a BaseStore.
struct BaseTableInfo {
  std::uint32_t id = 0;
  TableName name;
  std::string layout;  ///< fingerprint of its values; empty: not known yet
  int key_groups = 0;  ///< of the job
  /// Key groups whose rows are all there, in order and apart.
  std::vector<std::pair<int, int>> whole;

  void add_whole(KeyGroupRange range);
  bool is_whole() const;
  bool is_whole(KeyGroupRange range) const;
};

/// As bytes that outlive the process; what does not read is nothing.
std::string encode(const BaseTableInfo& table);
std::optional<BaseTableInfo> decode_table(std::string_view bytes);

/// What a store says of itself: HeldState without its tables.
std::string encode_mark(const HeldState& held);
std::optional<HeldState> decode_mark(std::string_view bytes);

}  // namespace tidegate
