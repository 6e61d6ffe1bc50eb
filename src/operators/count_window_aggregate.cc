// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <utility>

#include "base/check.h"
#include "operators/change_rows.h"
#include "operators/keyed_input.h"
#include "operators/live_rows.h"
#include "operators/window_operators.h"

namespace tidegate {
namespace {

constexpr std::size_t kPieceRows = 8192;

/// Windows of `size` rows per key (0: of all rows, which fires when the input ends). A window that
/// is not full when the input ends gives nothing, as in Flink. State: namespace 0; the row count
/// tells how full the window of a key is.
class CountWindowAggregate final : public Operator, public StateReader {
 public:
  CountWindowAggregate(WindowAggregateOptions options,
                       std::shared_ptr<const AccumulatorLayout> layout)
      : options_(std::move(options)),
        size_(options_.window.count),
        layout_(std::move(layout)),
        results_(options_.key_types, layout_.get()),
        input_(options_.keys, &results_.codec()),
        row_update_(layout_.get()),
        before_(layout_.get()),
        changes_(layout_.get(), options_.changelog) {}

  Status open(OperatorContext& context) override {
    TG_ASSIGN_OR_RETURN(windows_, context.state().table({"windows", layout_}));
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(input_.read(batch));
    TG_RETURN_IF_ERROR(row_update_.begin(batch));
    values_.resize(static_cast<std::size_t>(batch.num_rows()));
    TG_RETURN_IF_ERROR(windows_->find_or_create(kNamespace, input_.all(), values_));
    changes_.clear();
    emptied_.clear();
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      TG_RETURN_IF_ERROR(add_row(batch, row));
    }
    erase_emptied();
    if (changes_.empty()) return Progress::kDone;
    TG_ASSIGN_OR_RETURN(Batch results, results_.build(changes_.rows()));
    out.emit(std::move(results));
    return Progress::kDone;
  }

  Result<Progress> finish(Output& out) override {
    if (size_ > 0 || options_.emit == Emit::kOnEveryUpdate) return Progress::kDone;
    return resume(out);
  }

  Result<Progress> resume(Output& out) override {
    std::vector<std::byte*> values(kPieceRows);
    while (const std::size_t count = windows_->next(kNamespace, cursor_, values)) {
      ResultRows rows;
      for (std::size_t i = 0; i < count; ++i) {
        if (!layout_->has_rows(values[i])) continue;
        rows.keys.push_back(windows_->key(values[i]));
        rows.values.push_back(values[i]);
      }
      // Nothing completes the window of everything but the end of time.
      if (options_.time_column < 0) rows.times.assign(rows.size(), kMaxWatermark - 1);
      TG_ASSIGN_OR_RETURN(Batch results, results_.build(rows));
      out.emit(std::move(results));
      if (!out.has_credit()) return Progress::kMore;
    }
    windows_->drop(kNamespace);
    return Progress::kDone;
  }

  Result<Batch> read_state(const StateQuery& query) override {
    TG_ASSIGN_OR_RETURN(const QueriedKeys asked, QueriedKeys::make(query, results_.codec()));
    ResultRows rows;
    rows.add(*windows_, *layout_, asked.find(*windows_, kNamespace));
    return results_.build(rows);
  }

 private:
  static constexpr std::int64_t kNamespace = 0;

  Status add_row(const Batch& batch, std::int64_t row) {
    std::byte* value = values_[static_cast<std::size_t>(row)];
    const std::byte* before = nullptr;
    const bool each = options_.emit == Emit::kOnEveryUpdate;
    if (each && changes_.needs_before() && layout_->has_rows(value)) {
      before_.clear();
      TG_RETURN_IF_ERROR(before_.add_copy(value));
      before = before_[0];
    }
    TG_RETURN_IF_ERROR(row_update_.apply(row, value));
    const bool full = size_ > 0 && layout_->row_count(value) >= size_;
    if (each || full) {
      const std::byte* after = layout_->has_rows(value) ? value : nullptr;
      std::optional<EventTime> time;
      if (!batch.event_times().empty()) time = batch.event_times()[static_cast<std::size_t>(row)];
      TG_RETURN_IF_ERROR(changes_.change(input_.key(row).bytes, std::nullopt, time, before, after));
    }
    // Emptied in place: the key may come again in this batch.
    if (full) {
      layout_->destroy(value);
      layout_->create_in(value);
      emptied_.push_back(row);
    }
    return Status::ok();
  }

  void erase_emptied() {
    for (std::int64_t row : emptied_) {
      std::byte* value = windows_->find(kNamespace, input_.key(row));
      if (value != nullptr && layout_->row_count(value) == 0) windows_->erase(kNamespace, value);
    }
  }

  WindowAggregateOptions options_;
  std::int64_t size_;
  std::shared_ptr<const AccumulatorLayout> layout_;
  KeyedResults results_;
  StateTable* windows_ = nullptr;
  RowCursor cursor_;

  // Of the current batch.
  KeyedInput input_;
  std::vector<std::byte*> values_;
  std::vector<std::int64_t> emptied_;  // rows that completed their window
  RowByRowUpdate row_update_;
  AccumulatorCopies before_;
  ChangeRows changes_;
};

}  // namespace

Result<std::unique_ptr<Operator>> make_count_window_aggregate(WindowAggregateOptions options) {
  const bool counts = options.window.kind == Window::Kind::kCount;
  if (counts && options.window.count <= 0) {
    return error(ErrorCode::kInvalidArgument,
                 "the number of rows of a count window is {}; it must be positive",
                 options.window.count);
  }
  if (!counts) options.window.count = 0;
  if (counts && options.retracts) {
    return error(ErrorCode::kInvalidPlan, "a count window cannot take rows back");
  }
  auto layout = std::make_shared<const AccumulatorLayout>(options.aggregates, true);
  return std::unique_ptr<Operator>(
      std::make_unique<CountWindowAggregate>(std::move(options), std::move(layout)));
}

}  // namespace tidegate
