// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "operators/accumulator_layout.h"
#include "windows/window_time.h"

namespace tidegate {

/// The open sessions of one key as a state value. Nearly always there is one, which stands in
/// place; further ones stand behind a pointer:
///
///   [start 8][end 8][pointer to further sessions 8][accumulators of the first session]
///
/// A zeroed value has no session (its end is not behind its start). The first session is the first
/// in memory, not in time.
class SessionLayout final : public ValueLayout {
 public:
  explicit SessionLayout(std::shared_ptr<const AccumulatorLayout> accumulators)
      : accumulators_(std::move(accumulators)) {}

  const AccumulatorLayout& accumulators() const { return *accumulators_; }

  std::size_t num_sessions(const std::byte* value) const;
  TimeSpan& span(std::byte* value, std::size_t i) const;
  std::byte* accumulator(std::byte* value, std::size_t i) const;
  /// Adds an empty session; answers its index.
  std::size_t add_session(std::byte* value, TimeSpan span) const;
  /// Removes a session; the last one takes its index.
  Status remove_session(std::byte* value, std::size_t i) const;

  std::string fingerprint() const override { return "sessions " + accumulators_->fingerprint(); }
  std::vector<StateColumn> columns(const StateContext& context) const override {
    return accumulators_->columns(context);
  }
  std::int32_t size_bytes() const override { return kHead + accumulators_->size_bytes(); }
  void destroy(std::byte* value) const override;
  bool needs_destroy() const override { return true; }
  bool is_relocatable() const override { return !accumulators_->needs_destroy(); }
  std::int64_t owned_bytes(const std::byte* value) const override;
  void serialize(const std::byte* value, std::string& out) const override;
  Status deserialize(std::string_view& in, std::byte* value) const override;

 private:
  static constexpr std::int32_t kHead = 24;
  struct Session;  // a further one
  using Sessions = std::vector<Session>;

  static TimeSpan& first_span(std::byte* value) { return *reinterpret_cast<TimeSpan*>(value); }
  static Sessions*& further(std::byte* value) {
    return *reinterpret_cast<Sessions**>(value + sizeof(TimeSpan));
  }
  static const Sessions* further(const std::byte* value) {
    return *reinterpret_cast<Sessions* const*>(value + sizeof(TimeSpan));
  }
  static bool has_first(const std::byte* value) {
    const auto& span = *reinterpret_cast<const TimeSpan*>(value);
    return span.end > span.start;
  }
  void destroy_further(Session& session) const;

  std::shared_ptr<const AccumulatorLayout> accumulators_;
};

}  // namespace tidegate
