// SPDX-License-Identifier: Apache-2.0
#include "operators/assign_windows.h"

#include <optional>
#include <utility>

#include "base/metrics.h"
#include "expr/column_values.h"
#include "operators/assign_sessions.h"
#include "operators/event_times.h"
#include "operators/piecewise.h"
#include "windows/local_time.h"
#include "windows/sliced_window.h"

namespace tidegate {
namespace {

/// Windows that a row's time alone decides.
class AssignWindows final : public PiecewiseOperator {
 public:
  AssignWindows(AssignWindowsOptions options, SlicedWindow window, LocalTime local)
      : options_(std::move(options)), window_(window), local_(std::move(local)) {}

  Status open(OperatorContext& context) override {
    clock_ = &context.clock();
    rows_null_time_ = &context.metrics().counter("rows_null_time");
    return Status::ok();
  }

 private:
  Status begin(const Batch& batch) override {
    row_ = 0;
    if (options_.time_column < 0) {
      now_ = clock_->wall_ms();
      return Status::ok();
    }
    return times_.read(batch, options_.time_column);
  }

  Result<bool> emit_piece(const Batch& batch, Output& out) override {
    rows_.clear();
    starts_.clear();
    ends_.clear();
    while (row_ < batch.num_rows() && std::ssize(rows_) < kPieceRows) {
      if (options_.time_column >= 0 && times_.is_null(row_)) {
        rows_null_time_->add(1);
      } else {
        assign(options_.time_column < 0 ? now_ : times_.times()[static_cast<std::size_t>(row_)]);
      }
      ++row_;
    }
    if (!rows_.empty()) TG_RETURN_IF_ERROR(emit(batch, out));
    return row_ < batch.num_rows();
  }

  void add(EventTime end) {
    rows_.push_back(static_cast<std::int32_t>(row_));
    starts_.push_back(window_.window_start(end));
    ends_.push_back(end);
  }

  void assign(EventTime time) {
    const EventTime slice = window_.slice_end(local_.to_local(time));
    const EventTime first = window_.first_window_end(slice);
    const EventTime last = window_.last_window_end(slice);
    if (window_.is_cumulating()) {
      for (EventTime end = first; end <= last; end += window_.step_ms()) add(end);
    } else {
      for (EventTime end = last; end >= first; end -= window_.step_ms()) add(end);
    }
  }

  Status emit(const Batch& batch, Output& out) {
    const bool all = std::ssize(rows_) == batch.num_rows() &&
                     rows_.back() - rows_.front() + 1 == std::ssize(rows_);
    Batch rows = batch;
    if (!all) {
      TG_ASSIGN_OR_RETURN(rows, batch.take(rows_));
    }
    std::vector<ArrayPtr> columns = rows.columns();
    const LogicalType type = LogicalType::timestamp(3);
    TG_ASSIGN_OR_RETURN(columns.emplace_back(),
                        time_column(type, [this](std::size_t i) { return starts_[i]; }));
    TG_ASSIGN_OR_RETURN(columns.emplace_back(),
                        time_column(type, [this](std::size_t i) { return ends_[i]; }));
    const bool instants = options_.window_time.kind() == TypeKind::kTimestampLtz;
    TG_ASSIGN_OR_RETURN(columns.emplace_back(),
                        time_column(options_.window_time, [&](std::size_t i) {
                          return instants ? local_.to_utc(ends_[i] - 1) : ends_[i] - 1;
                        }));
    out.emit(rows.with_columns(std::move(columns)));
    return Status::ok();
  }

  template <typename TimeOf>
  Result<ArrayPtr> time_column(const LogicalType& type, const TimeOf& time_of) const {
    TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<std::int64_t>::make(std::ssize(rows_)));
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      writer.set(static_cast<std::int64_t>(i), time_of(i));
    }
    return writer.finish(type);
  }

  AssignWindowsOptions options_;
  SlicedWindow window_;
  LocalTime local_;
  const Clock* clock_ = nullptr;
  Counter* rows_null_time_ = nullptr;

  std::int64_t row_ = 0;  // where the next piece begins
  EventTimes times_;      // of the batch
  std::int64_t now_ = 0;  // when it came

  // Of the piece.
  std::vector<std::int32_t> rows_;
  std::vector<EventTime> starts_;
  std::vector<EventTime> ends_;
};

Result<std::unique_ptr<Operator>> make_sessions(AssignWindowsOptions options) {
  WindowClockOptions clock;
  clock.processing_time = options.time_column < 0;
  clock.time_zone = options.time_zone;
  clock.time_column = options.time_column;
  clock.window_time = options.window_time;
  clock.window_end_column = static_cast<int>(options.types.size()) + 1;
  if (clock.changes_time()) options.time_column = -1;
  TG_ASSIGN_OR_RETURN(std::unique_ptr<WindowOperator> sessions,
                      make_assign_sessions(std::move(options)));
  return make_window_clock(std::move(sessions), std::move(clock));
}

}  // namespace

Result<std::unique_ptr<Operator>> make_assign_windows(AssignWindowsOptions options) {
  if (!options.window_time.is_timestamp() || options.window_time.precision() > 3) {
    return error(ErrorCode::kTypeMismatch,
                 "window_time is of type {}; it can be TIMESTAMP(3) or TIMESTAMP_LTZ(3)",
                 options.window_time.to_string());
  }
  if (options.window.kind == Window::Kind::kSession) return make_sessions(std::move(options));
  TG_ASSIGN_OR_RETURN(const SlicedWindow window, SlicedWindow::make(options.window));
  TG_ASSIGN_OR_RETURN(TimeZone zone, TimeZone::find(options.time_zone));
  return std::unique_ptr<Operator>(
      std::make_unique<AssignWindows>(std::move(options), window, LocalTime(std::move(zone))));
}

TimeGrain assign_windows_time_grain(const AssignWindowsOptions& options) {
  const bool waits = options.window.kind == Window::Kind::kSession && options.time_column >= 0;
  return waits ? TimeGrain{1, 0} : TimeGrain{0, 0};
}

}  // namespace tidegate
