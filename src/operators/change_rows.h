// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "operators/accumulator_update.h"
#include "operators/keyed_results.h"

namespace tidegate {

/// Collects changes of results, each as the rows that the changelog asks for. Values are copied, so
/// that they may change again before the rows are built.
class ChangeRows {
 public:
  ChangeRows(const AccumulatorLayout* layout, Changelog changelog)
      : layout_(layout), changelog_(changelog), copies_(layout) {}

  /// True when `before` of change() matters.
  bool needs_before() const { return changelog_ != Changelog::kAppend; }

  /// A result was `before` and is `after`; null where there was or is none. `key` must stay until
  /// the rows are built.
  Status change(std::string_view key, std::optional<TimeSpan> window, std::optional<EventTime> time,
                const std::byte* before, const std::byte* after) {
    if (changelog_ == Changelog::kAppend) before = nullptr;
    if (before == nullptr) {
      return after == nullptr ? Status::ok() : add(RowKind::kInsert, key, window, time, after);
    }
    if (after == nullptr) return add(RowKind::kDelete, key, window, time, before);
    if (changelog_ == Changelog::kRetract) {
      TG_RETURN_IF_ERROR(add(RowKind::kUpdateBefore, key, window, time, before));
    }
    return add(RowKind::kUpdateAfter, key, window, time, after);
  }

  bool empty() const { return rows_.size() == 0; }
  const ResultRows& rows() const { return rows_; }
  void clear() {
    rows_.clear();
    copies_.clear();
  }

 private:
  Status add(RowKind kind, std::string_view key, std::optional<TimeSpan> window,
             std::optional<EventTime> time, const std::byte* value) {
    TG_RETURN_IF_ERROR(copies_.add_copy(value));
    rows_.keys.push_back(key);
    rows_.values.push_back(copies_[copies_.size() - 1]);
    rows_.kinds.push_back(kind);
    if (window) rows_.windows.push_back(*window);
    if (time) rows_.times.push_back(*time);
    return Status::ok();
  }

  const AccumulatorLayout* layout_;
  Changelog changelog_;
  AccumulatorCopies copies_;
  ResultRows rows_;
};

}  // namespace tidegate
