// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "state/state_table.h"

namespace tidegate {

/// When state that is not used goes. Expired state is not read (unless asked for); it is erased
/// when it is met, and a few rows at a time beside the operator's work.
struct StateTtl {
  enum class Update : std::uint8_t {
    kOnCreateAndWrite,  ///< reading does not prolong
    kOnReadAndWrite,
  };
  std::int64_t ttl_ms = 0;  ///< 0: never
  Update update = Update::kOnCreateAndWrite;
  /// Expired state is read until it is erased, which is at the next write at the latest when it is
  /// a whole that is added to, and else when the sweep comes by.
  bool shows_expired = false;
  /// The time by which state ages: the wall clock, or the operator's event time.
  std::function<std::int64_t()> now_ms = {};

  bool enabled() const { return ttl_ms > 0; }
  bool is_expired(std::int64_t stamp, std::int64_t now) const {
    // Stamps of event time may be far apart.
    std::int64_t age = 0;
    return !__builtin_sub_overflow(now, stamp, &age) ? age >= ttl_ms : now > stamp;
  }
};

/// Erases expired rows of one namespace of a stamped table, some at each call.
class TtlSweep {
 public:
  TtlSweep(StateTable* table, std::int64_t name_space) : table_(table), name_space_(name_space) {}

  /// Looks at up to `rows` rows, going on where the last call stopped.
  void sweep(const StateTtl& ttl, std::int64_t now, std::size_t rows);

 private:
  StateTable* table_;
  std::int64_t name_space_;
  RowCursor cursor_;
  std::uint32_t generation_ = 0;
};

}  // namespace tidegate
