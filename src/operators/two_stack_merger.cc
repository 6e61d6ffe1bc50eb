// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "operators/accumulator_update.h"
#include "operators/slice_links.h"
#include "operators/window_merger.h"

namespace tidegate {
namespace {

/// Sliding windows over slices when nothing can be subtracted (the two-stacks algorithm, per key).
///
/// Slices (start, middle] of the window are the front, (middle, end] the back. The back is one
/// accumulator per key into which slices are merged as they come. The front is a chain per key with
/// a node for each front slice that has the key: its accumulator holds that slice and all later
/// ones of the front, so the first node is the front's whole, and when a slice leaves, its nodes
/// are taken off. When the front has run out, the back's slices become the new front, newest first.
///
/// A row of the running table is [number of the first node + 1, 4][back has the key,
/// 4][accumulators of the back]; without its head it is laid out as the rows of slices are.
class TwoStackMerger final : public WindowMerger {
 public:
  static constexpr std::int32_t kHead = 8;

  TwoStackMerger(SlicedWindow window, const StateTable* slices,
                 std::shared_ptr<const AccumulatorLayout> layout,
                 std::shared_ptr<const AccumulatorLayout> running_layout, StateTable* running)
      : window_(window),
        slices_(slices),
        layout_(std::move(layout)),
        running_layout_(std::move(running_layout)),
        running_(running),
        links_(slices, running),
        accumulators_(layout_.get()),
        merged_(layout_.get()) {}

  Status begin(EventTime window_end) override {
    const EventTime start = window_.window_start(window_end);
    if (start >= end_) clear(start);
    TG_RETURN_IF_ERROR(leave_until(start));
    for (auto slice = slices_->namespace_above(end_); slice && *slice <= window_end;
         slice = slices_->namespace_above(*slice)) {
      TG_RETURN_IF_ERROR(links_.each(*slice, [&](const std::byte* part, std::byte* row) {
        head(row).in_back = 1;
        return layout_->merge(back(row), part);
      }));
    }
    end_ = window_end;
    cursor_ = {};
    return Status::ok();
  }

  Status next(std::size_t limit, ResultRows& rows) override {
    merged_.clear();
    values_.resize(limit);
    for (const std::size_t before = rows.size(); rows.size() == before;) {
      const std::size_t count = running_->next(0, cursor_, values_);
      if (count == 0) break;
      for (std::size_t i = 0; i < count; ++i) {
        TG_ASSIGN_OR_RETURN(const std::byte* const value, whole(values_[i]));
        if (!layout_->has_rows(value)) continue;
        rows.keys.push_back(running_->key(values_[i]));
        rows.values.push_back(value);
      }
    }
    return Status::ok();
  }

  Status end(EventTime window_end) override {
    return leave_until(window_.window_start(window_.next_window_end(window_end)));
  }

