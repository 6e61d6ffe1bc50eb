// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/metrics.h"
#include "operators/change_rows.h"
#include "operators/event_times.h"
#include "operators/keyed_input.h"
#include "operators/late_groups.h"
#include "operators/live_rows.h"
#include "operators/session_layout.h"
#include "operators/window_operators.h"
#include "state/timer_service.h"
#include "windows/sliced_window.h"

namespace tidegate {
namespace {

constexpr std::size_t kPieceRows = 8192;

/// Session windows per key. A row opens [time, time + gap) and merges with what that overlaps or
/// touches. It is late when the window that comes out of this is closed, so a row behind the
/// watermark still counts when it reaches an open session. Since a row at the very end of a session
/// still joins it, a session is open until the watermark is past end + grace (as in Kafka Streams);
/// with `late_alone` both are judged as Spark does.
///
/// State: the open sessions of each key, and per session a timer at or before its end (`ends_`;
/// once it has fired and waits for its grace to pass: `closes_`). A timer that goes off before its
/// session's end is set anew, so that rows that extend a session need not touch timers.
class SessionWindowAggregate final : public WindowOperator, public StateReader {
 public:
  SessionWindowAggregate(WindowAggregateOptions options,
                         std::shared_ptr<const AccumulatorLayout> accumulators)
      : options_(std::move(options)),
        gap_ms_(options_.window.size.count()),
        layout_(std::make_shared<SessionLayout>(accumulators)),
        accumulators_(std::move(accumulators)),
        results_(options_.key_types, accumulators_.get()),
        input_(options_.keys, &results_.codec()),
        row_update_(accumulators_.get()),
        before_(accumulators_.get()),
        changes_(accumulators_.get(), options_.changelog) {}

  Status open(OperatorContext& context) override {
    TG_ASSIGN_OR_RETURN(sessions_, context.state().table({"sessions", layout_}));
    TG_ASSIGN_OR_RETURN(TimerService ends, TimerService::open(context.state(), "session ends"));
    TG_ASSIGN_OR_RETURN(TimerService closes, TimerService::open(context.state(), "session closes"));
    ends_.emplace(std::move(ends));
    closes_.emplace(std::move(closes));
    reach(context.restored_watermark());
    fired_ = due_;
    rows_late_ = &context.metrics().counter("rows_late");
    rows_null_time_ = &context.metrics().counter("rows_null_time");
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(input_.read(batch));
    TG_RETURN_IF_ERROR(times_.read(batch, options_.time_column));
    if (options_.gap_column >= 0) TG_RETURN_IF_ERROR(gaps_.read(batch, options_.gap_column));
    TG_RETURN_IF_ERROR(row_update_.begin(batch));
    values_.resize(static_cast<std::size_t>(batch.num_rows()));
    sessions_->find(kNamespace, input_.all(), values_);
    generation_ = sessions_->generation(kNamespace);
    changes_.clear();
    late_.clear();
    for (std::int32_t row = 0; row < batch.num_rows(); ++row) {
      if (times_.is_null(row) || gap_of(row) <= 0) {
        rows_null_time_->add(1);
      } else {
        TG_RETURN_IF_ERROR(add_row(row));
      }
    }
    if (!late_.empty()) TG_RETURN_IF_ERROR(put_aside(batch, out));
    TG_RETURN_IF_ERROR(emit_changes(out));
    TG_RETURN_IF_ERROR(sessions_->check_budget());
    return Progress::kDone;
  }

  Result<Progress> advance(EventTime watermark, Output& out) override {
    reach(watermark);
    return fire(out);
  }

  Result<Progress> resume(Output& out) override { return told_ ? tell_all(out) : fire(out); }

  /// Emits all results, when that is asked for.
  Result<Progress> seal(EpochId, Output& out) override {
    late_groups_.clear();
    if (!options_.keeps_all) return Progress::kDone;
    told_ = RowCursor();
    return tell_all(out);
  }

  /// The end of the input is that of the last epoch.
  Result<Progress> finish(Output& out) override { return seal(0, out); }

  std::optional<EventTime> next_due() const override {
    const std::optional<EventTime> end = ends_->next_time();
    const std::int64_t grace_ms = options_.emit == Emit::kOnEndAndLate ? 0 : options_.grace_ms;
    return end ? std::optional(*end + grace_ms + 1) : std::nullopt;
  }

  Result<Batch> read_state(const StateQuery& query) override {
    TG_ASSIGN_OR_RETURN(const QueriedKeys asked, QueriedKeys::make(query, results_.codec()));
    ResultRows rows;
    for (std::byte* value : asked.find(*sessions_, kNamespace)) {
      for (std::size_t i = 0; i < layout_->num_sessions(value); ++i) {
        const std::byte* accumulator = layout_->accumulator(value, i);
        if (!accumulators_->has_rows(accumulator)) continue;
        rows.keys.push_back(sessions_->key(value));
        rows.values.push_back(accumulator);
        rows.windows.push_back(layout_->span(value, i));
      }
    }
    if (rows.size() == 0) rows.window.emplace();  // of no rows, but with its columns
    return results_.build(rows);
  }

