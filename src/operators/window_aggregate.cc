// SPDX-License-Identifier: Apache-2.0
#include "operators/window_aggregate.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "operators/accumulator_layout.h"
#include "operators/window_operators.h"
#include "windows/sliced_window.h"

namespace tidegate {
namespace {

bool is_sliced(const Window& window) {
  return window.kind == Window::Kind::kTumbling || window.kind == Window::Kind::kHopping ||
         window.kind == Window::Kind::kCumulating;
}

Status check(const WindowAggregateOptions& options) {
  if (options.grace_ms < 0) {
    return error(ErrorCode::kInvalidArgument,
                 "the grace of a window is {} ms; it cannot be negative", options.grace_ms);
  }
  const AccumulatorLayout layout(options.aggregates, false);
  if (options.retracts && !layout.can_retract()) {
    return error(ErrorCode::kInvalidPlan,
                 "the input of a window holds retractions, which one of its aggregate functions "
                 "cannot take back");
  }
  const bool session = options.window.kind == Window::Kind::kSession && options.keeps_all;
  if (options.emit == Emit::kOnEpoch && options.window_end_column < 0 &&
      !is_sliced(options.window) && !session) {
    return error(ErrorCode::kNotSupported,
                 "changed results at the end of each epoch of session, count and global windows");
  }
  if (options.emit == Emit::kOnEpoch &&
      (options.retracts || options.changelog == Changelog::kRetract)) {
    return error(ErrorCode::kNotSupported,
                 "results at the end of each epoch as, or of, retractions");
  }
  if (options.merges_partials && !allows_partial_aggregate(options)) {
    return error(ErrorCode::kInternal, "this window does not take partial aggregates");
  }
  return Status::ok();
}

bool is_attached(const WindowAggregateOptions& options) { return options.window_end_column >= 0; }

Status check_sql(const WindowAggregateOptions& options) {
  if (is_attached(options) && options.window_start_column < 0) {
    return error(ErrorCode::kInvalidArgument, "rows carry the end of their window, but no start");
  }
  if (is_attached(options) && options.emit != Emit::kOnClose && options.emit != Emit::kOnEpoch) {
    return error(ErrorCode::kNotSupported, "early or late results of windows that rows carry");
  }
  return Status::ok();
}

Result<std::unique_ptr<WindowOperator>> make_timed_window_aggregate(
    WindowAggregateOptions options) {
  if (is_attached(options)) return make_attached_window_aggregate(std::move(options));
  if (options.window.kind == Window::Kind::kSession) {
    return make_session_window_aggregate(std::move(options));
  }
  TG_ASSIGN_OR_RETURN(const SlicedWindow window, SlicedWindow::make(options.window));
  // Late updates put windows together from slices even when they are tumbling.
  const bool merges = !window.is_tumbling() || options.emit == Emit::kOnEndAndLate;
  const bool can_merge = AccumulatorLayout(options.aggregates, false).can_merge();
  const bool separate =
      options.separate || options.emit == Emit::kOnEveryUpdate || options.emit == Emit::kOnEpoch;
  if (separate || (merges && !can_merge)) {
    return make_separate_window_aggregate(std::move(options));
  }
  return make_sliced_window_aggregate(std::move(options));
}

}  // namespace

Result<std::unique_ptr<Operator>> make_window_aggregate(WindowAggregateOptions options) {
  TG_RETURN_IF_ERROR(check(options));
  TG_RETURN_IF_ERROR(check_sql(options));
  const bool is_timed = is_sliced(options.window) || options.window.kind == Window::Kind::kSession;
  if (!is_timed && !is_attached(options)) return make_count_window_aggregate(std::move(options));
  WindowClockOptions clock;
  clock.processing_time = options.processing_time;
  clock.time_zone = options.time_zone;
  clock.time_column = options.time_column;
  clock.attaches_times = !is_attached(options);
  clock.window_time = options.window_time;
  clock.window_end_column = static_cast<int>(options.keys.size()) + 1;
  if (clock.changes_time()) options.time_column = -1;
  TG_ASSIGN_OR_RETURN(std::unique_ptr<WindowOperator> windows,
                      make_timed_window_aggregate(std::move(options)));
  return make_window_clock(std::move(windows), std::move(clock));
}

TimeGrain window_time_grain(const Window& window, std::int64_t grace_ms, Emit emit) {
  if (window.kind == Window::Kind::kSession) return TimeGrain{1, 0};
  if (!is_sliced(window)) return TimeGrain{0, 0};
  const Result<SlicedWindow> rules = SlicedWindow::make(window);
  if (!rules.is_ok()) return TimeGrain{1, 0};
  const std::int64_t step = rules->step_ms();
  const EventTime an_end = rules->window_end_at_or_below(0);
  const TimeGrain closes{step, (an_end + grace_ms % step) % step};
  if (emit != Emit::kOnEndAndLate) return closes;
  return TimeGrain::combine(closes, TimeGrain{step, an_end % step});
}

TimeGrain window_time_grain(const WindowAggregateOptions& options) {
  if (options.processing_time || options.keeps_all) return TimeGrain{0, 0};
  if (is_attached(options)) return TimeGrain{1, 0};
  TimeGrain grain = window_time_grain(options.window, options.grace_ms, options.emit);
  if (options.time_zone != "UTC" && grain.step_ms > 0) {
    // Zones are whole quarters of an hour away from UTC.
    constexpr std::int64_t kQuarterMs = 900'000;
    grain.step_ms = std::gcd(grain.step_ms, kQuarterMs);
    grain.phase_ms %= grain.step_ms;
  }
  return grain;
}

bool allows_partial_aggregate(const WindowAggregateOptions& options) {
  const AccumulatorLayout layout(options.aggregates, false);
  const bool plain =
      !is_attached(options) && !options.processing_time && options.time_zone == "UTC";
  return plain && is_sliced(options.window) && !options.separate &&
         options.emit == Emit::kOnClose && options.late_output < 0 && layout.can_merge() &&
         !layout.is_order_dependent() && (!options.retracts || layout.can_subtract());
}

}  // namespace tidegate
