// SPDX-License-Identifier: Apache-2.0
#include "operators/keyed_aggregate.h"

#include <optional>
#include <unordered_set>
#include <utility>

#include "base/check.h"
#include "base/metrics.h"
#include "operators/change_rows.h"
#include "operators/keyed_input.h"
#include "operators/unchanged_rows.h"
#include "state/ttl.h"

namespace tidegate {
namespace {

/// State: one row per key, namespace 0; the row count tells when a key is gone.
class KeyedAggregate final : public Operator {
 public:
  KeyedAggregate(KeyedAggregateOptions options, std::shared_ptr<const AccumulatorLayout> layout)
      : options_(std::move(options)),
        layout_(std::move(layout)),
        results_(options_.key_types, layout_.get(), options_.emit_keys),
        input_(options_.keys, &results_.codec()),
        update_(layout_.get()),
        row_update_(layout_.get()),
        before_(layout_.get()),
        // Both rows of an update are made, and what need not be told is left out at the end.
        changes_(layout_.get(), options_.changelog == Changelog::kAppend ? Changelog::kAppend
                                                                         : Changelog::kRetract) {}

  Status open(OperatorContext& context) override {
    StateTableSpec spec{"groups", layout_};
    spec.stamped = options_.ttl_ms > 0;
    TG_ASSIGN_OR_RETURN(groups_, context.state().table(spec));
    sweep_.emplace(groups_, kNamespace);
    ttl_.ttl_ms = options_.ttl_ms;
    clock_ = &context.clock();
    rows_not_found_ = &context.metrics().counter("rows_not_found");
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(input_.read(batch));
    if (ttl_.enabled()) sweep_->sweep(ttl_, clock_->wall_ms(), kSweepRows);
    values_.resize(static_cast<std::size_t>(batch.num_rows()));
    TG_RETURN_IF_ERROR(groups_->find_or_create(kNamespace, input_.all(), values_));
    if (ttl_.enabled()) forget_expired();
    changes_.clear();
    emptied_.clear();
    TG_RETURN_IF_ERROR(options_.per_batch ? change_per_batch(batch) : change_per_row(batch));
    const Status emitted = emit(out);
    erase_emptied();
    TG_RETURN_IF_ERROR(emitted);
    return Progress::kDone;
  }

 private:
  static constexpr std::int64_t kNamespace = 0;
  static constexpr std::size_t kSweepRows = 256;

  /// State that has gone by its age gives no -D, as in Flink: the key starts anew.
  void forget_expired() {
    const std::int64_t now = clock_->wall_ms();
    for (std::byte* value : values_) {
      if (layout_->row_count(value) > 0 && ttl_.is_expired(groups_->stamp(value), now)) {
        layout_->destroy(value);
        layout_->create_in(value);
      }
      groups_->stamp(value) = now;
    }
  }

  Status change_per_row(const Batch& batch) {
    TG_RETURN_IF_ERROR(row_update_.begin(batch));
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      std::byte* value = values_[static_cast<std::size_t>(row)];
      before_.clear();
      TG_ASSIGN_OR_RETURN(const std::byte* before, copy_before(value));
      TG_ASSIGN_OR_RETURN(const bool applied, apply_row(batch, row, value));
      if (applied) TG_RETURN_IF_ERROR(tell(batch, row, before, value));
    }
    return Status::ok();
  }

  /// Each key's result before the batch against the one after it.
  Status change_per_batch(const Batch& batch) {
    std::unordered_set<std::byte*> seen;
    std::vector<std::pair<std::int64_t, const std::byte*>> keys;  // first row of the key; before
    before_.clear();
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      std::byte* value = values_[static_cast<std::size_t>(row)];
      if (!seen.insert(value).second) continue;
      TG_ASSIGN_OR_RETURN(const std::byte* before, copy_before(value));
      keys.emplace_back(row, before);
    }
    if (batch.insert_only()) {
      TG_RETURN_IF_ERROR(update_.update(batch, values_));
    } else {
      TG_RETURN_IF_ERROR(row_update_.begin(batch));
      for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
        TG_RETURN_IF_ERROR(apply_row(batch, row, values_[static_cast<std::size_t>(row)]).status());
      }
    }
    for (const auto& [row, before] : keys) {
      TG_RETURN_IF_ERROR(tell(batch, row, before, values_[static_cast<std::size_t>(row)]));
    }
    return Status::ok();
  }

  Result<const std::byte*> copy_before(const std::byte* value) {
    if (!changes_.needs_before() || !layout_->has_rows(value)) return nullptr;
    TG_RETURN_IF_ERROR(before_.add_copy(value));
    return before_[before_.size() - 1];
  }

  /// False when there was nothing to take the row back from.
  Result<bool> apply_row(const Batch& batch, std::int64_t row, std::byte* value) {
    if (layout_->row_count(value) == 0 && !row_kind_adds(batch.row_kind(row))) {
      rows_not_found_->add(1);
      emptied_.push_back(row);
      return false;
    }
    TG_RETURN_IF_ERROR(row_update_.apply(row, value));
    return true;
  }

  Status tell(const Batch& batch, std::int64_t row, const std::byte* before,
              const std::byte* value) {
    const bool there = layout_->has_rows(value);
    if (!there) emptied_.push_back(row);
    std::optional<EventTime> time;
    if (!batch.event_times().empty()) time = batch.event_times()[static_cast<std::size_t>(row)];
    return changes_.change(input_.key(row).bytes, std::nullopt, time, before,
                           there ? value : nullptr);
  }

  Status emit(Output& out) {
    if (changes_.empty()) return Status::ok();
    TG_ASSIGN_OR_RETURN(Batch batch, results_.build(changes_.rows()));
    if (options_.changelog != Changelog::kAppend) {
      const int first_result = options_.emit_keys ? static_cast<int>(options_.keys.size()) : 0;
      // With a TTL a row that changes nothing still says that the key is alive.
      TG_ASSIGN_OR_RETURN(batch, drop_unchanged(batch, first_result, !ttl_.enabled(),
                                                options_.changelog == Changelog::kUpsert));
    }
    if (!batch.empty()) out.emit(std::move(batch));
    return Status::ok();
  }

  void erase_emptied() {
    for (std::int64_t row : emptied_) {
      std::byte* value = groups_->find(kNamespace, input_.key(row));
      if (value != nullptr && layout_->row_count(value) == 0) groups_->erase(kNamespace, value);
    }
  }

  KeyedAggregateOptions options_;
  std::shared_ptr<const AccumulatorLayout> layout_;
  KeyedResults results_;
  StateTable* groups_ = nullptr;
  StateTtl ttl_;
  std::optional<TtlSweep> sweep_;
  const Clock* clock_ = nullptr;
  Counter* rows_not_found_ = nullptr;

  // Of the current batch.
  KeyedInput input_;
  std::vector<std::byte*> values_;
  std::vector<std::int64_t> emptied_;  // rows after which their key had no rows
  AccumulatorUpdate update_;
  RowByRowUpdate row_update_;
  AccumulatorCopies before_;
  ChangeRows changes_;
};

}  // namespace

Result<std::unique_ptr<Operator>> make_keyed_aggregate(KeyedAggregateOptions options) {
  auto layout = std::make_shared<const AccumulatorLayout>(options.aggregates, true);
  if (options.retracts && !layout->can_retract()) {
    return error(ErrorCode::kInvalidPlan,
                 "the input of an aggregation holds retractions, which one of its aggregate "
                 "functions cannot take back");
  }
  return std::unique_ptr<Operator>(
      std::make_unique<KeyedAggregate>(std::move(options), std::move(layout)));
}

}  // namespace tidegate