 private:
  static EventTime before(EventTime time) {
    return time == kMinWatermark || time == kMaxWatermark ? time : time - 1;
  }

  void reach(EventTime watermark) {
    if (options_.keeps_all && !options_.late_alone) return;
    const EventTime closed = closed_end(watermark, options_.grace_ms);
    closed_ = options_.late_alone ? closed : before(closed);
    if (options_.keeps_all) return;  // late rows are left out, but nothing goes
    due_ = options_.emit == Emit::kOnEndAndLate ? before(watermark) : closed_;
  }

  Result<Progress> tell_all(Output& out) {
    while (told_) {
      values_.resize(kPieceRows);
      changes_.clear();
      const std::size_t count = sessions_->next(kNamespace, *told_, values_);
      for (std::byte* value : std::span(values_).first(count)) {
        for (std::size_t i = 0; i < layout_->num_sessions(value); ++i) {
          const TimeSpan span = layout_->span(value, i);
          TG_RETURN_IF_ERROR(changes_.change(sessions_->key(value), span, attached_time(span),
                                             nullptr, layout_->accumulator(value, i)));
        }
      }
      TG_RETURN_IF_ERROR(emit_changes(out));
      if (count == 0) told_.reset();
      if (told_ && !out.has_credit()) return Progress::kMore;
    }
    return Progress::kDone;
  }

  static constexpr std::int64_t kNamespace = 0;

  // --- rows in ---

  Status add_row(std::int32_t row) {
    const EventTime time =
        std::clamp(times_.times()[static_cast<std::size_t>(row)], -kMaxEventTime, kMaxEventTime);
    TimeSpan whole{time, time + gap_of(row)};
    if (options_.late_alone && whole.end <= closed_) {
      if (late_groups_.add(input_.key(row).hash, whole.end)) rows_late_->add(1);
      late_.push_back(row);
      return Status::ok();
    }
    std::byte* value = value_of(row);
    merging_.clear();
    const std::size_t count = value == nullptr ? 0 : layout_->num_sessions(value);
    for (std::size_t i = 0; i < count; ++i) {
      if (sessions_merge(layout_->span(value, i), whole)) {
        merging_.push_back(i);
      }
    }
    if (merging_.empty()) return open_session(row, whole);
    return extend_session(row, value, whole);
  }

  std::int64_t gap_of(std::int32_t row) const {
    if (options_.gap_column < 0) return gap_ms_;
    if (gaps_.is_null(row)) return 0;
    return std::min(gaps_.times()[static_cast<std::size_t>(row)], kMaxEventTime / 4);
  }

  /// The sessions of the row's key, or null. What find() answered for the batch holds until rows
  /// move; keys that the batch itself has opened are looked up.
  std::byte* value_of(std::int32_t row) {
    std::byte* value = values_[static_cast<std::size_t>(row)];
    if (value != nullptr && generation_ == sessions_->generation(kNamespace)) return value;
    return sessions_->find(kNamespace, input_.key(row));
  }

  Status open_session(std::int32_t row, TimeSpan span) {
    if (span.end <= closed_) {
      late_.push_back(row);
      return Status::ok();
    }
    const StateKey key = input_.key(row);
    TG_ASSIGN_OR_RETURN(std::byte* const value, sessions_->find_or_create(kNamespace, key));
    const std::int64_t owned = layout_->owned_bytes(value);
    const std::size_t i = layout_->add_session(value, span);
    sessions_->count_owned(layout_->owned_bytes(value) - owned);
    TG_RETURN_IF_ERROR(row_update_.apply(row, layout_->accumulator(value, i)));
    TG_RETURN_IF_ERROR(set_timer(span.end, key));
    return emits_now(span) ? tell(row, span, nullptr, layout_->accumulator(value, i))
                           : Status::ok();
  }

