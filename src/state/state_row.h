// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "state/state_memory.h"
#include "state/value_layout.h"

namespace tidegate {

/// A row of state in memory, 8-aligned:
///
///   [hash 8][key length 4][flags 4][stamp 8, if the table has TTL][value, padded to 8][key bytes]
///
/// Whoever holds a row holds a pointer to its value; the rest is reached from there.
struct StateRowHeader {
  static constexpr std::uint32_t kDirty = 1;   ///< changed since the last seal
  static constexpr std::uint32_t kErased = 2;  ///< not there; its bytes wait to be used again
  static constexpr std::uint32_t kSealed = 4;  ///< some earlier delta or base holds the row
  // With a base below:
  static constexpr std::uint32_t kUse = 8;       ///< counts in how many epochs it was used, up to 3
  static constexpr std::uint32_t kUses = 24;     ///< all bits of that
  static constexpr std::uint32_t kLoose = 32;    ///< read from the base in passing, in no segment
  static constexpr std::uint32_t kLeaving = 64;  ///< about to be evicted
  static constexpr std::uint32_t kSpilled = 128;  ///< of no published epoch, but also below memory
  /// From here on: the lower bits of the epoch that sealed the row last.
  static constexpr int kEpochShift = 8;

  int uses() const { return static_cast<int>((flags & kUses) / kUse); }
  void add_use() {
    if ((flags & kUses) != kUses) flags += kUse;
  }

  std::uint64_t hash;
  std::uint32_t key_length;
  std::uint32_t flags;
};
static_assert(sizeof(StateRowHeader) == 16);

/// How the rows of one table are laid out, and whose memory they take.
class StateRowFormat {
 public:
  /// `tracked`: rows keep track of what is dirty. `has_base`: clean rows may be evicted.
  StateRowFormat(const ValueLayout* layout, bool stamped, bool tracked, bool has_base,
                 StateMemory* memory)
      : layout_(layout),
        memory_(memory),
        value_offset_(sizeof(StateRowHeader) + (stamped ? 8 : 0)),
        key_offset_(value_offset_ + round_up(static_cast<std::uint32_t>(layout->size_bytes()))),
        owns_memory_(layout->needs_destroy()),
        needs_create_(layout->needs_create()),
        tracked_(tracked),
        has_base_(has_base) {}

  const ValueLayout& layout() const { return *layout_; }
  StateMemory& memory() const { return *memory_; }
  bool stamped() const { return value_offset_ > sizeof(StateRowHeader); }
  bool tracked() const { return tracked_; }
  bool has_base() const { return has_base_; }
  bool owns_memory() const { return owns_memory_; }
  bool needs_create() const { return needs_create_; }

  std::size_t row_size(std::size_t key_length) const {
    return (key_offset_ + key_length + 7) & ~std::size_t{7};
  }
  std::size_t row_size(const std::byte* row) const { return row_size(header(row).key_length); }

  static StateRowHeader& header(std::byte* row) { return *reinterpret_cast<StateRowHeader*>(row); }
  static const StateRowHeader& header(const std::byte* row) {
    return *reinterpret_cast<const StateRowHeader*>(row);
  }
  std::byte* value(std::byte* row) const { return row + value_offset_; }
  std::byte* row_of(std::byte* value) const { return value - value_offset_; }
  const std::byte* row_of(const std::byte* value) const { return value - value_offset_; }
  std::string_view key(const std::byte* row) const {
    return {reinterpret_cast<const char*>(row) + key_offset_, header(row).key_length};
  }
  std::int64_t& stamp(std::byte* row) const {
    return *reinterpret_cast<std::int64_t*>(row + sizeof(StateRowHeader));
  }

  /// What a row takes, with what its value owns.
  std::int64_t bytes_of(const std::byte* row) const {
    const auto own = static_cast<std::int64_t>(row_size(row));
    return owns_memory_ ? own + layout_->owned_bytes(row + value_offset_) : own;
  }
  /// The base does not know the row as it is yet.
  bool is_unapplied(const std::byte* row) const {
    const std::uint32_t flags = header(row).flags;
    return (flags & StateRowHeader::kDirty) != 0 ||
           memory_->is_unapplied(flags >> StateRowHeader::kEpochShift);
  }

  /// Some place below memory has the row as it is.
  bool may_leave(const std::byte* row) const {
    const std::uint32_t flags = header(row).flags;
    return (flags & (StateRowHeader::kDirty | StateRowHeader::kSpilled)) ==
               StateRowHeader::kSpilled ||
           !is_unapplied(row);
  }

  /// Makes the value of `row` an empty one.
  void create_value(std::byte* row) const {
    std::memset(row + sizeof(StateRowHeader), 0, key_offset_ - sizeof(StateRowHeader));
    if (needs_create_) layout_->create(value(row));
  }
  void destroy_value(std::byte* row) const {
    if (owns_memory_) layout_->destroy(value(row));
  }

 private:
  static constexpr std::uint32_t round_up(std::uint32_t n) { return (n + 7) & ~std::uint32_t{7}; }

  const ValueLayout* layout_;
  StateMemory* memory_;
  std::uint32_t value_offset_;
  std::uint32_t key_offset_;
  bool owns_memory_;
  bool needs_create_;
  bool tracked_;
  bool has_base_;
};

}  // namespace tidegate
