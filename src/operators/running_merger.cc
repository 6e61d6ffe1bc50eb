// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "operators/slice_links.h"
#include "operators/window_merger.h"

namespace tidegate {
namespace {

constexpr TimeSpan kNothing{kMinWatermark, kMinWatermark};

class RunningMerger final : public WindowMerger {
 public:
  RunningMerger(SlicedWindow window, const StateTable* slices, const AccumulatorLayout* layout,
                StateTable* running, bool retracts)
      : window_(window),
        slices_(slices),
        layout_(layout),
        running_(running),
        links_(slices, running),
        retracts_(retracts) {}

  Status begin(EventTime window_end) override {
    cursor_ = {};
    const EventTime start = window_.window_start(window_end);
    const bool starts_anew =
        window_.is_cumulating() ? start != covered_.start : start >= covered_.end;
    if (starts_anew) {
      drop_running();
      covered_ = {start, start};
    }
    TG_RETURN_IF_ERROR(leave_until(start));
    for (auto slice = slices_->namespace_above(covered_.end); slice && *slice <= window_end;
         slice = slices_->namespace_above(*slice)) {
      TG_RETURN_IF_ERROR(links_.each(*slice, [&](const std::byte* part, std::byte* value) {
        return layout_->merge(value, part);
      }));
    }
    covered_.end = window_end;
    return Status::ok();
  }

  Status next(std::size_t limit, ResultRows& rows) override {
    values_.resize(limit);
    for (const std::size_t before = rows.size(); rows.size() == before;) {
      const std::size_t count = running_->next(0, cursor_, values_);
      if (count == 0) break;
      rows.add(*running_, *layout_, std::span(values_).first(count));
    }
    return Status::ok();
  }

  Status end(EventTime window_end) override {
    if (!window_.is_cumulating()) {
      return leave_until(window_.window_start(window_.next_window_end(window_end)));
    }
    // The longest window of its start is the last one.
    if (window_.window_start(window_.next_window_end(window_end)) != covered_.start) {
      drop_running();
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
  /// The slices before `start` go.
  Status leave_until(EventTime start) {
    if (start <= covered_.start) return Status::ok();
    for (auto slice = slices_->namespace_above(covered_.start);
         slice && *slice <= std::min(start, covered_.end);
         slice = slices_->namespace_above(*slice)) {
      TG_RETURN_IF_ERROR(links_.each(*slice, [&](const std::byte* part, std::byte* value) {
        layout_->subtract(value, part);
        // With retractions a count of zero does not mean that no other slice has the key.
        if (!retracts_ && layout_->row_count(value) == 0) running_->erase(0, value);
        return Status::ok();
      }));
      links_.drop(*slice);
    }
    covered_.start = start;
    covered_.end = std::max(covered_.end, start);
    return Status::ok();
  }

  void drop_running() {
    running_->drop(0);
    links_.forget();
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
  StateTable* running_;  // one namespace: 0
  SliceLinks links_;
  bool retracts_;
  TimeSpan covered_ = kNothing;  // the time whose slices are in the running accumulators
  RowCursor cursor_;
  std::vector<std::byte*> values_;
};

}  // namespace

Result<std::unique_ptr<WindowMerger>> make_running_merger(SlicedWindow window,
                                                          const StateTable* slices,
                                                          const AccumulatorLayout* layout,
                                                          bool retracts, StateBackend& state) {
  StateTableSpec spec{slices->spec().name + ".running", slices->spec().layout};
  spec.transient = true;
  TG_ASSIGN_OR_RETURN(StateTable* const running, state.table(spec));
  return std::unique_ptr<WindowMerger>(
      std::make_unique<RunningMerger>(window, slices, layout, running, retracts));
}

}  // namespace tidegate
