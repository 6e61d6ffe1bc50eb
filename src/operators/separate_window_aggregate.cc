// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/metrics.h"
#include "operators/change_rows.h"
#include "operators/keyed_input.h"
#include "operators/late_groups.h"
#include "operators/live_rows.h"
#include "operators/slice_groups.h"
#include "operators/window_merger.h"
#include "operators/window_operators.h"
#include "windows/window_time.h"

namespace tidegate {
namespace {

constexpr std::size_t kPieceRows = 8192;
constexpr std::int64_t kMostEntries = 65536;

/// Rows are aggregated into each window that they are in. State: one table, namespace = end of the
/// window. See sliced_window_aggregate.cc for fired_, closed_ and due_.
class SeparateWindowAggregate final : public WindowOperator, public StateReader {
 public:
  SeparateWindowAggregate(WindowAggregateOptions options, SlicedWindow window,
                          std::shared_ptr<const AccumulatorLayout> layout)
      : options_(std::move(options)),
        window_(window),
        layout_(std::move(layout)),
        results_(options_.key_types, layout_.get()),
        input_(options_.keys, &results_.codec()),
        groups_(window),
        update_(layout_.get()),
        row_update_(layout_.get()),
        changes_(layout_.get(), options_.changelog),
        before_(layout_.get()) {}

  Status open(OperatorContext& context) override {
    StateTableSpec spec{"windows", layout_};
    spec.presize = true;
    spec.asks_for_changes = options_.emit == Emit::kOnEpoch;
    TG_ASSIGN_OR_RETURN(windows_, context.state().table(spec));
    reach(context.restored_watermark());
    fired_ = due_;
    rows_ = make_tumbling_merger(windows_, layout_.get());
    rows_late_ = &context.metrics().counter("rows_late");
    rows_null_time_ = &context.metrics().counter("rows_null_time");
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    const std::int64_t windows_per_row = window_.windows_per_slice();
    const std::int64_t piece = std::max<std::int64_t>(1, kMostEntries / windows_per_row);
    for (std::int64_t begin = 0; begin < batch.num_rows(); begin += piece) {
      TG_RETURN_IF_ERROR(
          process_piece(batch.slice(begin, std::min(piece, batch.num_rows() - begin)), out));
    }
    return Progress::kDone;
  }

  Result<Progress> advance(EventTime watermark, Output& out) override {
    reach(watermark);
    return fire(out);
  }

  /// Emits what the epoch has changed, when that is asked for.
  Result<Progress> seal(EpochId, Output& out) override {
    late_groups_.clear();
    if (options_.emit != Emit::kOnEpoch) return Progress::kDone;
    sealing_ = windows_->first_namespace();
    changed_ = {};
    all_ = {};
    return emit_changed(out);
  }

  /// The end of the input is that of the last epoch.
  Result<Progress> finish(Output& out) override {
    return options_.keeps_all ? seal(0, out) : Progress::kDone;
  }

  Result<Progress> resume(Output& out) override { return sealing_ ? emit_changed(out) : fire(out); }

  std::optional<EventTime> next_due() const override {
    const std::optional<EventTime> end = windows_->namespace_above(fired_);
    return end && options_.emit != Emit::kOnEndAndLate ? *end + options_.grace_ms : end;
  }

  Result<Batch> read_state(const StateQuery& query) override {
    TG_ASSIGN_OR_RETURN(const QueriedKeys asked, QueriedKeys::make(query, results_.codec()));
    ResultRows rows;
    for (auto end = windows_->first_namespace(); end; end = windows_->namespace_above(*end)) {
      rows.add(*windows_, *layout_, asked.find(*windows_, *end));
      rows.windows.resize(rows.size(), {window_.window_start(*end), *end});
    }
    if (rows.size() == 0) rows.window.emplace();  // of no rows, but with its columns
    return results_.build(rows);
  }

 private:
  void reach(EventTime watermark) {
    if (options_.keeps_all) return;
    closed_ = closed_end(watermark, options_.grace_ms);
    due_ = options_.emit == Emit::kOnEndAndLate ? watermark : closed_;
  }

  /// A row in one of its windows.
  struct Entry {
    std::int32_t row;
    EventTime window_end;
    std::byte* value;
  };

