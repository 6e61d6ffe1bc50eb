// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "operators/window_merger.h"

namespace tidegate {
namespace {

constexpr std::size_t kPiece = 1024;
constexpr TimeSpan kNothing{kMinWatermark, kMinWatermark};

class RunningMerger final : public WindowMerger {
 public:
  RunningMerger(SlicedWindow window, const StateTable* slices, const AccumulatorLayout* layout,
                StateTable* running)
      : window_(window), slices_(slices), layout_(layout), running_(running) {}

  Status begin(EventTime window_end) override {
    cursor_ = {};
    const EventTime start = window_.window_start(window_end);
    const bool starts_anew =
        window_.is_cumulating() ? start != covered_.start : start >= covered_.end;
    if (starts_anew) {
      running_->drop(0);
      covered_ = {start, start};
    }
    TG_RETURN_IF_ERROR(leave_until(start));
    for (auto slice = slices_->namespace_above(covered_.end); slice && *slice <= window_end;
         slice = slices_->namespace_above(*slice)) {
      TG_RETURN_IF_ERROR(each_piece(*slice, &RunningMerger::merge_piece));
    }
    covered_.end = window_end;
    return Status::ok();
  }

  Status next(std::size_t limit, ResultRows& rows) override {
    values_.resize(limit);
    for (const std::size_t before = rows.size(); rows.size() == before;) {
      const std::size_t count = running_->next(0, cursor_, values_);
      if (count == 0) break;
      for (std::size_t i = 0; i < count; ++i) {
        if (!layout_->has_rows(values_[i])) continue;
        rows.keys.push_back(running_->key(values_[i]));
        rows.values.push_back(values_[i]);
      }
    }
    return Status::ok();
  }

  Status end(EventTime window_end) override {
    if (!window_.is_cumulating()) {
      return leave_until(window_.window_start(window_.next_window_end(window_end)));
    }
    // The longest window of its start is the last one.
    if (window_.window_start(window_.next_window_end(window_end)) != covered_.start) {
      running_->drop(0);
      covered_ = kNothing;
    }
    return Status::ok();
  }

  bool covers(EventTime slice_end) const override {
    return slice_end > covered_.start && slice_end <= covered_.end;
  }

  Status keys_changed(const KeyBatch& keys) override {
    if (!keys.all_rows) {
      for (std::int32_t row : keys.rows) TG_RETURN_IF_ERROR(rebuild(keys, row));
      return Status::ok();
    }
    for (std::int64_t row = 0; row < keys.keys.num_rows(); ++row) {
      TG_RETURN_IF_ERROR(rebuild(keys, row));
    }
    return Status::ok();
  }

 private:
  using PieceChange = Status (RunningMerger::*)(std::span<std::byte* const> slice_values);

  /// The slices before `start` go.
  Status leave_until(EventTime start) {
    if (start <= covered_.start) return Status::ok();
    for (auto slice = slices_->namespace_above(covered_.start);
         slice && *slice <= std::min(start, covered_.end);
         slice = slices_->namespace_above(*slice)) {
      TG_RETURN_IF_ERROR(each_piece(*slice, &RunningMerger::subtract_piece));
    }
    covered_.start = start;
    covered_.end = std::max(covered_.end, start);
    return Status::ok();
  }

  Status each_piece(EventTime slice, PieceChange change) {
    RowCursor cursor;
    std::array<std::byte*, kPiece> piece;
    while (const std::size_t count = slices_->next(slice, cursor, piece)) {
      TG_RETURN_IF_ERROR((this->*change)({piece.data(), count}));
    }
    return Status::ok();
  }

  Status merge_piece(std::span<std::byte* const> slice_values) {
    std::array<std::byte*, kPiece> values;
    TG_RETURN_IF_ERROR(running_->find_or_create_like(0, *slices_, slice_values, values));
    for (std::size_t i = 0; i < slice_values.size(); ++i) {
      TG_RETURN_IF_ERROR(layout_->merge(values[i], slice_values[i]));
    }
    return Status::ok();
  }

  Status subtract_piece(std::span<std::byte* const> slice_values) {
    std::array<std::byte*, kPiece> values;
    // Created where it is not there: its count may have been zero in between.
    TG_RETURN_IF_ERROR(running_->find_or_create_like(0, *slices_, slice_values, values));
    for (std::size_t i = 0; i < slice_values.size(); ++i) {
      layout_->subtract(values[i], slice_values[i]);
      if (layout_->row_count(values[i]) == 0) running_->erase(0, values[i]);
    }
    return Status::ok();
  }

  /// Merges all slices of one key again, which gives what a restore would give.
  Status rebuild(const KeyBatch& keys, std::int64_t row) {
    const StateKey key{keys.keys.key(row), keys.hashes[static_cast<std::size_t>(row)]};
    running_->erase(0, key);
    TG_ASSIGN_OR_RETURN(std::byte* const value, running_->find_or_create(0, key));
    for (auto slice = slices_->namespace_above(covered_.start); slice && *slice <= covered_.end;
         slice = slices_->namespace_above(*slice)) {
      const std::byte* part = slices_->find(*slice, key);
      if (part != nullptr) TG_RETURN_IF_ERROR(layout_->merge(value, part));
    }
    return Status::ok();
  }

  SlicedWindow window_;
  const StateTable* slices_;
  const AccumulatorLayout* layout_;
  StateTable* running_;          // one namespace: 0
  TimeSpan covered_ = kNothing;  // the time whose slices are in the running accumulators
  RowCursor cursor_;
  std::vector<std::byte*> values_;
};

}  // namespace

Result<std::unique_ptr<WindowMerger>> make_running_merger(SlicedWindow window,
                                                          const StateTable* slices,
                                                          const AccumulatorLayout* layout,
                                                          StateBackend& state) {
  StateTableSpec spec{slices->spec().name + ".running", slices->spec().layout};
  spec.transient = true;
  TG_ASSIGN_OR_RETURN(StateTable* const running, state.table(spec));
  return std::unique_ptr<WindowMerger>(
      std::make_unique<RunningMerger>(window, slices, layout, running));
}

}  // namespace tidegate
