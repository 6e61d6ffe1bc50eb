// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tidegate/status.h"

namespace tidegate {

/// A zone of the IANA database, or a fixed offset from UTC. Cheap to copy; one object per thread,
/// since it remembers the period it looked at last.
class TimeZone {
 public:
  /// UTC.
  TimeZone() = default;

  /// "UTC", "Europe/Berlin", "+08:00", "GMT+08:00", "UTC-3"; kUnknownName for anything else.
  static Result<TimeZone> find(std::string_view name);

  const std::string& name() const { return name_; }
  bool is_utc() const { return zone_ == nullptr && fixed_offset_ == 0; }

  /// Local time minus UTC at an instant, in seconds. `utc_seconds` since 1970.
  std::int64_t offset_seconds(std::int64_t utc_seconds) const {
    if (zone_ == nullptr) return fixed_offset_;
    if (utc_seconds < begin_ || utc_seconds >= end_) look_up(utc_seconds);
    return offset_;
  }

  /// The instant at which clocks of the zone show `local_seconds`: the earlier one when they show
  /// it twice; when they skip it, the time shown before the gap goes on (as Java does).
  std::int64_t to_utc_seconds(std::int64_t local_seconds) const;

 private:
  void look_up(std::int64_t utc_seconds) const;

  std::string name_ = "UTC";
  const void* zone_ = nullptr;  // of the process-wide database; null: fixed offset
  std::int64_t fixed_offset_ = 0;
  // The period that was looked at last: UTC seconds [begin_, end_) have offset_.
  mutable std::int64_t begin_ = 0;
  mutable std::int64_t end_ = 0;
  mutable std::int64_t offset_ = 0;
};

}  // namespace tidegate
