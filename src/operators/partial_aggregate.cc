// SPDX-License-Identifier: Apache-2.0
#include "operators/partial_aggregate.h"

#include <arrow/array/array_primitive.h>
#include <arrow/buffer.h>

#include <optional>
#include <utility>

#include "base/check.h"
#include "base/metrics.h"
#include "operators/keyed_input.h"
#include "operators/partial_columns.h"
#include "operators/slice_groups.h"
#include "operators/window_aggregate.h"
#include "types/arrow_status.h"

namespace tidegate {
namespace {

constexpr std::size_t kPieceRows = 8192;
// Passing rows on is right when at least this many of 10 rows were groups of their own; it is tried
// again after some rows.
constexpr std::int64_t kTooManyGroupsOfTen = 7;
constexpr std::int64_t kEnoughRows = 4 * kPieceRows;
constexpr std::int64_t kRowsToPassOn = 100 * kPieceRows;

class PartialAggregate final : public Operator {
 public:
  PartialAggregate(PartialAggregateOptions options, SlicedWindow window,
                   std::shared_ptr<const AccumulatorLayout> layout)
      : options_(std::move(options)),
        window_(window),
        grain_(window_time_grain(options_.window, options_.grace_ms, Emit::kOnClose)),
        layout_(std::move(layout)),
        codec_(options_.key_types),
        input_(options_.keys, &codec_),
        groups_(window),
        update_(layout_.get()),
        passed_on_(layout_.get()) {
    StateTableSpec spec{"partial", layout_};
    spec.transient = true;
    spec.presize = true;
    table_.emplace(std::move(spec), KeyGroupRange{}, &memory_);
  }

  Status open(OperatorContext& context) override {
    rows_null_time_ = &context.metrics().counter("rows_null_time");
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(input_.read(batch));
    TG_RETURN_IF_ERROR(times_.read(batch, options_.time_column));
    groups_.split(times_);
    TG_RETURN_IF_ERROR(pick_rows(batch));
    if (picked_.empty() && !all_picked_) return Progress::kDone;
    if (to_pass_on_ > 0) {
      to_pass_on_ -= batch.num_rows();
      TG_RETURN_IF_ERROR(pass_on(batch, out));
      return Progress::kDone;
    }
    TG_RETURN_IF_ERROR(add(batch));
    if (memory_.used_bytes() <= options_.max_bytes) return Progress::kDone;
    return flush(out);
  }

  Result<Progress> advance(EventTime watermark, Output& out) override {
    const EventTime point = grain_.floor(watermark);
    if (point == last_point_) return Progress::kDone;
    last_point_ = point;
    return flush(out);
  }
  Result<Progress> seal(EpochId, Output& out) override { return flush(out); }
  Result<Progress> finish(Output& out) override { return flush(out); }
  Result<Progress> resume(Output& out) override { return flush(out); }

 private:
  /// Leaves out rows that are in no window.
  Status pick_rows(const Batch& batch) {
    picked_.clear();
    all_picked_ = !times_.has_nulls();
    for (const SliceGroups::Group& group : groups_.groups()) {
      all_picked_ = all_picked_ && window_.has_window(group.slice_end);
    }
    if (all_picked_) return Status::ok();
    for (std::int32_t row = 0; row < batch.num_rows(); ++row) {
      if (times_.is_null(row)) {
        rows_null_time_->add(1);
      } else if (window_.has_window(slice_of(row))) {
        picked_.push_back(row);
      }
    }
    return Status::ok();
  }

  EventTime slice_of(std::int32_t row) const {
    const auto group = groups_.is_one() ? 0 : static_cast<std::size_t>(groups_.group_of(row));
    return groups_.groups()[group].slice_end;
  }

  Status add(const Batch& batch) {
    rows_in_ += batch.num_rows();
    values_.resize(static_cast<std::size_t>(batch.num_rows()));
    for (const SliceGroups::Group& group : groups_.groups()) {
      if (!window_.has_window(group.slice_end)) continue;
      const KeyBatch keys = groups_.is_one() ? input_.all() : input_.rows(group.rows);
      TG_RETURN_IF_ERROR(table_->find_or_create(group.slice_end, keys, values_));
    }
    if (all_picked_) return update_.update(batch, values_);
    TG_ASSIGN_OR_RETURN(const Batch rows,
                        take_for_aggregates(batch, picked_, layout_->aggregates()));
    std::vector<std::byte*> values;
    for (std::int32_t row : picked_) values.push_back(values_[static_cast<std::size_t>(row)]);
    return update_.update(rows, values);
  }