  /// Joins the row and all sessions of merging_ into the earliest of them.
  Status extend_session(std::int32_t row, std::byte* value, TimeSpan whole) {
    sessions_->touch(kNamespace, value);
    std::sort(merging_.begin(), merging_.end(), [&](std::size_t a, std::size_t b) {
      return layout_->span(value, a) < layout_->span(value, b);
    });
    for (std::size_t i : merging_) {
      whole.start = std::min(whole.start, layout_->span(value, i).start);
      whole.end = std::max(whole.end, layout_->span(value, i).end);
    }
    const std::size_t kept = merging_.front();
    TG_RETURN_IF_ERROR(withdraw_results(row, value, whole));
    const TimeSpan old_span = layout_->span(value, kept);
    const bool was_out = emits_now(old_span);
    before_.clear();
    const std::byte* before = nullptr;
    if (changes_.needs_before() && was_out && old_span == whole &&
        accumulators_->has_rows(layout_->accumulator(value, kept))) {
      TG_RETURN_IF_ERROR(before_.add_copy(layout_->accumulator(value, kept)));
      before = before_[0];
    }
    TG_RETURN_IF_ERROR(merge_sessions(value));
    const std::size_t i = index_of(value, old_span.start);
    layout_->span(value, i) = whole;
    TG_RETURN_IF_ERROR(row_update_.apply(row, layout_->accumulator(value, i)));
    // A session that had fired has no timer left to fire again.
    const bool had_fired = options_.emit == Emit::kOnEndAndLate && old_span.end <= fired_;
    if (had_fired && whole.end > fired_) {
      TG_RETURN_IF_ERROR(ends_->add(whole.end, input_.key(row)));
    }
    return emits_now(whole) ? tell(row, whole, before, layout_->accumulator(value, i))
                            : Status::ok();
  }

  /// Results that were told for spans that are no more.
  Status withdraw_results(std::int32_t row, std::byte* value, TimeSpan whole) {
    if (!changes_.needs_before()) return Status::ok();
    for (std::size_t i : merging_) {
      const TimeSpan span = layout_->span(value, i);
      if (span == whole || !emits_now(span)) continue;
      TG_RETURN_IF_ERROR(tell(row, span, layout_->accumulator(value, i), nullptr));
    }
    return Status::ok();
  }

  Status merge_sessions(std::byte* value) {
    if (merging_.size() == 1) return Status::ok();
    const std::int64_t owned = layout_->owned_bytes(value);
    for (std::size_t n = 1; n < merging_.size(); ++n) {
      TG_RETURN_IF_ERROR(accumulators_->merge(layout_->accumulator(value, merging_[0]),
                                              layout_->accumulator(value, merging_[n])));
    }
    // From the highest index, since removing one moves the last to its place.
    std::vector<std::size_t> gone(merging_.begin() + 1, merging_.end());
    std::sort(gone.rbegin(), gone.rend());
    for (std::size_t i : gone) TG_RETURN_IF_ERROR(layout_->remove_session(value, i));
    sessions_->count_owned(layout_->owned_bytes(value) - owned);
    return Status::ok();
  }

  std::size_t index_of(std::byte* value, EventTime start) const {
    std::size_t i = 0;
    while (layout_->span(value, i).start != start) ++i;
    return i;
  }

  /// True when the result of such a session has been told, or is to be told with each change.
  bool emits_now(TimeSpan span) const {
    return options_.emit == Emit::kOnEveryUpdate ||
           (options_.emit == Emit::kOnEndAndLate && span.end <= fired_);
  }

  Status tell(std::int32_t row, TimeSpan span, const std::byte* before, const std::byte* after) {
    if (before != nullptr && !accumulators_->has_rows(before)) before = nullptr;
    if (after != nullptr && !accumulators_->has_rows(after)) after = nullptr;
    return changes_.change(input_.key(row).bytes, span, attached_time(span), before, after);
  }

  std::optional<EventTime> attached_time(TimeSpan span) const {
    return options_.time_column < 0 ? std::optional(span.end - 1) : std::nullopt;
  }

  Status set_timer(EventTime end, const StateKey& key) {
    const bool has_fired = options_.emit == Emit::kOnEndAndLate && end <= fired_;
    return (has_fired ? *closes_ : *ends_).add(end, key);
  }

  Status put_aside(const Batch& batch, Output& out) {
    if (!options_.late_alone) rows_late_->add(std::ssize(late_));
    if (options_.late_output < 0) return Status::ok();
    TG_ASSIGN_OR_RETURN(Batch late, batch.take(late_));
    out.emit_side(options_.late_output, std::move(late));
    return Status::ok();
  }

  // --- rows out ---

  Result<Progress> fire(Output& out) {
    changes_.clear();
    Timer timer;
    while (ends_->pop(due_, timer)) {
      TG_RETURN_IF_ERROR(end_sessions(timer));
      if (changes_.rows().size() < kPieceRows) continue;
      TG_RETURN_IF_ERROR(emit_changes(out));
      if (!out.has_credit()) return Progress::kMore;
    }
    TG_RETURN_IF_ERROR(emit_changes(out));
    fired_ = std::max(fired_, due_);
    while (closes_->pop(closed_, timer)) TG_RETURN_IF_ERROR(close_sessions(timer));
    return Progress::kDone;
  }

