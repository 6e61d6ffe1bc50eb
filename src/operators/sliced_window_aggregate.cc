// SPDX-License-Identifier: Apache-2.0
#include <arrow/array/array_base.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/metrics.h"
#include "operators/change_rows.h"
#include "operators/keyed_input.h"
#include "operators/live_rows.h"
#include "operators/partial_columns.h"
#include "operators/slice_groups.h"
#include "operators/window_merger.h"
#include "operators/window_operators.h"
#include "windows/window_time.h"

namespace tidegate {
namespace {

constexpr std::size_t kPieceRows = 8192;

/// Rows are aggregated per key and slice; windows are put together from slices when they fire.
///
/// State: one table, namespace = end of the slice. Two times say what has happened: all windows
/// with end <= fired_ have fired, and all with end <= closed_ are closed. A slice goes with the
/// last window that it is part of.
class SlicedWindowAggregate final : public WindowOperator, public StateReader {
 public:
  SlicedWindowAggregate(WindowAggregateOptions options, SlicedWindow window,
                        std::shared_ptr<const AccumulatorLayout> layout)
      : options_(std::move(options)),
        window_(window),
        layout_(std::move(layout)),
        results_(options_.key_types, layout_.get()),
        input_(options_.keys, &results_.codec()),
        groups_(window),
        update_(layout_.get()),
        row_update_(layout_.get()),
        partials_(layout_.get()),
        changes_(layout_.get(), options_.changelog),
        before_(layout_.get()),
        after_(layout_.get()) {}

  Status open(OperatorContext& context) override {
    StateTableSpec spec{"windows", layout_};
    spec.presize = true;
    TG_ASSIGN_OR_RETURN(slices_, context.state().table(spec));
    reach(context.restored_watermark());
    fired_ = due_;
    rows_late_ = &context.metrics().counter("rows_late");
    rows_null_time_ = &context.metrics().counter("rows_null_time");
    return make_merger(context.state());
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(input_.read(batch));
    const int keys = static_cast<int>(options_.keys.size());
    TG_RETURN_IF_ERROR(options_.merges_partials ? times_.read_slice_ends(batch, keys)
                                                : times_.read(batch, options_.time_column));
    groups_.split(times_);
    judge_groups();
    values_.resize(static_cast<std::size_t>(batch.num_rows()));
    TG_RETURN_IF_ERROR(find_rows());
    TG_RETURN_IF_ERROR(all_on_time_ ? add_rows(batch, values_) : add_picked_rows(batch, out));
    TG_RETURN_IF_ERROR(tell_merger());
    return Progress::kDone;
  }

  Result<Progress> advance(EventTime watermark, Output& out) override {
    reach(watermark);
    return fire(out);
  }

  Result<Progress> resume(Output& out) override { return fire(out); }

  std::optional<EventTime> next_due() const override {
    const std::optional<EventTime> end = next_window_end();
    return end && options_.emit == Emit::kOnClose ? *end + options_.grace_ms : end;
  }

  Result<Batch> read_state(const StateQuery& query) override {
    TG_ASSIGN_OR_RETURN(const QueriedKeys asked, QueriedKeys::make(query, results_.codec()));
    AccumulatorCopies memory(layout_.get());
    ResultRows rows;
    for (EventTime end : open_windows()) {
      for (const auto& [bytes, hash] : keys_of_window(end, asked)) {
        TG_ASSIGN_OR_RETURN(const std::byte* value, assemble(end, {bytes, hash}, memory));
        if (value == nullptr) continue;
        rows.keys.push_back(bytes);
        rows.values.push_back(value);
        rows.windows.push_back({window_.window_start(end), end});
      }
    }
    if (rows.size() == 0) rows.window.emplace();  // of no rows, but with its columns
    return results_.build(rows);
  }

 private:
  void reach(EventTime watermark) {
    closed_ = closed_end(watermark, options_.grace_ms);
    due_ = options_.emit == Emit::kOnClose ? closed_ : watermark;
  }

  /// What becomes of the rows of a slice.
  enum class Verdict : std::uint8_t {
    kOnTime,
    kRefires,  ///< on time, but a window of the slice has fired already
    kLate,     ///< every window of the slice is closed
    kGap,      ///< the slice is in no window
  };