  Status process_piece(const Batch& batch, Output& out) {
    TG_RETURN_IF_ERROR(input_.read(batch));
    TG_RETURN_IF_ERROR(times_.read(batch, options_.time_column));
    groups_.split(times_);
    entries_.clear();
    values_.resize(static_cast<std::size_t>(batch.num_rows()));
    late_.clear();
    for (std::size_t g = 0; g < groups_.groups().size(); ++g) TG_RETURN_IF_ERROR(enter(g, batch));
    if (times_.has_nulls()) count_null_times(batch);
    if (!late_.empty()) TG_RETURN_IF_ERROR(put_aside(batch, out));
    // Slices come one behind the other, but rows count in the order in which they came.
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
      return std::pair(a.row, a.window_end) < std::pair(b.row, b.window_end);
    });
    TG_RETURN_IF_ERROR(add_silently(batch));
    return add_and_emit(batch, out);
  }

  /// Makes the entries of a slice's rows.
  Status enter(std::size_t g, const Batch& batch) {
    const SliceGroups::Group& group = groups_.groups()[g];
    const auto each_row = [&](const auto& visit) {
      if (!groups_.is_one()) {
        for (std::int32_t row : group.rows) visit(row);
      } else {
        for (std::int32_t row = 0; row < batch.num_rows(); ++row) visit(row);
      }
    };
    if (!window_.has_window(group.slice_end)) return Status::ok();
    const EventTime last = window_.last_window_end(group.slice_end);
    if (options_.late_alone) {
      for (EventTime end = window_.first_window_end(group.slice_end);
           end <= std::min(last, closed_); end = window_.next_window_end(end)) {
        each_row([&](std::int32_t row) {
          if (late_groups_.add(input_.key(row).hash, end)) rows_late_->add(1);
        });
      }
    }
    if (last <= closed_) {
      each_row([&](std::int32_t row) { late_.push_back(row); });
      return Status::ok();
    }
    const KeyBatch keys = groups_.is_one() ? input_.all() : input_.rows(group.rows);
    for (EventTime end =
             std::max(window_.first_window_end(group.slice_end), window_.window_end_above(closed_));
         end <= last; end = window_.next_window_end(end)) {
      TG_RETURN_IF_ERROR(windows_->find_or_create(end, keys, values_));
      each_row([&](std::int32_t row) {
        entries_.push_back({row, end, values_[static_cast<std::size_t>(row)]});
      });
    }
    return Status::ok();
  }

