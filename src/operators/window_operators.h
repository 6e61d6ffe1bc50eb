// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "operators/window_aggregate.h"
#include "operators/window_clock.h"

namespace tidegate {

// The operators behind make_window_aggregate(), which has checked the options. One file each.

/// Tumbling, hopping and cumulating windows that emit on close, or at their end and per late row:
/// slices shared by windows.
Result<std::unique_ptr<WindowOperator>> make_sliced_window_aggregate(
    WindowAggregateOptions options);

/// The same windows with an accumulator for each window that a row is in: where results are emitted
/// on every update, or aggregators cannot merge.
Result<std::unique_ptr<WindowOperator>> make_separate_window_aggregate(
    WindowAggregateOptions options);

Result<std::unique_ptr<WindowOperator>> make_session_window_aggregate(
    WindowAggregateOptions options);

/// Windows that rows carry in their columns.
Result<std::unique_ptr<WindowOperator>> make_attached_window_aggregate(
    WindowAggregateOptions options);

/// Windows of n rows of a key, and the one window of everything.
Result<std::unique_ptr<Operator>> make_count_window_aggregate(WindowAggregateOptions options);

}  // namespace tidegate
