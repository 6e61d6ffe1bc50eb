// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "state/state_row.h"

namespace tidegate {

/// Rows that were read from a base in passing: laid out as those in segments are, gone with the
/// next piece.
class LooseRows {
 public:
  LooseRows() = default;
  LooseRows(const LooseRows&) = delete;
  LooseRows& operator=(const LooseRows&) = delete;
  ~LooseRows() { clear(); }

  /// A row whose value is still to be made.
  std::byte* add(const StateRowFormat& format, std::uint64_t hash, std::string_view key);
  void clear();

 private:
  struct Chunk {
    std::unique_ptr<std::byte[]> data;
    std::size_t used = 0;
    std::size_t capacity = 0;
  };

  const StateRowFormat* format_ = nullptr;  // of the rows
  std::vector<Chunk> chunks_;
  std::vector<std::byte*> rows_;
};

}  // namespace tidegate
