// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "operators/due_rows.h"
#include "operators/group_join.h"
#include "operators/join.h"
#include "operators/key_table.h"
#include "operators/late_rows.h"
#include "operators/ordered_over.h"
#include "operators/row_keys.h"
#include "operators/row_layout.h"
#include "state/state_bytes.h"

namespace tidegate {
namespace {

/// Rows that wait for their time to be over. State "waiting", in the namespace of their time, per
/// key: a list (group_join.h) of stored rows.
class WaitingOver : public Operator {
 public:
  explicit WaitingOver(OverAggregateOptions options)
      : options_(std::move(options)),
        keys_(options_.keys, types_at(options_.keys, options_.types)),
        over_(options_) {}

  Status open(OperatorContext& context) override {
    const StateTableSpec spec{.name = "waiting",
                              .layout = std::make_shared<RowLayout>("* v:stored")};
    TG_ASSIGN_OR_RETURN(waiting_, context.state().table(spec));
    return over_.open(context);
  }

  Result<Progress> resume(Output& out) override {
    TG_ASSIGN_OR_RETURN(
        const Progress progress,
        due_.resume(
            *waiting_, [this](EventTime time) { return is_over(time, bound_); },
            [this](EventTime time) { return rows_by_key(*waiting_, time); }, over_, out,
            [this](EventTime time, const std::byte* list) { return add_list(time, list); }));
    if (progress == Progress::kDone) TG_RETURN_IF_ERROR(over_.forget(bound_));
    return progress;
  }

 protected:
  /// Stores the rows of a batch at time_of(row).
  template <typename TimeOf>
  Status store(const Batch& batch, const TimeOf& time_of) {
    TG_RETURN_IF_ERROR(keys_.read(batch));
    const StoredRowEncoder encoder(batch);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      row_.clear();
      encoder.append(row, row_);
      entry_.clear();
      append_to_list(entry_, row_);
      TG_ASSIGN_OR_RETURN(std::byte * list, waiting_->find_or_create(time_of(row), keys_[row]));
      append_bytes(*waiting_, list, entry_);
    }
    return waiting_->check_budget();
  }

  const OverAggregateOptions options_;
  StateTable* waiting_ = nullptr;
  /// Rows before it come out.
  EventTime bound_ = kMinWatermark;
  RowKeys keys_;
  OrderedOver over_;

 private:
  Status add_list(EventTime time, const std::byte* list) {
    TG_ASSIGN_OR_RETURN(const auto rows, rows_of_list(BytesLayout::view(list)));
    return over_.add(waiting_->state_key(list), time, rows);
  }

  std::string row_;
  std::string entry_;
  DueRows<> due_;
};

/// By event time: rows wait for the watermark.
class EventTimeOver final : public WaitingOver {
 public:
  using WaitingOver::WaitingOver;

  Status open(OperatorContext& context) override {
    late_rows_.emplace(context.metrics(), options_.time_column, options_.late_output);
    late_ = &context.metrics().counter("rows_late");
    return WaitingOver::open(context);
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(check_insert_only(batch));
    const bool bounded = options_.frame.preceding.has_value();
    TG_ASSIGN_OR_RETURN(
        batch, late_rows_->remove(std::move(batch), bounded ? kMinWatermark : bound_, out));
    if (bounded) {
      TG_ASSIGN_OR_RETURN(batch, remove_behind_key(std::move(batch), out));
    }
    TG_RETURN_IF_ERROR(store(batch, [&](std::int64_t row) { return late_rows_->time(row); }));
    return Progress::kDone;
  }

  Result<Progress> advance(EventTime watermark, Output& out) override {
    bound_ = watermark;
    return resume(out);
  }

