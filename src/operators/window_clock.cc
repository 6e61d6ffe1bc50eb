// SPDX-License-Identifier: Apache-2.0
#include "operators/window_clock.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "expr/column_values.h"
#include "operators/event_times.h"
#include "windows/local_time.h"

namespace tidegate {
namespace {

/// The same context, with another restored watermark.
class ClockContext final : public OperatorContext {
 public:
  ClockContext(OperatorContext& outer, EventTime watermark)
      : outer_(outer), watermark_(watermark) {}

  const std::string& operator_name() const override { return outer_.operator_name(); }
  int subtask() const override { return outer_.subtask(); }
  int parallelism() const override { return outer_.parallelism(); }
  KeyGroupRange key_groups() const override { return outer_.key_groups(); }
  const Clock& clock() const override { return outer_.clock(); }
  Executor& executor() override { return outer_.executor(); }
  Waker waker() override { return outer_.waker(); }
  StateBackend& state() override { return outer_.state(); }
  MetricGroup& metrics() override { return outer_.metrics(); }
  EventTime restored_watermark() const override { return watermark_; }
  void request_wake_at(std::int64_t wall_ms) override { outer_.request_wake_at(wall_ms); }

 private:
  OperatorContext& outer_;
  EventTime watermark_;
};

/// What the operator emits, made ready for those behind it. An error waits in status().
class ClockOutput final : public Output {
 public:
  ClockOutput(Output& outer, const WindowClockOptions& options, const LocalTime& local)
      : outer_(outer), options_(options), local_(local) {}

  void emit(Batch batch) override {
    if (options_.window_time && status_.is_ok()) status_ = add_window_time(batch);
    if (status_.is_ok()) outer_.emit(without_times(std::move(batch)));
  }
  void emit_side(int side, Batch batch) override {
    outer_.emit_side(side, without_times(std::move(batch)));
  }
  bool has_credit() const override { return outer_.has_credit(); }
  const Status& status() const { return status_; }

 private:
  Batch without_times(Batch batch) const {
    if (options_.changes_time()) batch.set_event_times(nullptr);
    return batch;
  }

  Status add_window_time(Batch& batch) const {
    const int end_column = options_.window_end_column;
    const ValueReader<std::int64_t> ends(*batch.column(end_column));
    TG_ASSIGN_OR_RETURN(auto times, ValueWriter<std::int64_t>::make(batch.num_rows()));
    const bool instants = options_.window_time->kind() == TypeKind::kTimestampLtz;
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      const EventTime last = ends[row] - 1;
      times.set(row, instants ? local_.to_utc(last) : last);
    }
    std::vector<ArrayPtr> columns = batch.columns();
    TG_ASSIGN_OR_RETURN(ArrayPtr column, times.finish(*options_.window_time));
    columns.insert(columns.begin() + end_column + 1, std::move(column));
    batch = batch.with_columns(std::move(columns));
    return Status::ok();
  }

  Output& outer_;
  const WindowClockOptions& options_;
  const LocalTime& local_;
  Status status_ = Status::ok();
};

class WindowClock final : public Operator {
 public:
  WindowClock(std::unique_ptr<WindowOperator> inner, WindowClockOptions options, LocalTime local)
      : inner_(std::move(inner)), options_(std::move(options)), local_(std::move(local)) {}

  Status open(OperatorContext& context) override {
    context_ = &context;
    rows_null_time_ = &context.metrics().counter("rows_null_time");
    // By the clock nothing has fired yet of what is restored; what is due fires at once.
    inner_context_.emplace(context, options_.processing_time
                                        ? kMinWatermark
                                        : local_.watermark_to_local(context.restored_watermark()));
    TG_RETURN_IF_ERROR(inner_->open(*inner_context_));
    request_wake();
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    if (!options_.changes_time() || (!options_.attaches_times && !options_.processing_time)) {
      return run(out, [&](Output& made) { return inner_->process(0, std::move(batch), made); });
    }
    if (!options_.processing_time) {
      TG_RETURN_IF_ERROR(attach_event_times(batch));
      return run(out, [&](Output& made) { return inner_->process(0, std::move(batch), made); });
    }
    const std::int64_t wall_ms = now();
    if (options_.attaches_times) {
      batch.set_event_times(arrow::Buffer::FromVector(std::vector<EventTime>(
          static_cast<std::size_t>(batch.num_rows()), local_.to_local(wall_ms))));
    }
    waiting_ = std::move(batch);
    return fire_due(wall_ms, out);
  }

