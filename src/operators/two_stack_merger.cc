// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "operators/accumulator_update.h"
#include "operators/window_merger.h"

namespace tidegate {
namespace {

constexpr std::size_t kPiece = 1024;

/// Sliding windows over slices when nothing can be subtracted (the two-stacks algorithm, per key).
///
/// Slices [start, middle) of the window are the front, [middle, end) the back. The back is one
/// accumulator per key into which slices are merged as they come. The front is a chain per key with
/// a node for each front slice that has the key: its accumulator holds that slice and all later
/// ones of the front, so the first node is the front's whole, and when a slice leaves, its nodes
/// are taken off. When the front has run out, the back's slices become the new front, newest first.
class TwoStackMerger final : public WindowMerger {
 public:
  TwoStackMerger(SlicedWindow window, const StateTable* slices,
                 std::shared_ptr<const AccumulatorLayout> layout, StateTable* front,
                 StateTable* back)
      : window_(window),
        slices_(slices),
        layout_(std::move(layout)),
        front_(front),
        back_(back),
        nodes_(layout_.get()),
        merged_(layout_.get()) {}

  Status begin(EventTime window_end) override {
    const EventTime start = window_.window_start(window_end);
    if (start >= end_) clear(start);
    TG_RETURN_IF_ERROR(leave_until(start));
    for (auto slice = slices_->namespace_above(end_); slice && *slice <= window_end;
         slice = slices_->namespace_above(*slice)) {
      TG_RETURN_IF_ERROR(merge_into_back(*slice));
    }
    end_ = window_end;
    in_front_ = false;
    cursor_ = {};
    return Status::ok();
  }

