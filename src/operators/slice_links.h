// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <span>
#include <vector>

#include "base/check.h"
#include "state/state_table.h"

namespace tidegate {

/// Visits the rows of slices together with the row of the same key in a table of running windows
/// (its namespace 0). A slice is visited when it joins a window and again when it leaves, so what
/// has been looked up is remembered for as long as rows of the running table do not move. It may
/// erase a row only when no slice that was visited and not dropped has the key.
class SliceLinks {
 public:
  SliceLinks(const StateTable* slices, StateTable* running) : slices_(slices), running_(running) {}

  /// Calls visit(slice_value, running_value) for the rows of a slice, in order; rows of the running
  /// table are made where they are not there.
  template <typename Visit>
  Status each(EventTime slice, const Visit& visit) {
    RowCursor cursor;
    std::array<std::byte*, kPiece> piece;
    std::array<std::byte*, kPiece> found;
    std::size_t done = 0;
    while (const std::size_t count = slices_->next(slice, cursor, piece)) {
      const std::span<std::byte* const> rows(piece.data(), count);
      if (!recall(slice, done, std::span(found).first(count))) {
        TG_RETURN_IF_ERROR(running_->find_or_create_like(0, *slices_, rows, found));
        remember(slice, done, {found.data(), count});
      }
      for (std::size_t i = 0; i < count; ++i) TG_RETURN_IF_ERROR(visit(rows[i], found[i]));
      done += count;
    }
    return Status::ok();
  }

  /// The slice will not be visited any more.
  void drop(EventTime slice) { links_.erase(slice); }
  /// The running table was dropped.
  void forget() {
    links_.clear();
    generation_ = running_->generation(0);
  }

 private:
  static constexpr std::size_t kPiece = 1024;

  bool recall(EventTime slice, std::size_t done, std::span<std::byte*> found) {
    // Below memory rows have another order each time.
    if (!slices_->is_whole(slice)) return false;
    if (generation_ != running_->generation(0)) forget();
    const auto known = links_.find(slice);
    if (known == links_.end() || known->second.size() < done + found.size()) return false;
    std::copy_n(known->second.begin() + static_cast<std::ptrdiff_t>(done), found.size(),
                found.begin());
    return true;
  }

  void remember(EventTime slice, std::size_t done, std::span<std::byte* const> found) {
    if (!slices_->is_whole(slice)) return;
    if (generation_ != running_->generation(0)) forget();
    std::vector<std::byte*>& links = links_[slice];
    // After rows have moved, what was found before in this slice is gone.
    if (links.size() < done) return;
    links.resize(done);
    links.insert(links.end(), found.begin(), found.end());
  }

  const StateTable* slices_;
  StateTable* running_;
  std::map<EventTime, std::vector<std::byte*>> links_;  // in the order of a slice's rows
  std::uint32_t generation_ = 0;
};

}  // namespace tidegate