  /// The key's sessions that end at the timer's time fire; those that end later get a new timer.
  Status end_sessions(const Timer& timer) {
    std::byte* value = sessions_->find(kNamespace, timer.key);
    if (value == nullptr) return Status::ok();
    for (std::size_t i = layout_->num_sessions(value); i-- > 0;) {
      const TimeSpan span = layout_->span(value, i);
      if (span.end > timer.time) {
        TG_RETURN_IF_ERROR(ends_->add(span.end, timer.key));
      } else if (span.end == timer.time) {
        TG_RETURN_IF_ERROR(end_session(timer.key, value, i));
      }
    }
    return erase_if_empty(value);
  }

  Status end_session(const StateKey& key, std::byte* value, std::size_t i) {
    const TimeSpan span = layout_->span(value, i);
    std::byte* result = layout_->accumulator(value, i);
    if (options_.emit != Emit::kOnEveryUpdate && accumulators_->has_rows(result)) {
      // The key of the timer goes with its call; the row's stays until the changes are emitted.
      TG_RETURN_IF_ERROR(
          changes_.change(sessions_->key(value), span, attached_time(span), nullptr, result));
    }
    if (options_.emit == Emit::kOnEndAndLate && span.end > closed_) {
      return closes_->add(span.end, key);
    }
    return remove(value, i);
  }

  Status close_sessions(const Timer& timer) {
    std::byte* value = sessions_->find(kNamespace, timer.key);
    if (value == nullptr) return Status::ok();
    for (std::size_t i = layout_->num_sessions(value); i-- > 0;) {
      const TimeSpan span = layout_->span(value, i);
      if (span.end == timer.time) {
        TG_RETURN_IF_ERROR(remove(value, i));
      } else if (span.end > timer.time && span.end <= fired_) {
        TG_RETURN_IF_ERROR(closes_->add(span.end, timer.key));
      }
    }
    return erase_if_empty(value);
  }

  Status remove(std::byte* value, std::size_t i) {
    sessions_->touch(kNamespace, value);
    const std::int64_t owned = layout_->owned_bytes(value);
    TG_RETURN_IF_ERROR(layout_->remove_session(value, i));
    sessions_->count_owned(layout_->owned_bytes(value) - owned);
    return Status::ok();
  }

  Status erase_if_empty(std::byte* value) {
    if (layout_->num_sessions(value) == 0) sessions_->erase(kNamespace, value);
    return Status::ok();
  }

  Status emit_changes(Output& out) {
    if (changes_.empty()) return Status::ok();
    TG_ASSIGN_OR_RETURN(Batch batch, results_.build(changes_.rows()));
    changes_.clear();
    out.emit(std::move(batch));
    return Status::ok();
  }

  WindowAggregateOptions options_;
  std::int64_t gap_ms_;
  std::shared_ptr<const SessionLayout> layout_;
  std::shared_ptr<const AccumulatorLayout> accumulators_;
  KeyedResults results_;
  StateTable* sessions_ = nullptr;
  std::optional<TimerService> ends_;
  std::optional<TimerService> closes_;
  Counter* rows_late_ = nullptr;
  Counter* rows_null_time_ = nullptr;

  std::optional<RowCursor> told_;     // while all results go out at a seal
  EventTime closed_ = kMinWatermark;  // sessions that end at or before it are closed
  EventTime fired_ = kMinWatermark;   // ... have fired
  EventTime due_ = kMinWatermark;     // ... are to fire

  // Of the current batch.
  KeyedInput input_;
  EventTimes times_;
  EventTimes gaps_;  // as BIGINT; of rows with gaps of their own
  std::vector<std::byte*> values_;
  std::uint32_t generation_ = 0;
  std::vector<std::size_t> merging_;  // sessions that the current row joins
  std::vector<std::int32_t> late_;
  LateGroups late_groups_;  // of the epoch
  RowByRowUpdate row_update_;
  AccumulatorCopies before_;
  ChangeRows changes_;
};

}  // namespace

Result<std::unique_ptr<WindowOperator>> make_session_window_aggregate(
    WindowAggregateOptions options) {
  const std::int64_t gap_ms = options.window.size.count();
  if (options.gap_column < 0 && (gap_ms <= 0 || gap_ms > kMaxEventTime / 4)) {
    return error(ErrorCode::kInvalidArgument,
                 "the gap of a session window is {} ms; it must be "
                 "positive",
                 gap_ms);
  }
  const bool counts_rows = options.retracts;
  auto layout = std::make_shared<const AccumulatorLayout>(options.aggregates, counts_rows);
  if (!layout->can_merge()) {
    return Status(ErrorCode::kInvalidPlan,
                  "session windows merge, which an aggregate of this query cannot do",
                  "Give the aggregate a merge().");
  }
  return std::unique_ptr<WindowOperator>(
      std::make_unique<SessionWindowAggregate>(std::move(options), std::move(layout)));
}

}  // namespace tidegate
