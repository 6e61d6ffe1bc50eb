// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tidegate/status.h"
#include "tidegate/time.h"

namespace tidegate {

/// The memory of one backend: pages for rows, counted against a budget. Freed pages are kept for
/// the next window up to a share of what is in use, since giving them to the system and taking them
/// back costs more than filling them. Single-threaded.
class StateMemory {
 public:
  /// Pages are powers of two from 256 bytes to 1 MiB; anything larger is allocated exactly.
  static constexpr std::size_t kSmallestPage = 256;
  static constexpr std::size_t kLargestPage = std::size_t{1} << 20;

  explicit StateMemory(std::int64_t budget_bytes = 0) : budget_bytes_(budget_bytes) {}
  StateMemory(const StateMemory&) = delete;
  StateMemory& operator=(const StateMemory&) = delete;
  ~StateMemory();

  std::byte* allocate(std::size_t size);
  void free(std::byte* page, std::size_t size);

  /// Counts memory that others hold (slots, values' own): `bytes` more, or less when negative.
  void count(std::int64_t bytes) { used_bytes_ += bytes; }
  void count_dirty(std::int64_t bytes) { dirty_bytes_ += bytes; }
  std::int64_t used_bytes() const { return used_bytes_; }
  std::int64_t dirty_bytes() const { return dirty_bytes_; }

  /// Epochs as rows see them: the one that seals them next, and the last one that the base holds.
  void set_sealing(EpochId epoch) { sealing_ = epoch; }
  void set_applied(EpochId epoch) { applied_ = epoch; }
  EpochId sealing() const { return sealing_; }
  EpochId applied() const { return applied_; }
  /// Of an epoch's lower 24 bits, which are enough to tell: few epochs are on their way.
  bool is_unapplied(std::uint32_t epoch_bits) const {
    const std::uint32_t ahead = (epoch_bits - static_cast<std::uint32_t>(applied_)) & 0xff'ffff;
    return ahead != 0 && ahead < 0x80'0000;
  }
  /// A number that no rows of this backend have had as their generation.
  std::uint32_t next_generation() { return ++generation_; }
  /// Freed pages up to this many bytes are always kept.
  void set_always_spare(std::int64_t bytes) { always_spare_ = bytes; }

  /// kOutOfMemory once the budget is passed.
  Status check_budget() const {
    return budget_bytes_ > 0 && used_bytes_ > budget_bytes_ ? over_budget() : Status::ok();
  }

 private:
  static constexpr int kPageSizes = 13;  // 256 << 0 .. 256 << 12
  Status over_budget() const;

  std::int64_t budget_bytes_;
  std::int64_t used_bytes_ = 0;
  std::int64_t dirty_bytes_ = 0;
  std::int64_t spare_bytes_ = 0;
  std::int64_t always_spare_ = std::int64_t{16} << 20;
  EpochId sealing_ = 0;
  EpochId applied_ = 0;
  std::uint32_t generation_ = 0;
  std::array<std::vector<std::byte*>, kPageSizes> spare_;
};

}  // namespace tidegate