  Result<Progress> advance(EventTime watermark, Output& out) override {
    if (options_.processing_time && watermark != kMaxWatermark) return Progress::kDone;
    const EventTime local = local_.watermark_to_local(watermark);
    return run(out, [&](Output& made) { return inner_->advance(local, made); });
  }

  Result<Progress> wake(std::int64_t wall_ms, Output& out) override {
    now_ = std::max(now_, wall_ms);
    return options_.processing_time ? fire_due(now(), out) : Result<Progress>(Progress::kDone);
  }

  Result<Progress> seal(EpochId epoch, Output& out) override {
    return run(out, [&](Output& made) { return inner_->seal(epoch, made); });
  }

  Result<Progress> finish(Output& out) override {
    return run(out, [&](Output& made) { return inner_->finish(made); });
  }

  Result<Progress> resume(Output& out) override {
    return run(out, [&](Output& made) { return inner_->resume(made); });
  }

 private:
  /// The clock, but that it never goes back.
  std::int64_t now() {
    now_ = std::max(now_, context_->clock().wall_ms());
    return now_;
  }

  /// Local times; rows without time go.
  Status attach_event_times(Batch& batch) {
    EventTimes instants;
    TG_RETURN_IF_ERROR(instants.read(batch, options_.time_column));
    std::vector<std::int32_t> kept;
    std::vector<EventTime> times;
    for (std::int32_t row = 0; row < batch.num_rows(); ++row) {
      if (instants.is_null(row)) continue;
      kept.push_back(row);
      times.push_back(local_.to_local(instants.times()[static_cast<std::size_t>(row)]));
    }
    if (std::ssize(kept) < batch.num_rows()) {
      rows_null_time_->add(batch.num_rows() - std::ssize(kept));
      TG_ASSIGN_OR_RETURN(batch, batch.take(kept));
    }
    batch.set_event_times(arrow::Buffer::FromVector(std::move(times)));
    return Status::ok();
  }

  /// By the clock: first the windows that are over, then the rows that have come.
  Result<Progress> fire_due(std::int64_t wall_ms, Output& out) {
    const EventTime local = local_.watermark_to_local(wall_ms);
    const std::optional<EventTime> due = inner_->next_due();
    if (!due || *due > local) return go_on(out);
    return run(out, [&](Output& made) { return inner_->advance(local, made); });
  }

  Result<Progress> go_on(Output& out) {
    if (!waiting_) {
      request_wake();
      return Progress::kDone;
    }
    Batch batch = *std::exchange(waiting_, std::nullopt);
    return run(out, [&](Output& made) { return inner_->process(0, std::move(batch), made); });
  }

  template <typename Call>
  Result<Progress> run(Output& out, const Call& call) {
    ClockOutput made(out, options_, local_);
    TG_ASSIGN_OR_RETURN(const Progress progress, call(made));
    TG_RETURN_IF_ERROR(made.status());
    if (progress != Progress::kDone || !options_.processing_time) return progress;
    return go_on(out);
  }

  void request_wake() {
    if (!options_.processing_time) return;
    const std::optional<EventTime> due = inner_->next_due();
    if (due) context_->request_wake_at(local_.watermark_to_utc(*due));
  }

  std::unique_ptr<WindowOperator> inner_;
  WindowClockOptions options_;
  LocalTime local_;
  OperatorContext* context_ = nullptr;
  std::optional<ClockContext> inner_context_;
  Counter* rows_null_time_ = nullptr;
  std::int64_t now_ = INT64_MIN;
  std::optional<Batch> waiting_;  // rows that have come while windows were firing
};

}  // namespace

Result<std::unique_ptr<Operator>> make_window_clock(std::unique_ptr<WindowOperator> inner,
                                                    WindowClockOptions options) {
  if (!options.is_needed()) return std::unique_ptr<Operator>(std::move(inner));
  if (options.window_time &&
      (!options.window_time->is_timestamp() || options.window_time->precision() > 3)) {
    return error(ErrorCode::kTypeMismatch,
                 "window_time is of type {}; it can be TIMESTAMP(3) or TIMESTAMP_LTZ(3)",
                 options.window_time->to_string());
  }
  TG_ASSIGN_OR_RETURN(TimeZone zone, TimeZone::find(options.time_zone));
  return std::unique_ptr<Operator>(std::make_unique<WindowClock>(
      std::move(inner), std::move(options), LocalTime(std::move(zone))));
}

}  // namespace tidegate