  Status make_merger(StateBackend& state) {
    if (window_.is_tumbling()) {
      merger_ = make_tumbling_merger(slices_, layout_.get());
      return Status::ok();
    }
    const bool runs =
        window_.is_cumulating() || (layout_->can_subtract() && layout_->counts_rows());
    TG_ASSIGN_OR_RETURN(merger_, runs ? make_running_merger(window_, slices_, layout_.get(),
                                                            options_.retracts, state)
                                      : make_two_stack_merger(window_, slices_, layout_, state));
    return Status::ok();
  }

  // --- rows in ---

  void judge_groups() {
    verdicts_.clear();
    all_on_time_ = !times_.has_nulls();
    for (const SliceGroups::Group& group : groups_.groups()) {
      verdicts_.push_back(judge(group.slice_end));
      all_on_time_ = all_on_time_ && verdicts_.back() == Verdict::kOnTime;
    }
  }

  Verdict judge(EventTime slice_end) const {
    if (!window_.has_window(slice_end)) return Verdict::kGap;
    if (window_.last_window_end(slice_end) <= closed_) return Verdict::kLate;
    if (options_.emit == Emit::kOnEndAndLate && window_.first_window_end(slice_end) <= fired_) {
      return Verdict::kRefires;
    }
    return Verdict::kOnTime;
  }

  KeyBatch keys_of(std::size_t group) const {
    return groups_.is_one() ? input_.all() : input_.rows(groups_.groups()[group].rows);
  }

  /// Accumulators of rows that are on time, into values_.
  Status find_rows() {
    for (std::size_t g = 0; g < verdicts_.size(); ++g) {
      if (verdicts_[g] != Verdict::kOnTime) continue;
      TG_RETURN_IF_ERROR(
          slices_->find_or_create(groups_.groups()[g].slice_end, keys_of(g), values_));
    }
    return Status::ok();
  }

  Status add_rows(const Batch& batch, std::span<std::byte* const> values) {
    if (!options_.merges_partials) return update_.update(batch, values);
    const int first = static_cast<int>(options_.keys.size()) + 1;
    TG_RETURN_IF_ERROR(read_partial_columns(*layout_, batch, first, partials_));
    for (std::size_t row = 0; row < values.size(); ++row) {
      TG_RETURN_IF_ERROR(layout_->merge(values[row], partials_[row]));
    }
    return Status::ok();
  }

  Verdict verdict_of(std::int64_t row) const {
    return verdicts_[groups_.is_one() ? 0 : static_cast<std::size_t>(groups_.group_of(row))];
  }

  /// When some rows do not count, or count in a way of their own.
  Status add_picked_rows(const Batch& batch, Output& out) {
    picked_.clear();
    late_.clear();
    refiring_.clear();
    picked_values_.clear();
    for (std::int32_t row = 0; row < batch.num_rows(); ++row) {
      if (times_.is_null(row)) {
        rows_null_time_->add(1);
        continue;
      }
      const Verdict verdict = verdict_of(row);
      if (verdict == Verdict::kLate) late_.push_back(row);
      if (verdict == Verdict::kRefires) refiring_.push_back(row);
      if (verdict != Verdict::kOnTime) continue;
      picked_.push_back(row);
      picked_values_.push_back(values_[static_cast<std::size_t>(row)]);
    }
    if (!picked_.empty()) {
      TG_ASSIGN_OR_RETURN(const Batch picked, pick(batch));
      TG_RETURN_IF_ERROR(add_rows(picked, picked_values_));
    }
    if (!late_.empty()) TG_RETURN_IF_ERROR(put_aside(batch, out));
    return refiring_.empty() ? Status::ok() : refire(batch, out);
  }

  Result<Batch> pick(const Batch& batch) const {
    return options_.merges_partials ? batch.take(picked_)
                                    : take_for_aggregates(batch, picked_, layout_->aggregates());
  }

  Status put_aside(const Batch& batch, Output& out) {
    rows_late_->add(num_late_rows(batch));
    if (options_.late_output < 0) return Status::ok();
    TG_ASSIGN_OR_RETURN(Batch late, batch.take(late_));
    out.emit_side(options_.late_output, std::move(late));
    return Status::ok();
  }

  std::int64_t num_late_rows(const Batch& batch) const {
    if (!options_.merges_partials) return std::ssize(late_);
    const int column = static_cast<int>(options_.keys.size()) + 1;
    const auto* counts = batch.column(column)->data()->GetValues<std::int64_t>(1);
    std::int64_t rows = 0;
    for (std::int32_t row : late_) rows += counts[row];
    return rows;
  }