 private:
  /// Where frames are bounded a row is late, as in Flink, only when its key has come as far.
  Result<Batch> remove_behind_key(Batch batch, Output& out) {
    std::vector<std::int32_t> kept;
    std::vector<std::int32_t> late;
    bool has_keys = false;
    for (std::int32_t row = 0; row < batch.num_rows(); ++row) {
      const EventTime time = late_rows_->time(row);
      bool is_late = false;
      if (time < bound_) {
        if (!std::exchange(has_keys, true)) TG_RETURN_IF_ERROR(keys_.read(batch));
        const std::optional<EventTime> last = over_.last_time(keys_[row]);
        is_late = last && time <= *last;
      }
      (is_late ? late : kept).push_back(row);
    }
    if (late.empty()) return batch;
    late_->add(std::ssize(late));
    if (options_.late_output >= 0) {
      TG_ASSIGN_OR_RETURN(Batch rows, batch.take(late));
      out.emit_side(options_.late_output, std::move(rows));
    }
    TG_ASSIGN_OR_RETURN(batch, batch.take(kept));
    return late_rows_->remove(std::move(batch), kMinWatermark, out);  // reads the times again
  }

  std::optional<LateRows> late_rows_;
  Counter* late_ = nullptr;
};

/// Intervals of processing time: the rows of a millisecond are peers, so they wait until it is
/// over.
class ClockOver final : public WaitingOver {
 public:
  using WaitingOver::WaitingOver;

  Status open(OperatorContext& context) override {
    context_ = &context;
    TG_RETURN_IF_ERROR(WaitingOver::open(context));
    if (!waiting_->empty()) context.request_wake_at(context.clock().wall_ms());
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output&) override {
    TG_RETURN_IF_ERROR(check_insert_only(batch));
    if (batch.empty()) return Progress::kDone;
    // Time never goes back, whatever the clock does.
    now_ms_ = std::max(now_ms_, context_->clock().wall_ms());
    TG_RETURN_IF_ERROR(store(batch, [&](std::int64_t) { return now_ms_; }));
    context_->request_wake_at(now_ms_ + 1);
    return Progress::kDone;
  }

  Result<Progress> wake(std::int64_t wall_ms, Output& out) override {
    bound_ = std::max(bound_, wall_ms);
    if (const auto last = waiting_->namespace_at_or_above(bound_)) {
      context_->request_wake_at(*last + 1);
    }
    return resume(out);
  }

  Result<Progress> finish(Output& out) override {
    bound_ = kMaxWatermark;
    return resume(out);
  }

 private:
  OperatorContext* context_ = nullptr;
  std::int64_t now_ms_ = INT64_MIN;
};

/// In the order of arrival.
class ArrivalOver final : public Operator {
 public:
  explicit ArrivalOver(OverAggregateOptions options)
      : options_(std::move(options)),
        keys_(options_.keys, types_at(options_.keys, options_.types)),
        over_(options_) {}

  Status open(OperatorContext& context) override { return over_.open(context); }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(check_insert_only(batch));
    TG_RETURN_IF_ERROR(keys_.read(batch));
    TG_RETURN_IF_ERROR(over_.forget(kMinWatermark));
    const StoredRowEncoder encoder(batch);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      row_.clear();
      encoder.append(row, row_);
      const std::string_view one[] = {row_};
      TG_RETURN_IF_ERROR(over_.add(keys_[row], 0, one));
      if (over_.full()) TG_RETURN_IF_ERROR(over_.flush(out));
    }
    TG_RETURN_IF_ERROR(over_.flush(out));
    return Progress::kDone;
  }

 private:
  OverAggregateOptions options_;
  RowKeys keys_;
  OrderedOver over_;
  std::string row_;
};

}  // namespace

Result<std::unique_ptr<Operator>> make_time_over(OverAggregateOptions options) {
  if (options.over == OverOrder::kEventTime) {
    return std::make_unique<EventTimeOver>(std::move(options));
  }
  if (options.frame.unit == OverFrame::Unit::kRange && options.frame.preceding) {
    return std::make_unique<ClockOver>(std::move(options));
  }
  return std::make_unique<ArrivalOver>(std::move(options));
}

}  // namespace tidegate