  Status next(std::size_t limit, ResultRows& rows) override {
    merged_.clear();
    const std::size_t before = rows.size();
    while (rows.size() == before) {
      values_.resize(limit);
      others_.resize(limit);
      StateTable& table = in_front_ ? *front_ : *back_;
      const std::size_t count = table.next(0, cursor_, values_);
      if (count == 0) {
        if (in_front_) break;
        in_front_ = true;
        cursor_ = {};
        continue;
      }
      const std::span<std::byte* const> piece(values_.data(), count);
      if (in_front_) {
        add_front_only(piece, rows);
      } else {
        TG_RETURN_IF_ERROR(add_back(piece, rows));
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
  /// A link of a front chain; its accumulator is nodes_[index].
  struct Link {
    EventTime slice = 0;
    std::uint32_t accumulator = 0;
    std::uint32_t next = 0;  // index into links_ + 1; 0: none
  };

  static std::uint32_t& head(std::byte* front_value) {
    return *reinterpret_cast<std::uint32_t*>(front_value);
  }

  void clear(EventTime start) {
    front_->drop(0);
    back_->drop(0);
    nodes_.clear();
    links_.clear();
    start_ = middle_ = end_ = start;
  }

  template <typename Change>
  Status each_piece(EventTime slice, const Change& change) {
    RowCursor cursor;
    std::array<std::byte*, kPiece> piece;
    while (const std::size_t count = slices_->next(slice, cursor, piece)) {
      TG_RETURN_IF_ERROR(change(std::span<std::byte* const>(piece.data(), count)));
    }
    return Status::ok();
  }

  Status merge_into_back(EventTime slice) {
    return each_piece(slice, [&](std::span<std::byte* const> piece) -> Status {
      std::array<std::byte*, kPiece> values;
      TG_RETURN_IF_ERROR(back_->find_or_create_like(0, *slices_, piece, values));
      for (std::size_t i = 0; i < piece.size(); ++i) {
        TG_RETURN_IF_ERROR(layout_->merge(values[i], piece[i]));
      }
      return Status::ok();
    });
  }

  Status leave_until(EventTime start) {
    if (start <= start_) return Status::ok();
    if (start > middle_) return flip(start);
    for (auto slice = slices_->namespace_above(start_); slice && *slice <= start;
         slice = slices_->namespace_above(*slice)) {
      TG_RETURN_IF_ERROR(each_piece(*slice, [&](std::span<std::byte* const> piece) {
        take_off(*slice, piece);
        return Status::ok();
      }));
    }
    start_ = start;
    return Status::ok();
  }

  void take_off(EventTime slice, std::span<std::byte* const> piece) {
    std::array<std::byte*, kPiece> heads;
    front_->find_like(0, *slices_, piece, std::span(heads).first(piece.size()));
    for (std::size_t i = 0; i < piece.size(); ++i) {
      if (heads[i] == nullptr) continue;
      const Link& first = links_[head(heads[i]) - 1];
      if (first.slice != slice) continue;
      head(heads[i]) = first.next;
      if (first.next == 0) front_->erase(0, heads[i]);
    }
  }

  /// What is left of the window becomes the front.
  Status flip(EventTime start) {
    const EventTime end = std::max(end_, start);
    clear(start);
    middle_ = end_ = end;
    std::vector<EventTime> newest_first;
    for (auto slice = slices_->namespace_above(start); slice && *slice <= end;
         slice = slices_->namespace_above(*slice)) {
      newest_first.insert(newest_first.begin(), *slice);
    }
    for (EventTime slice : newest_first) {
      TG_RETURN_IF_ERROR(each_piece(slice, [&](std::span<std::byte* const> piece) -> Status {
        std::array<std::byte*, kPiece> heads;
        TG_RETURN_IF_ERROR(front_->find_or_create_like(0, *slices_, piece, heads));
        for (std::size_t i = 0; i < piece.size(); ++i) {
          TG_RETURN_IF_ERROR(push(slice, piece[i], heads[i]));
        }
        return Status::ok();
      }));
    }
    return Status::ok();
  }

  /// Puts a slice's accumulator, joined with those behind it, in front of a chain.
  Status push(EventTime slice, const std::byte* part, std::byte* front_value) {
    const std::uint32_t next = head(front_value);
    const auto accumulator = static_cast<std::uint32_t>(nodes_.size());
    TG_RETURN_IF_ERROR(nodes_.add_copy(part));
    if (next != 0) {
      TG_RETURN_IF_ERROR(layout_->merge(nodes_[accumulator], nodes_[links_[next - 1].accumulator]));
    }
    links_.push_back({slice, accumulator, next});
    head(front_value) = static_cast<std::uint32_t>(links_.size());
    return Status::ok();
  }

  Status rebuild(const KeyBatch& keys, std::int64_t row) {
    const StateKey key{keys.keys.key(row), keys.hashes[static_cast<std::size_t>(row)]};
    front_->erase(0, key);
    back_->erase(0, key);
    std::vector<std::pair<EventTime, const std::byte*>> front_parts;
    for (auto slice = slices_->namespace_above(start_); slice && *slice <= end_;
         slice = slices_->namespace_above(*slice)) {
      const std::byte* part = slices_->find(*slice, key);
      if (part == nullptr) continue;
      if (*slice <= middle_) {
        front_parts.emplace_back(*slice, part);
      } else {
        TG_ASSIGN_OR_RETURN(std::byte* const value, back_->find_or_create(0, key));
        TG_RETURN_IF_ERROR(layout_->merge(value, part));
      }
    }
    for (auto part = front_parts.rbegin(); part != front_parts.rend(); ++part) {
      TG_ASSIGN_OR_RETURN(std::byte* const front_value, front_->find_or_create(0, key));
      TG_RETURN_IF_ERROR(push(part->first, part->second, front_value));
    }
    return Status::ok();
  }

  Status add_back(std::span<std::byte* const> piece, ResultRows& rows) {
    front_->find_like(0, *back_, piece, std::span(others_).first(piece.size()));
    for (std::size_t i = 0; i < piece.size(); ++i) {
      std::byte* value = piece[i];
      if (others_[i] != nullptr) {
        TG_RETURN_IF_ERROR(merged_.add_copy(nodes_[links_[head(others_[i]) - 1].accumulator]));
        value = merged_[merged_.size() - 1];
        TG_RETURN_IF_ERROR(layout_->merge(value, piece[i]));
      }
      if (!layout_->has_rows(value)) continue;
      rows.keys.push_back(back_->key(piece[i]));
      rows.values.push_back(value);
    }
    return Status::ok();
  }

  void add_front_only(std::span<std::byte* const> piece, ResultRows& rows) {
    back_->find_like(0, *front_, piece, std::span(others_).first(piece.size()));
    for (std::size_t i = 0; i < piece.size(); ++i) {
      if (others_[i] != nullptr) continue;
      std::byte* value = nodes_[links_[head(piece[i]) - 1].accumulator];
      if (!layout_->has_rows(value)) continue;
      rows.keys.push_back(front_->key(piece[i]));
      rows.values.push_back(value);
    }
  }

  SlicedWindow window_;
  const StateTable* slices_;
  std::shared_ptr<const AccumulatorLayout> layout_;
  StateTable* front_;  // both: one namespace, 0; values of the front are heads of chains
  StateTable* back_;
  AccumulatorCopies nodes_;
  std::vector<Link> links_;
  AccumulatorCopies merged_;  // of the piece that next() answered last
  EventTime start_ = kMinWatermark;
  EventTime middle_ = kMinWatermark;
  EventTime end_ = kMinWatermark;
  bool in_front_ = false;  // where next() is
  RowCursor cursor_;
  std::vector<std::byte*> values_;
  std::vector<std::byte*> others_;
};

}  // namespace

Result<std::unique_ptr<WindowMerger>> make_two_stack_merger(
    SlicedWindow window, const StateTable* slices, std::shared_ptr<const AccumulatorLayout> layout,
    StateBackend& state) {
  StateTableSpec front_spec{slices->spec().name + ".front", std::make_shared<FixedLayout>(8)};
  StateTableSpec back_spec{slices->spec().name + ".back", layout};
  front_spec.transient = back_spec.transient = true;
  TG_ASSIGN_OR_RETURN(StateTable* const front, state.table(front_spec));
  TG_ASSIGN_OR_RETURN(StateTable* const back, state.table(back_spec));
  return std::unique_ptr<WindowMerger>(
      std::make_unique<TwoStackMerger>(window, slices, std::move(layout), front, back));
}

}  // namespace tidegate
