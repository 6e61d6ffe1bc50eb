// SPDX-License-Identifier: Apache-2.0
#include <arrow/array/array_base.h>
#include <arrow/buffer.h>
#include <arrow/type.h>

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/metrics.h"
#include "operators/accumulator_update.h"
#include "operators/event_times.h"
#include "operators/keyed_input.h"
#include "operators/keyed_results.h"
#include "operators/late_groups.h"
#include "operators/window_operators.h"
#include "windows/window_time.h"

namespace tidegate {
namespace {

constexpr std::size_t kPieceRows = 8192;

std::vector<LogicalType> with_start(std::vector<LogicalType> key_types) {
  key_types.push_back(LogicalType::timestamp(3));
  return key_types;
}

std::vector<int> with_start(const WindowAggregateOptions& options) {
  std::vector<int> columns = options.keys;
  columns.push_back(options.window_start_column);
  return columns;
}

/// Rows are aggregated into the window that they say. State: one table, namespace = end of the
/// window, key = the keys and the window's start. The hash is that of the keys alone, so that a key
/// stays in its key group.
class AttachedWindowAggregate final : public WindowOperator {
 public:
  AttachedWindowAggregate(WindowAggregateOptions options,
                          std::shared_ptr<const AccumulatorLayout> layout)
      : options_(std::move(options)),
        layout_(std::move(layout)),
        key_codec_(options_.key_types),
        results_(with_start(options_.key_types), layout_.get()),
        input_(with_start(options_), &results_.codec()),
        update_(layout_.get()) {}

  Status open(OperatorContext& context) override {
    StateTableSpec spec{"windows", layout_};
    spec.presize = true;
    spec.asks_for_changes = options_.emit == Emit::kOnEpoch;
    TG_ASSIGN_OR_RETURN(windows_, context.state().table(spec));
    closed_ = closed_end(context.restored_watermark(), options_.grace_ms);
    rows_late_ = &context.metrics().counter("rows_late");
    rows_null_time_ = &context.metrics().counter("rows_null_time");
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(check_types(batch));
    TG_RETURN_IF_ERROR(ends_.read(batch, options_.window_end_column));
    split(batch);
    if (!late_.empty() && !options_.late_alone) TG_RETURN_IF_ERROR(put_aside(batch, out));
    if (kept_.empty() && !options_.late_alone) return Progress::kDone;
    TG_RETURN_IF_ERROR(hash_keys_of(batch));
    TG_RETURN_IF_ERROR(input_.read(batch));
    if (options_.late_alone) {
      count_late_groups();
      if (!late_.empty()) TG_RETURN_IF_ERROR(put_aside(batch, out));
      if (kept_.empty()) return Progress::kDone;
    }
    values_.resize(static_cast<std::size_t>(batch.num_rows()));
    for (const auto& [end, group] : group_of_end_) {
      const std::vector<std::int32_t>& rows = groups_[group];
      const bool all = std::ssize(rows) == batch.num_rows();
      TG_RETURN_IF_ERROR(
          windows_->find_or_create(end, all ? input_.all() : input_.rows(rows), values_));
    }
    if (std::ssize(kept_) == batch.num_rows()) {
      TG_RETURN_IF_ERROR(update_.update(batch, values_));
      return Progress::kDone;
    }
    std::vector<std::byte*> picked;
    for (const std::int32_t row : kept_) picked.push_back(values_[static_cast<std::size_t>(row)]);
    TG_ASSIGN_OR_RETURN(const Batch rows, take_for_aggregates(batch, kept_, layout_->aggregates()));
    TG_RETURN_IF_ERROR(update_.update(rows, picked));
    return Progress::kDone;
  }

  Result<Progress> advance(EventTime watermark, Output& out) override {
    closed_ = closed_end(watermark, options_.grace_ms);
    return resume(out);
  }

  Result<Progress> resume(Output& out) override {
    if (sealing_) return emit_changed(out);
    while (const auto end = windows_->first_namespace_at_or_below(closed_)) {
      while (true) {
        TG_ASSIGN_OR_RETURN(const bool emitted, emit_piece(*end, out));
        if (!emitted) break;
        if (!out.has_credit()) return Progress::kMore;
      }
      windows_->drop(*end);
      cursor_ = {};
      changed_ = {};
    }
    return Progress::kDone;
  }

  /// Emits what the epoch has changed, when that is asked for.
  Result<Progress> seal(EpochId, Output& out) override {
    late_groups_.clear();
    if (options_.emit != Emit::kOnEpoch) return Progress::kDone;
    sealing_ = windows_->first_namespace();
    changed_ = {};
    return emit_changed(out);
  }

  std::optional<EventTime> next_due() const override {
    const std::optional<EventTime> end = windows_->first_namespace();
    return end ? std::optional(*end + options_.grace_ms) : std::nullopt;
  }

 private:
  Status check_types(const Batch& batch) const {
    const std::shared_ptr<arrow::DataType> expected = LogicalType::timestamp(3).arrow_type();
    for (const int column : {options_.window_start_column, options_.window_end_column}) {
      const arrow::DataType& type = *batch.column(column)->type();
      if (type.Equals(*expected)) continue;
      return error(ErrorCode::kTypeMismatch,
                   "the start and end of a window are TIMESTAMP(3); column {} is {}", column,
                   type.ToString());
    }
    return Status::ok();
  }