  bool covers(EventTime slice_end) const override {
    return slice_end > start_ && slice_end <= end_;
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
  struct Head {
    std::uint32_t first_node;  // its number + 1; 0: the front does not have the key
    std::uint32_t in_back;
  };
  static_assert(sizeof(Head) == kHead);

  /// A link of a front chain; its accumulator is the one of the same number in accumulators_.
  struct Node {
    EventTime slice;
    std::uint32_t next;  // its number + 1; 0: none
  };

  static Head& head(std::byte* row) { return *reinterpret_cast<Head*>(row); }
  static std::byte* back(std::byte* row) { return row + kHead; }

  void clear(EventTime start) {
    running_->drop(0);
    links_.forget();
    nodes_.clear();
    accumulators_.clear();
    start_ = middle_ = end_ = start;
  }

  Status leave_until(EventTime start) {
    if (start <= start_) return Status::ok();
    const bool front_is_left = start <= middle_;
    for (auto slice = slices_->namespace_above(start_); slice && *slice <= std::min(start, end_);
         slice = slices_->namespace_above(*slice)) {
      if (front_is_left) TG_RETURN_IF_ERROR(take_off(*slice));
      links_.drop(*slice);
    }
    start_ = start;
    return front_is_left ? Status::ok() : flip();
  }

  Status take_off(EventTime slice) {
    return links_.each(slice, [&](const std::byte*, std::byte* row) {
      const std::uint32_t first = head(row).first_node;
      if (first == 0 || nodes_[first - 1].slice != slice) return Status::ok();
      head(row).first_node = nodes_[first - 1].next;
      if (head(row).first_node == 0 && head(row).in_back == 0) running_->erase(0, row);
      return Status::ok();
    });
  }

  /// What is left of the window becomes the front.
  Status flip() {
    nodes_.clear();
    accumulators_.clear();
    each_running([&](std::byte* row) { reset(row); });
    std::vector<EventTime> slices;
    for (auto slice = slices_->namespace_above(start_); slice && *slice <= end_;
         slice = slices_->namespace_above(*slice)) {
      slices.push_back(*slice);
    }
    for (auto slice = slices.rbegin(); slice != slices.rend(); ++slice) {
      TG_RETURN_IF_ERROR(links_.each(
          *slice, [&](const std::byte* part, std::byte* row) { return push(*slice, part, row); }));
    }
    each_running([&](std::byte* row) {
      if (head(row).first_node == 0) running_->erase(0, row);
    });
    middle_ = end_ = std::max(end_, start_);
    return Status::ok();
  }

  template <typename Visit>
  void each_running(const Visit& visit) {
    std::array<std::byte*, 256> piece;
    RowCursor cursor;
    while (const std::size_t count = running_->next(0, cursor, piece)) {
      for (std::size_t i = 0; i < count; ++i) visit(piece[i]);
    }
  }

  void reset(std::byte* row) {
    running_layout_->destroy(row);
    running_layout_->create_in(row);
  }

  /// Puts a slice's accumulator, joined with those behind it, in front of a chain.
  Status push(EventTime slice, const std::byte* part, std::byte* row) {
    const std::uint32_t next = head(row).first_node;
    TG_RETURN_IF_ERROR(accumulators_.add_copy(part));
    if (next != 0) {
      TG_RETURN_IF_ERROR(
          layout_->merge(accumulators_[accumulators_.size() - 1], accumulators_[next - 1]));
    }
    nodes_.push_back({slice, next});
    head(row).first_node = static_cast<std::uint32_t>(nodes_.size());
    return Status::ok();
  }

  /// Puts front and back of a key together again from its slices.
  Status rebuild(const KeyBatch& keys, std::int64_t row_of_batch) {
    const StateKey key{keys.keys.key(row_of_batch),
                       keys.hashes[static_cast<std::size_t>(row_of_batch)]};
    TG_ASSIGN_OR_RETURN(std::byte* const row, running_->find_or_create(0, key));
    reset(row);
    std::vector<std::pair<EventTime, const std::byte*>> front_parts;
    for (auto slice = slices_->namespace_above(start_); slice && *slice <= end_;
         slice = slices_->namespace_above(*slice)) {
      const std::byte* part = slices_->find(*slice, key);
      if (part == nullptr) continue;
      if (*slice <= middle_) {
        front_parts.emplace_back(*slice, part);
      } else {
        head(row).in_back = 1;
        TG_RETURN_IF_ERROR(layout_->merge(back(row), part));
      }
    }
    for (auto part = front_parts.rbegin(); part != front_parts.rend(); ++part) {
      TG_RETURN_IF_ERROR(push(part->first, part->second, row));
    }
    return Status::ok();
  }

  /// Front and back of a row together.
  Result<const std::byte*> whole(std::byte* row) {
    const Head& parts = head(row);
    if (parts.first_node == 0) return back(row);
    const std::byte* front = accumulators_[parts.first_node - 1];
    if (parts.in_back == 0) return front;
    TG_RETURN_IF_ERROR(merged_.add_copy(front));
    std::byte* both = merged_[merged_.size() - 1];
    TG_RETURN_IF_ERROR(layout_->merge(both, back(row)));
    return both;
  }

  SlicedWindow window_;
  const StateTable* slices_;
  std::shared_ptr<const AccumulatorLayout> layout_;
  std::shared_ptr<const AccumulatorLayout> running_layout_;
  StateTable* running_;  // one namespace: 0
  SliceLinks links_;
  std::vector<Node> nodes_;         // of all front chains
  AccumulatorCopies accumulators_;  // of the nodes
  AccumulatorCopies merged_;        // of the piece that next() answered last
  EventTime start_ = kMinWatermark;
  EventTime middle_ = kMinWatermark;
  EventTime end_ = kMinWatermark;
  RowCursor cursor_;
  std::vector<std::byte*> values_;
};

}  // namespace

Result<std::unique_ptr<WindowMerger>> make_two_stack_merger(
    SlicedWindow window, const StateTable* slices, std::shared_ptr<const AccumulatorLayout> layout,
    StateBackend& state) {
  auto running_layout = std::make_shared<const AccumulatorLayout>(
      layout->aggregates(), layout->counts_rows(), TwoStackMerger::kHead);
  StateTableSpec spec{slices->spec().name + ".running", running_layout};
  spec.transient = true;
  TG_ASSIGN_OR_RETURN(StateTable* const running, state.table(spec));
  return std::unique_ptr<WindowMerger>(std::make_unique<TwoStackMerger>(
      window, slices, std::move(layout), std::move(running_layout), running));
}

}  // namespace tidegate
