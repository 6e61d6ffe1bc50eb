// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "state/state_table.h"
#include "state/timer_service.h"
#include "tidegate/time.h"
#include "windows/window_time.h"

namespace tidegate {

/// The open sessions of each key. A session has an id, under which others keep its rows; when a row
/// joins two sessions, one of the ids goes.
///
/// Sessions that touch merge (window_time.h), so a row at the very end of a session still belongs
/// to it: a session closes when the watermark has passed its end, and not when it has reached it.
/// Otherwise it would depend on where the watermark stands between two rows that are both in time.
class JoinSessions {
 public:
  /// `gap_ms` > 0.
  static Result<JoinSessions> open(StateBackend& state, std::int64_t gap_ms);

  /// What became of a row.
  struct Placed {
    std::int64_t id = 0;
    std::vector<std::int64_t>
        absorbed;  ///< sessions that are now part of this one, in order of time
  };
  /// Finds or makes the session of a row of this key and time; nullopt when that has closed.
  Result<std::optional<Placed>> place(const StateKey& key, EventTime time, EventTime watermark);

  struct Closed {
    std::string key;
    std::uint64_t hash = 0;
    std::int64_t id = 0;
    EventTime end = 0;
  };
  /// Takes out the first session that the watermark has closed, by end and then key; false when
  /// there is none.
  Result<bool> close(EventTime watermark, Closed& closed);
  /// The end of the first session that is open.
  std::optional<EventTime> next_end() const { return timers_.next_time(); }

 private:
  struct Session {
    TimeSpan span;
    std::int64_t id = 0;
  };
  JoinSessions(StateTable* table, TimerService timers, std::int64_t gap_ms)
      : table_(table), timers_(std::move(timers)), gap_ms_(gap_ms) {}

  static Result<std::vector<Session>> read(const std::byte* value);
  void write(std::byte* value, const std::vector<Session>& sessions);

  StateTable* table_;    // per key its sessions by time, each start, end, id (8 bytes)
  TimerService timers_;  // one per session, at its end
  std::int64_t gap_ms_;
};

}  // namespace tidegate
