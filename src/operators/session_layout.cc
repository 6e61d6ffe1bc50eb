// SPDX-License-Identifier: Apache-2.0
#include "operators/session_layout.h"

#include <cstring>
#include <utility>

#include "base/check.h"
#include "state/binary_codec.h"

namespace tidegate {

/// Its accumulators stay where they are when the vector grows.
struct SessionLayout::Session {
  TimeSpan span;
  std::unique_ptr<std::byte[]> accumulator;
};

std::size_t SessionLayout::num_sessions(const std::byte* value) const {
  if (!has_first(value)) return 0;
  const Sessions* more = further(value);
  return 1 + (more == nullptr ? 0 : more->size());
}

TimeSpan& SessionLayout::span(std::byte* value, std::size_t i) const {
  return i == 0 ? first_span(value) : (*further(value))[i - 1].span;
}

std::byte* SessionLayout::accumulator(std::byte* value, std::size_t i) const {
  return i == 0 ? value + kHead : (*further(value))[i - 1].accumulator.get();
}

std::size_t SessionLayout::add_session(std::byte* value, TimeSpan span) const {
  TG_CHECK(span.end > span.start, "start={} end={}", span.start, span.end);
  if (!has_first(value)) {
    first_span(value) = span;
    accumulators_->create_in(value + kHead);
    return 0;
  }
  Sessions*& more = further(value);
  if (more == nullptr) more = new Sessions;
  const auto size = static_cast<std::size_t>(accumulators_->size_bytes());
  more->push_back({span, std::make_unique_for_overwrite<std::byte[]>(size)});
  accumulators_->create_in(more->back().accumulator.get());
  return more->size();
}

void SessionLayout::destroy_further(Session& session) const {
  accumulators_->destroy(session.accumulator.get());
}

Status SessionLayout::remove_session(std::byte* value, std::size_t i) const {
  Sessions* more = further(value);
  if (i == 0) {
    accumulators_->destroy(value + kHead);
    first_span(value) = {};
    if (more == nullptr || more->empty()) return Status::ok();
    first_span(value) = more->back().span;
    TG_RETURN_IF_ERROR(accumulators_->copy(more->back().accumulator.get(), value + kHead));
    destroy_further(more->back());
  } else {
    destroy_further((*more)[i - 1]);
    std::swap((*more)[i - 1], more->back());
  }
  more->pop_back();
  return Status::ok();
}

void SessionLayout::destroy(std::byte* value) const {
  if (has_first(value)) accumulators_->destroy(value + kHead);
  Sessions* more = further(value);
  if (more == nullptr) return;
  for (Session& session : *more) destroy_further(session);
  delete more;
}

std::int64_t SessionLayout::owned_bytes(const std::byte* value) const {
  const Sessions* more = further(value);
  if (more == nullptr) return 0;
  return static_cast<std::int64_t>(sizeof(Sessions) + more->capacity() * sizeof(Session) +
                                   more->size() *
                                       static_cast<std::size_t>(accumulators_->size_bytes()));
}

void SessionLayout::serialize(const std::byte* value, std::string& out) const {
  // Reading does not change anything behind the pointer.
  auto* sessions = const_cast<std::byte*>(value);
  const std::size_t count = num_sessions(value);
  write_varint(out, count);
  for (std::size_t i = 0; i < count; ++i) {
    write_fixed(out, span(sessions, i).start);
    write_fixed(out, span(sessions, i).end);
    accumulators_->serialize(accumulator(sessions, i), out);
  }
}

Status SessionLayout::deserialize(std::string_view& in, std::byte* value) const {
  std::uint64_t count = 0;
  if (!read_varint(in, count)) {
    return error(ErrorCode::kStateCorrupt, "sessions of a key end too early");
  }
  for (std::uint64_t n = 0; n < count; ++n) {
    TimeSpan span;
    if (!read_fixed(in, span.start) || !read_fixed(in, span.end) || span.end <= span.start) {
      return error(ErrorCode::kStateCorrupt, "session {} of {} of a key is not one", n, count);
    }
    const std::size_t i = add_session(value, span);
    TG_RETURN_IF_ERROR(accumulators_->deserialize(in, accumulator(value, i)));
  }
  return Status::ok();
}

}  // namespace tidegate