  /// The rows of each window's end, and those that count in none.
  void split(const Batch& batch) {
    group_of_end_.clear();
    kept_.clear();
    late_.clear();
    const arrow::Array& starts = *batch.column(options_.window_start_column);
    std::optional<EventTime> last_end;
    std::size_t group = 0;
    for (std::int32_t row = 0; row < batch.num_rows(); ++row) {
      if (ends_.is_null(row) || starts.IsNull(row)) {
        rows_null_time_->add(1);
        continue;
      }
      const EventTime end = ends_.times()[static_cast<std::size_t>(row)];
      if (end <= closed_) {
        late_.push_back(row);
        continue;
      }
      if (last_end != end) group = group_of(end);
      last_end = end;
      groups_[group].push_back(row);
      kept_.push_back(row);
    }
  }

  std::size_t group_of(EventTime end) {
    const auto [found, is_new] = group_of_end_.try_emplace(end, group_of_end_.size());
    if (is_new) {
      if (groups_.size() < group_of_end_.size()) groups_.emplace_back();
      groups_[found->second].clear();
    }
    return found->second;
  }

  void count_late_groups() {
    for (const std::int32_t row : late_) {
      const EventTime end = ends_.times()[static_cast<std::size_t>(row)];
      if (late_groups_.add(input_.key(row).hash, end)) rows_late_->add(1);
    }
  }

  Status put_aside(const Batch& batch, Output& out) {
    if (!options_.late_alone) rows_late_->add(std::ssize(late_));
    if (options_.late_output < 0) return Status::ok();
    TG_ASSIGN_OR_RETURN(Batch late, batch.take(late_));
    out.emit_side(options_.late_output, std::move(late));
    return Status::ok();
  }

  Status hash_keys_of(Batch& batch) {
    if (!batch.key_hashes().empty()) return Status::ok();
    std::vector<ArrayPtr> columns;
    for (const int key : options_.keys) columns.push_back(batch.column(key));
    TG_RETURN_IF_ERROR(key_codec_.encode(columns, batch.num_rows(), keys_));
    std::vector<std::uint64_t> hashes(static_cast<std::size_t>(batch.num_rows()));
    hash_keys(keys_, hashes);
    batch.set_key_hashes(arrow::Buffer::FromVector(std::move(hashes)));
    return Status::ok();
  }

  Result<Progress> emit_changed(Output& out) {
    while (sealing_) {
      TG_ASSIGN_OR_RETURN(const bool emitted, emit_piece(*sealing_, out));
      if (emitted && !out.has_credit()) return Progress::kMore;
      if (emitted) continue;
      changed_ = {};
      sealing_ = windows_->namespace_above(*sealing_);
    }
    return Progress::kDone;
  }

  Result<bool> emit_piece(EventTime end, Output& out) {
    rows_.clear();
    values_.resize(kPieceRows);
    while (rows_.size() == 0) {
      const std::size_t count = options_.emit == Emit::kOnEpoch
                                    ? windows_->next_dirty(end, changed_, values_)
                                    : windows_->next(end, cursor_, values_);
      if (count == 0) return false;
      rows_.add(*windows_, *layout_, std::span(values_).first(count));
    }
    rows_.window = TimeSpan{end, end};
    TG_ASSIGN_OR_RETURN(Batch batch, results_.build(rows_));
    // The start came with the key; the one that was built of the window goes.
    std::vector<ArrayPtr> columns = batch.columns();
    columns.erase(columns.begin() + std::ssize(options_.keys) + 1);
    out.emit(batch.with_columns(std::move(columns)));
    return true;
  }

  WindowAggregateOptions options_;
  std::shared_ptr<const AccumulatorLayout> layout_;
  KeyCodec key_codec_;
  KeyedResults results_;
  StateTable* windows_ = nullptr;
  Counter* rows_late_ = nullptr;
  Counter* rows_null_time_ = nullptr;

  EventTime closed_ = kMinWatermark;  // windows that end at or before it are closed
  RowCursor cursor_;                  // in the window that is going out
  std::optional<EventTime> sealing_;  // the window whose changes are going out at a seal
  DirtyCursor changed_;               // in the window whose changes are going out
  ResultRows rows_;

  // Of the current batch.
  EventTimes ends_;
  EncodedKeys keys_;
  KeyedInput input_;
  std::unordered_map<EventTime, std::size_t> group_of_end_;
  std::vector<std::vector<std::int32_t>> groups_;
  std::vector<std::int32_t> kept_;
  std::vector<std::int32_t> late_;
  LateGroups late_groups_;  // of the epoch
  std::vector<std::byte*> values_;
  AccumulatorUpdate update_;
};

}  // namespace

Result<std::unique_ptr<WindowOperator>> make_attached_window_aggregate(
    WindowAggregateOptions options) {
  auto layout = std::make_shared<const AccumulatorLayout>(options.aggregates, options.retracts);
  return std::unique_ptr<WindowOperator>(
      std::make_unique<AttachedWindowAggregate>(std::move(options), std::move(layout)));
}

}  // namespace tidegate
