// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "operators/accumulator_layout.h"
#include "operators/keyed_results.h"
#include "state/state_table.h"
#include "windows/sliced_window.h"

namespace tidegate {

/// Makes the rows of windows out of the rows of slices (namespaces of a state table) for windows
/// that fire in rising order. What it keeps is derived: it starts from nothing after a restore.
class WindowMerger {
 public:
  virtual ~WindowMerger() = default;

  /// The window whose rows next() answers from here on.
  virtual Status begin(EventTime window_end) = 0;
  /// Appends keys and values of up to `limit` rows; none at the end. They hold until the next call.
  virtual Status next(std::size_t limit, ResultRows& rows) = 0;
  /// The window is done: slices that no later window has may be dropped after this.
  virtual Status end(EventTime window_end) = 0;
  /// True when changes of rows in this slice must be told.
  virtual bool covers(EventTime slice_end) const = 0;
  /// These keys have changed in a slice that is covered.
  virtual Status keys_changed(const KeyBatch& keys) = 0;
};

/// For windows of one slice each: their rows are the slice's.
std::unique_ptr<WindowMerger> make_tumbling_merger(const StateTable* slices,
                                                   const AccumulatorLayout* layout);

/// Keeps the running accumulators of the current window: slices that come in are merged into them,
/// those that leave are subtracted. For sliding windows of aggregates that can subtract (with row
/// counts), and for cumulating windows of any. `retracts`: counts may be zero though rows are
/// there.
Result<std::unique_ptr<WindowMerger>> make_running_merger(SlicedWindow window,
                                                          const StateTable* slices,
                                                          const AccumulatorLayout* layout,
                                                          bool retracts, StateBackend& state);

/// For sliding windows of aggregates that can only merge: two stacks, so that each row of a slice
/// is merged a constant number of times however many slices a window has.
Result<std::unique_ptr<WindowMerger>> make_two_stack_merger(
    SlicedWindow window, const StateTable* slices, std::shared_ptr<const AccumulatorLayout> layout,
    StateBackend& state);

}  // namespace tidegate