  Status tell_merger() {
    for (std::size_t g = 0; g < verdicts_.size(); ++g) {
      const bool counted = verdicts_[g] == Verdict::kOnTime || verdicts_[g] == Verdict::kRefires;
      if (counted && merger_->covers(groups_.groups()[g].slice_end)) {
        TG_RETURN_IF_ERROR(merger_->keys_changed(keys_of(g)));
      }
    }
    return Status::ok();
  }

  // --- looks into state ---

  /// The ends of windows with slices that have not closed.
  std::set<EventTime> open_windows() const {
    std::set<EventTime> ends;
    for (auto slice = slices_->first_namespace(); slice; slice = slices_->namespace_above(*slice)) {
      EventTime end = std::max(window_.first_window_end(*slice), window_.window_end_above(closed_));
      for (; end <= window_.last_window_end(*slice); end = window_.next_window_end(end)) {
        ends.insert(end);
      }
    }
    return ends;
  }

  std::map<std::string_view, std::uint64_t> keys_of_window(EventTime window_end,
                                                           const QueriedKeys& asked) const {
    std::map<std::string_view, std::uint64_t> keys;
    for (auto slice = slices_->namespace_at_or_above(window_.first_slice_end(window_end));
         slice && *slice <= window_end; slice = slices_->namespace_above(*slice)) {
      for (const std::byte* value : asked.find(*slices_, *slice)) {
        keys.emplace(slices_->key(value), slices_->hash(value));
      }
    }
    return keys;
  }

  // --- late updates ---

  /// Rows within the grace of windows that have fired: one by one, each gives a new result of each
  /// such window.
  Status refire(const Batch& batch, Output& out) {
    TG_ASSIGN_OR_RETURN(Batch rows, take_for_aggregates(batch, refiring_, layout_->aggregates()));
    TG_RETURN_IF_ERROR(row_update_.begin(rows));
    changes_.clear();
    for (std::size_t i = 0; i < refiring_.size(); ++i) {
      const std::int32_t row = refiring_[i];
      const EventTime slice_end = window_.slice_end(times_.times()[static_cast<std::size_t>(row)]);
      TG_RETURN_IF_ERROR(refire_row(static_cast<std::int64_t>(i), slice_end, input_.key(row)));
    }
    if (changes_.empty()) return Status::ok();
    TG_ASSIGN_OR_RETURN(Batch results, results_.build(changes_.rows()));
    out.emit(std::move(results));
    return Status::ok();
  }

  Status refire_row(std::int64_t i, EventTime slice_end, const StateKey& key) {
    const EventTime first =
        std::max(window_.first_window_end(slice_end), window_.window_end_above(closed_));
    const EventTime last =
        std::min(window_.last_window_end(slice_end), window_.window_end_at_or_below(fired_));
    before_.clear();
    std::vector<const std::byte*> before;
    for (EventTime end = first; end <= last && changes_.needs_before();
         end = window_.next_window_end(end)) {
      TG_ASSIGN_OR_RETURN(const std::byte* result, assemble(end, key, before_));
      before.push_back(result);
    }
    TG_ASSIGN_OR_RETURN(std::byte* const value, slices_->find_or_create(slice_end, key));
    TG_RETURN_IF_ERROR(row_update_.apply(i, value));
    after_.clear();
    std::size_t n = 0;
    for (EventTime end = first; end <= last; end = window_.next_window_end(end), ++n) {
      TG_ASSIGN_OR_RETURN(const std::byte* after, assemble(end, key, after_));
      TG_RETURN_IF_ERROR(changes_.change(key.bytes, TimeSpan{window_.window_start(end), end},
                                         attached_time(end), before.empty() ? nullptr : before[n],
                                         after));
    }
    return Status::ok();
  }

  /// The accumulators of one window of a key, made in `memory`; null when there is no row.
  Result<const std::byte*> assemble(EventTime window_end, const StateKey& key,
                                    AccumulatorCopies& memory) {
    std::byte* whole = nullptr;
    for (auto slice = slices_->namespace_at_or_above(window_.first_slice_end(window_end));
         slice && *slice <= window_end; slice = slices_->namespace_above(*slice)) {
      const std::byte* part = slices_->find(*slice, key);
      if (part == nullptr) continue;
      if (whole == nullptr) whole = memory.add_empty();
      TG_RETURN_IF_ERROR(layout_->merge(whole, part));
    }
    if (whole != nullptr && !layout_->has_rows(whole)) whole = nullptr;
    return whole;
  }