  /// Each row as a group of one.
  Status pass_on(const Batch& batch, Output& out) {
    Batch rows = batch;
    if (all_picked_) {
      for (std::int32_t row = 0; row < batch.num_rows(); ++row) picked_.push_back(row);
    } else {
      TG_ASSIGN_OR_RETURN(rows, take_for_aggregates(batch, picked_, layout_->aggregates()));
    }
    passed_on_.clear();
    std::vector<std::byte*> values;
    std::vector<EventTime> slice_ends;
    std::vector<std::string_view> keys;
    for (std::int32_t row : picked_) {
      values.push_back(passed_on_.add_empty());
      slice_ends.push_back(slice_of(row));
      keys.push_back(input_.key(row).bytes);
    }
    TG_RETURN_IF_ERROR(update_.update(rows, values));
    return emit(keys, slice_ends, {values.begin(), values.end()}, out);
  }

  Status emit(const std::vector<std::string_view>& keys, const std::vector<EventTime>& slice_ends,
              const std::vector<const std::byte*>& values, Output& out) {
    TG_ASSIGN_OR_RETURN(std::vector<ArrayPtr> columns, codec_.decode(keys));
    const auto rows = static_cast<std::int64_t>(keys.size());
    TG_ASSIGN_ARROW_OR_RETURN(
        std::shared_ptr<arrow::Buffer> ends,
        arrow::AllocateBuffer(rows * static_cast<std::int64_t>(sizeof(EventTime))),
        "allocate partial results");
    std::copy(slice_ends.begin(), slice_ends.end(), ends->mutable_data_as<EventTime>());
    columns.push_back(std::make_shared<arrow::Int64Array>(rows, std::move(ends)));
    TG_RETURN_IF_ERROR(write_partial_columns(*layout_, values, columns));
    out.emit(Batch(rows, std::move(columns)));
    return Status::ok();
  }

  /// Everything goes out, slice by slice; goes on where it stopped for want of credit.
  Result<Progress> flush(Output& out) {
    std::vector<std::byte*> piece(kPieceRows);
    while (const auto slice = table_->first_namespace()) {
      while (const std::size_t count = table_->next(*slice, cursor_, piece)) {
        std::vector<std::string_view> keys;
        for (std::size_t i = 0; i < count; ++i) keys.push_back(table_->key(piece[i]));
        TG_RETURN_IF_ERROR(emit(keys, std::vector<EventTime>(count, *slice),
                                {piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(count)},
                                out));
        rows_out_ += static_cast<std::int64_t>(count);
        if (!out.has_credit()) return Progress::kMore;
      }
      table_->drop(*slice);
      cursor_ = {};
    }
    decide_whether_to_pass_on();
    return Progress::kDone;
  }

  void decide_whether_to_pass_on() {
    if (rows_in_ < kEnoughRows) return;
    if (rows_out_ * 10 > rows_in_ * kTooManyGroupsOfTen) to_pass_on_ = kRowsToPassOn;
    rows_in_ = rows_out_ = 0;
  }

  PartialAggregateOptions options_;
  SlicedWindow window_;
  TimeGrain grain_;
  std::shared_ptr<const AccumulatorLayout> layout_;
  KeyCodec codec_;
  StateMemory memory_;
  std::optional<StateTable> table_;  // namespace = end of the slice
  Counter* rows_null_time_ = nullptr;
  EventTime last_point_ = kMinWatermark;
  RowCursor cursor_;  // of a flush that stopped

  std::int64_t rows_in_ = 0;  // since it was last decided whether this is worth it
  std::int64_t rows_out_ = 0;
  std::int64_t to_pass_on_ = 0;

  // Of the current batch.
  KeyedInput input_;
  EventTimes times_;
  SliceGroups groups_;
  std::vector<std::int32_t> picked_;
  bool all_picked_ = false;
  std::vector<std::byte*> values_;
  AccumulatorUpdate update_;
  AccumulatorCopies passed_on_;
};

}  // namespace

Result<std::unique_ptr<Operator>> make_partial_aggregate(PartialAggregateOptions options) {
  TG_ASSIGN_OR_RETURN(const SlicedWindow window, SlicedWindow::make(options.window));
  auto layout = std::make_shared<const AccumulatorLayout>(options.aggregates, true);
  return std::unique_ptr<Operator>(
      std::make_unique<PartialAggregate>(std::move(options), window, std::move(layout)));
}

std::vector<LogicalType> partial_output_types(const PartialAggregateOptions& options) {
  std::vector<LogicalType> types = options.key_types;
  types.emplace_back(TypeKind::kBigInt, false);
  const std::vector<LogicalType> accumulators = partial_column_types(options.aggregates);
  types.insert(types.end(), accumulators.begin(), accumulators.end());
  return types;
}

}  // namespace tidegate
