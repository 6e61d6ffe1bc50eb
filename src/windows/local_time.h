// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>

#include "tidegate/time.h"
#include "types/time_zone.h"

namespace tidegate {

/// Event time, in milliseconds since 1970 in UTC, as the clocks of a zone show it, which is what
/// windows over instants are aligned to. The limits of event time stay what they are. One object
/// per thread, as a TimeZone.
class LocalTime {
 public:
  /// UTC.
  LocalTime() = default;
  explicit LocalTime(TimeZone zone) : zone_(std::move(zone)) {}

  bool is_utc() const { return zone_.is_utc(); }

  EventTime to_local(EventTime time) const;
  /// The instant at which clocks show `local`; see TimeZone::to_utc_seconds().
  EventTime to_utc(EventTime local) const;

  /// The watermark of local times when that of instants is `watermark`: the earliest local time
  /// that may still come. It stands still in the hour that clocks are about to show again.
  EventTime watermark_to_local(EventTime watermark) const;
  /// An instant at which watermark_to_local() has reached `local`, the first one unless clocks skip
  /// it.
  EventTime watermark_to_utc(EventTime local) const;

 private:
  TimeZone zone_;
};

}  // namespace tidegate
