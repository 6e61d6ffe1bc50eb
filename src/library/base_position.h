// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "state/held_state.h"
#include "tidegate/time.h"

namespace tidegate::library {

/// Where in a task's changelog the rows of a local base are: behind this epoch. Kept with the rows
/// (CommittedEpoch::position), as text:
///
///   v1 EPOCH RUN OFFSET BEGINS_AFTER LOG_BYTES BASE_BYTES {UID_LENGTH TABLE_LENGTH UID TABLE} ...
struct BasePosition {
  EpochId epoch = 0;        ///< the last one in the changelog; 0: there was none
  std::uint64_t run = 0;    ///< who wrote it
  std::int64_t offset = 0;  ///< of its first message
  // About what is in front, which a reader of the rest does not see.
  EpochId begins_after = 0;
  std::int64_t log_bytes = 0;
  std::int64_t base_bytes = 0;
  std::set<TableName> tables;  ///< all that have ever had rows

  friend bool operator==(const BasePosition&, const BasePosition&) = default;

  std::string to_string() const;
  /// None for what this version does not write.
  static std::optional<BasePosition> parse(std::string_view text);
};

}  // namespace tidegate::library