  void count_null_times(const Batch& batch) {
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      if (times_.is_null(row)) rows_null_time_->add(1);
    }
  }

  Status put_aside(const Batch& batch, Output& out) {
    if (!options_.late_alone) rows_late_->add(std::ssize(late_));
    if (options_.late_output < 0) return Status::ok();
    std::sort(late_.begin(), late_.end());
    TG_ASSIGN_OR_RETURN(Batch late, batch.take(late_));
    out.emit_side(options_.late_output, std::move(late));
    return Status::ok();
  }

  bool emits_now(const Entry& entry) const {
    return options_.emit == Emit::kOnEveryUpdate ||
           (options_.emit == Emit::kOnEndAndLate && entry.window_end <= fired_);
  }

  Status add_silently(const Batch& batch) {
    std::vector<std::int32_t> rows;
    std::vector<std::byte*> values;
    for (const Entry& entry : entries_) {
      if (emits_now(entry)) continue;
      rows.push_back(entry.row);
      values.push_back(entry.value);
    }
    if (rows.empty()) return Status::ok();
    TG_ASSIGN_OR_RETURN(const Batch taken, take_for_aggregates(batch, rows, layout_->aggregates()));
    return update_.update(taken, values);
  }

  Status add_and_emit(const Batch& batch, Output& out) {
    changes_.clear();
    bool begun = false;
    for (const Entry& entry : entries_) {
      if (!emits_now(entry)) continue;
      if (!begun) TG_RETURN_IF_ERROR(row_update_.begin(batch));
      begun = true;
      TG_RETURN_IF_ERROR(change(entry));
    }
    if (changes_.empty()) return Status::ok();
    TG_ASSIGN_OR_RETURN(Batch results, results_.build(changes_.rows()));
    out.emit(std::move(results));
    return Status::ok();
  }

  Status change(const Entry& entry) {
    const std::byte* before = nullptr;
    if (changes_.needs_before() && layout_->has_rows(entry.value)) {
      before_.clear();
      TG_RETURN_IF_ERROR(before_.add_copy(entry.value));
      before = before_[0];
    }
    TG_RETURN_IF_ERROR(row_update_.apply(entry.row, entry.value));
    const std::byte* after = layout_->has_rows(entry.value) ? entry.value : nullptr;
    return changes_.change(
        input_.key(entry.row).bytes,
        TimeSpan{window_.window_start(entry.window_end), entry.window_end},
        options_.time_column < 0 ? std::optional(entry.window_end - 1) : std::nullopt, before,
        after);
  }

  Result<Progress> fire(Output& out) {
    while (options_.emit != Emit::kOnEveryUpdate) {
      if (!firing_) {
        firing_ = windows_->namespace_above(fired_);
        if (!firing_ || *firing_ > due_) break;
        TG_RETURN_IF_ERROR(rows_->begin(*firing_));
        changed_ = {};
      }
      while (true) {
        TG_ASSIGN_OR_RETURN(const bool emitted, emit_piece(out));
        if (!emitted) break;
        if (!out.has_credit()) return Progress::kMore;
      }
      fired_ = *firing_;
      firing_.reset();
      drop_closed();
    }
    firing_.reset();
    fired_ = std::max(fired_, due_);
    drop_closed();
    return Progress::kDone;
  }

  Result<Progress> emit_changed(Output& out) {
    while (sealing_) {
      TG_ASSIGN_OR_RETURN(const bool emitted, emit_piece_of(*sealing_, out));
      if (emitted && !out.has_credit()) return Progress::kMore;
      if (emitted) continue;
      changed_ = {};
      all_ = {};
      sealing_ = windows_->namespace_above(*sealing_);
    }
    return Progress::kDone;
  }

  Result<bool> emit_piece(Output& out) { return emit_piece_of(*firing_, out); }

  /// Rows of one window that have changed in this epoch, as updates where an earlier one told them.
  void next_changed(EventTime window_end) {
    values_.resize(kPieceRows);
    for (std::size_t count = 1; count > 0 && result_rows_.size() == 0;) {
      count = options_.keeps_all ? windows_->next(window_end, all_, values_)
                                 : windows_->next_dirty(window_end, changed_, values_);
      for (std::size_t i = 0; i < count; ++i) {
        if (!layout_->has_rows(values_[i])) continue;
        const bool updates =
            options_.changelog != Changelog::kAppend && windows_->was_sealed(values_[i]);
        result_rows_.keys.push_back(windows_->key(values_[i]));
        result_rows_.values.push_back(values_[i]);
        result_rows_.kinds.push_back(updates ? RowKind::kUpdateAfter : RowKind::kInsert);
      }
    }
  }

  Result<bool> emit_piece_of(EventTime window_end, Output& out) {
    result_rows_.clear();
    if (options_.emit == Emit::kOnEpoch) {
      next_changed(window_end);
    } else {
      TG_RETURN_IF_ERROR(rows_->next(kPieceRows, result_rows_));
    }
    if (result_rows_.size() == 0) return false;
    result_rows_.window = TimeSpan{window_.window_start(window_end), window_end};
    if (options_.time_column < 0) result_rows_.time = window_end - 1;
    TG_ASSIGN_OR_RETURN(Batch batch, results_.build(result_rows_));
    out.emit(std::move(batch));
    return true;
  }

  void drop_closed() {
    while (const auto end = windows_->first_namespace_at_or_below(std::min(fired_, closed_))) {
      windows_->drop(*end);
    }
  }

  WindowAggregateOptions options_;
  SlicedWindow window_;
  std::shared_ptr<const AccumulatorLayout> layout_;
  KeyedResults results_;
  StateTable* windows_ = nullptr;
  std::unique_ptr<WindowMerger> rows_;  // of one window
  Counter* rows_late_ = nullptr;
  Counter* rows_null_time_ = nullptr;

  EventTime closed_ = kMinWatermark;
  EventTime fired_ = kMinWatermark;
  EventTime due_ = kMinWatermark;
  std::optional<EventTime> firing_;
  std::optional<EventTime> sealing_;  // the window whose changes are going out at a seal
  DirtyCursor changed_;               // in firing_ or sealing_, when emitting what has changed
  RowCursor all_;                     // in sealing_, when emitting all

  // Of the current piece of a batch.
  KeyedInput input_;
  EventTimes times_;
  SliceGroups groups_;
  std::vector<std::byte*> values_;
  std::vector<Entry> entries_;
  std::vector<std::int32_t> late_;
  LateGroups late_groups_;  // of the epoch
  AccumulatorUpdate update_;
  RowByRowUpdate row_update_;
  ChangeRows changes_;
  AccumulatorCopies before_;
  ResultRows result_rows_;
};

}  // namespace

Result<std::unique_ptr<WindowOperator>> make_separate_window_aggregate(
    WindowAggregateOptions options) {
  TG_ASSIGN_OR_RETURN(const SlicedWindow window, SlicedWindow::make(options.window));
  const bool counts_rows = options.retracts || options.changelog != Changelog::kAppend;
  auto layout = std::make_shared<const AccumulatorLayout>(options.aggregates, counts_rows);
  return std::unique_ptr<WindowOperator>(
      std::make_unique<SeparateWindowAggregate>(std::move(options), window, std::move(layout)));
}

}  // namespace tidegate
