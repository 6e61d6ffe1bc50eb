// SPDX-License-Identifier: Apache-2.0
#include "operators/join_sessions.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "operators/join.h"
#include "state/binary_codec.h"
#include "state/state_bytes.h"

namespace tidegate {

Result<JoinSessions> JoinSessions::open(StateBackend& state, std::int64_t gap_ms) {
  TG_ASSIGN_OR_RETURN(StateTable * table,
                      state.table({"sessions", std::make_shared<BytesLayout>("sessions/1")}));
  TG_ASSIGN_OR_RETURN(TimerService timers, TimerService::open(state, "session_ends"));
  return JoinSessions(table, std::move(timers), gap_ms);
}

Result<std::optional<JoinSessions::Placed>> JoinSessions::place(const StateKey& key, EventTime time,
                                                                EventTime watermark) {
  TG_ASSIGN_OR_RETURN(std::byte * value, table_->find_or_create(0, key));
  TG_ASSIGN_OR_RETURN(std::vector<Session> sessions, read(value));
  // The first row's own end is the id: no other open session of the key can have begun with it.
  Session merged{{time, add_saturating(time, gap_ms_)}, add_saturating(time, gap_ms_)};
  std::vector<Session> kept;
  std::vector<Session> parts;
  for (const Session& session : sessions) {
    (sessions_merge(session.span, merged.span) ? parts : kept).push_back(session);
  }
  if (parts.empty() && merged.span.end < watermark) {
    if (sessions.empty()) table_->erase(0, value);
    return std::optional<Placed>();
  }
  Placed placed;
  if (!parts.empty()) merged.id = parts.front().id;
  for (const Session& part : parts) {
    merged.span.start = std::min(merged.span.start, part.span.start);
    merged.span.end = std::max(merged.span.end, part.span.end);
    timers_.remove(part.span.end, key);
    if (part.id != merged.id) placed.absorbed.push_back(part.id);
  }
  placed.id = merged.id;
  kept.push_back(merged);
  std::ranges::sort(kept, {}, [](const Session& session) { return session.span; });
  write(value, kept);
  TG_RETURN_IF_ERROR(timers_.add(merged.span.end, key));
  return std::optional<Placed>(std::move(placed));
}

Result<bool> JoinSessions::close(EventTime watermark, Closed& closed) {
  Timer timer;
  const EventTime bound = watermark == kMaxWatermark ? watermark : add_saturating(watermark, -1);
  if (!timers_.pop(bound, timer)) return false;
  closed = {std::string(timer.key.bytes), timer.key.hash, 0, timer.time};
  std::byte* value = table_->find(0, timer.key);
  TG_CHECK(value != nullptr, "a session ends that no key knows of");
  TG_ASSIGN_OR_RETURN(std::vector<Session> sessions, read(value));
  const auto ended = std::ranges::find_if(
      sessions, [&](const Session& session) { return session.span.end == timer.time; });
  TG_CHECK(ended != sessions.end(), "a session ends that its key does not know of");
  closed.id = ended->id;
  sessions.erase(ended);
  if (sessions.empty()) {
    table_->erase(0, value);
  } else {
    write(value, sessions);
    table_->touch(0, value);
  }
  return true;
}

Result<std::vector<JoinSessions::Session>> JoinSessions::read(const std::byte* value) {
  std::vector<Session> sessions;
  std::string_view bytes = BytesLayout::view(value);
  while (!bytes.empty()) {
    Session& session = sessions.emplace_back();
    if (!read_fixed(bytes, session.span.start) || !read_fixed(bytes, session.span.end) ||
        !read_fixed(bytes, session.id)) {
      return error(ErrorCode::kStateCorrupt, "the stored sessions of a key are cut short");
    }
  }
  return sessions;
}

void JoinSessions::write(std::byte* value, const std::vector<Session>& sessions) {
  std::string bytes;
  for (const Session& session : sessions) {
    write_fixed(bytes, session.span.start);
    write_fixed(bytes, session.span.end);
    write_fixed(bytes, session.id);
  }
  assign_bytes(*table_, value, bytes);
}

}  // namespace tidegate
