// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "state/state_table.h"
#include "tidegate/row_kind.h"
#include "tidegate/status.h"
#include "tidegate/time.h"

namespace tidegate {

class StateBackend;  // state/state_backend.h

// The versions of a row by event time, as a temporal join keeps them. A version is valid from its
// time on until the next one's; one that deletes is a version too. State:
//   "versions", by key   time of the last version (8), then each version in order of time:
//                        time (8) | deletes (1) | the row (row_codec.h): length (varint), bytes
//   "followed", in the namespace of a version's time, by key: nothing. That version follows
//                        another, which is forgotten when the watermark has passed it.
class RowVersions {
 public:
  Status open(StateBackend& state);

  /// A version begins; it replaces one of the same time.
  Status put(const StateKey& key, EventTime time, bool deletes, std::string_view row);

  /// The versions of a key, for valid_at(); null when there are none. Holds until put() or
  /// forget().
  const std::byte* find(const StateKey& key) const { return table_->find(0, key); }
  /// The row that was valid at `time`, if that is known: it is not when another version has
  /// followed it that was behind `forgotten`, the watermark up to which versions were forgotten.
  Result<std::optional<std::string_view>> valid_at(const std::byte* versions, EventTime time,
                                                   EventTime forgotten);

  /// Forgets what the watermark lets go of.
  Status forget(EventTime watermark);

  Status check_budget() const { return table_->check_budget(); }

 private:
  struct Version {
    EventTime time = 0;
    std::size_t begin = 0;
    std::size_t end = 0;
    bool deletes = false;
    std::string_view row = {};
  };

  /// Reads the version in front and moves `rest`, the end of `versions`, behind it.
  static Status read_one(std::string_view versions, std::string_view& rest, Version& version);
  static Result<std::vector<Version>> read(std::string_view versions);
  Result<const std::vector<Version>*> read_once(const std::byte* versions);
  Status insert(std::byte* value, const StateKey& key, const Version& version);
  Status mark_followed(EventTime time, const StateKey& key);
  Status forget_versions(const StateKey& key, EventTime watermark);

  StateTable* table_ = nullptr;
  StateTable* followed_ = nullptr;
  std::string bytes_;
  // Versions that were read since the last change, by the value that they stand in.
  boost::unordered_flat_map<const std::byte*, std::vector<Version>> read_;
  std::size_t num_read_ = 0;
  std::uint32_t generation_ = 0;  // of the rows that they stand in
};

}  // namespace tidegate