  std::optional<EventTime> attached_time(EventTime window_end) const {
    return options_.time_column < 0 ? std::optional(window_end - 1) : std::nullopt;
  }

  // --- rows out ---

  /// Fires all windows that are due, in order; goes on where it stopped for want of credit.
  Result<Progress> fire(Output& out) {
    while (true) {
      if (!firing_) {
        firing_ = next_window_end();
        if (!firing_ || *firing_ > due_) break;
        TG_RETURN_IF_ERROR(merger_->begin(*firing_));
      }
      while (true) {
        TG_ASSIGN_OR_RETURN(const bool emitted, emit_piece(out));
        if (!emitted) break;
        if (!out.has_credit()) return Progress::kMore;
      }
      TG_RETURN_IF_ERROR(merger_->end(*firing_));
      fired_ = *firing_;
      firing_.reset();
      drop_closed();
    }
    firing_.reset();
    fired_ = std::max(fired_, due_);
    drop_closed();
    return Progress::kDone;
  }

  /// The first window that has not fired and has a slice.
  std::optional<EventTime> next_window_end() const {
    for (auto slice = slices_->first_namespace(); slice; slice = slices_->namespace_above(*slice)) {
      if (window_.last_window_end(*slice) <= fired_) continue;
      return std::max(window_.first_window_end(*slice), window_.window_end_above(fired_));
    }
    return std::nullopt;
  }

  Result<bool> emit_piece(Output& out) {
    rows_.clear();
    TG_RETURN_IF_ERROR(merger_->next(kPieceRows, rows_));
    if (rows_.size() == 0) return false;
    rows_.window = TimeSpan{window_.window_start(*firing_), *firing_};
    rows_.time = attached_time(*firing_);
    TG_ASSIGN_OR_RETURN(Batch batch, results_.build(rows_));
    out.emit(std::move(batch));
    return true;
  }

  void drop_closed() {
    const EventTime done = std::min(fired_, closed_);
    for (auto slice = slices_->first_namespace(); slice && window_.last_window_end(*slice) <= done;
         slice = slices_->first_namespace()) {
      slices_->drop(*slice);
    }
  }

  WindowAggregateOptions options_;
  SlicedWindow window_;
  std::shared_ptr<const AccumulatorLayout> layout_;
  KeyedResults results_;
  StateTable* slices_ = nullptr;
  std::unique_ptr<WindowMerger> merger_;
  Counter* rows_late_ = nullptr;
  Counter* rows_null_time_ = nullptr;

  EventTime closed_ = kMinWatermark;
  EventTime fired_ = kMinWatermark;
  EventTime due_ = kMinWatermark;    // windows up to here are to fire
  std::optional<EventTime> firing_;  // the window whose rows are going out

  // Of the current batch.
  KeyedInput input_;
  EventTimes times_;
  SliceGroups groups_;
  std::vector<Verdict> verdicts_;  // per group
  bool all_on_time_ = false;
  std::vector<std::byte*> values_;
  std::vector<std::int32_t> picked_;
  std::vector<std::int32_t> late_;
  std::vector<std::int32_t> refiring_;
  std::vector<std::byte*> picked_values_;
  AccumulatorUpdate update_;
  RowByRowUpdate row_update_;
  AccumulatorCopies partials_;
  ChangeRows changes_;
  AccumulatorCopies before_;
  AccumulatorCopies after_;
  ResultRows rows_;
};

}  // namespace

Result<std::unique_ptr<WindowOperator>> make_sliced_window_aggregate(
    WindowAggregateOptions options) {
  TG_ASSIGN_OR_RETURN(const SlicedWindow window, SlicedWindow::make(options.window));
  AccumulatorLayout plain(options.aggregates, false);
  const bool subtracts = !window.is_tumbling() && !window.is_cumulating() && plain.can_subtract();
  auto layout =
      std::make_shared<const AccumulatorLayout>(options.aggregates, options.retracts || subtracts);
  return std::unique_ptr<WindowOperator>(
      std::make_unique<SlicedWindowAggregate>(std::move(options), window, std::move(layout)));
}

}  // namespace tidegate
