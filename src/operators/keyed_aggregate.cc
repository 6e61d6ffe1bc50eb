// SPDX-License-Identifier: Apache-2.0
#include "operators/keyed_aggregate.h"

#include <arrow/array/array_base.h>
#include <arrow/buffer.h>
#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/metrics.h"
#include "operators/keyed_input.h"
#include "operators/live_rows.h"
#include "operators/partial_columns.h"
#include "operators/stepwise_update.h"
#include "operators/unchanged_rows.h"
#include "state/ttl.h"

namespace tidegate {
namespace {

/// State: one row per key, namespace 0; the row count tells when a key is gone.
class KeyedAggregate final : public Operator, public StateReader {
 public:
  KeyedAggregate(KeyedAggregateOptions options, std::shared_ptr<const AccumulatorLayout> layout)
      : options_(std::move(options)),
        layout_(std::move(layout)),
        codec_(options_.key_types),
        decodes_keys_(!std::ranges::all_of(options_.key_types, has_one_form)),
        input_(options_.keys, &codec_),
        partials_(layout_.get()),
        update_(layout_.get()),
        stepwise_(layout_.get()),
        results_(layout_.get()) {}

  Status open(OperatorContext& context) override {
    StateTableSpec spec{"groups", layout_};
    spec.stamped = options_.ttl_ms > 0;
    spec.asks_for_changes = options_.per_epoch == PerEpoch::kChanged;
    TG_ASSIGN_OR_RETURN(groups_, context.state().table(spec));
    sweep_.emplace(groups_, kNamespace);
    ttl_.ttl_ms = options_.ttl_ms;
    clock_ = &context.clock();
    rows_not_found_ = &context.metrics().counter("rows_not_found");
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    if (batch.empty()) return Progress::kDone;
    TG_RETURN_IF_ERROR(input_.read(batch));
    if (options_.merges_partials) {
      const auto first = static_cast<int>(options_.keys.size());
      TG_RETURN_IF_ERROR(read_partial_columns(*layout_, batch, first, partials_));
    }
    if (ttl_.enabled()) sweep_->sweep(ttl_, clock_->wall_ms(), kSweepRows);
    values_.resize(static_cast<std::size_t>(batch.num_rows()));
    TG_RETURN_IF_ERROR(groups_->find_or_create(kNamespace, input_.all(), values_));
    if (ttl_.enabled()) forget_expired();
    find_groups(batch);
    if (options_.per_epoch != PerEpoch::kNothing) {
      TG_RETURN_IF_ERROR(change_silently(batch));
      erase_emptied();
      return Progress::kDone;
    }
    results_.clear();
    changes_.clear();
    TG_RETURN_IF_ERROR(options_.per_batch ? change_per_batch(batch) : change_per_row(batch));
    TG_RETURN_IF_ERROR(emit(batch, out));
    erase_emptied();
    return Progress::kDone;
  }

  /// Tells the results of the epoch, when that is asked for.
  Result<Progress> seal(EpochId, Output& out) override {
    if (options_.per_epoch == PerEpoch::kNothing) return Progress::kDone;
    all_ = {};
    changed_ = {};
    if (options_.per_epoch == PerEpoch::kAll && options_.keys.empty() &&
        !groups_->has_rows(kNamespace)) {
      return emit_result_of_nothing(out);
    }
    return resume(out);
  }

  Result<Progress> resume(Output& out) override {
    told_.resize(kPieceRows);
    while (true) {
      const std::size_t count = options_.per_epoch == PerEpoch::kAll
                                    ? groups_->next(kNamespace, all_, told_)
                                    : groups_->next_dirty(kNamespace, changed_, told_);
      if (count == 0) return Progress::kDone;
      TG_RETURN_IF_ERROR(emit_results(std::span(told_).first(count), out));
      if (!out.has_credit()) return Progress::kMore;
    }
  }

  Result<Progress> finish(Output& out) override {
    // The end of the input is that of the last epoch.
    if (options_.per_epoch != PerEpoch::kNothing) return seal(0, out);
    if (!options_.emit_empty_at_end || !options_.keys.empty() || groups_->has_rows(kNamespace)) {
      return Progress::kDone;
    }
    return emit_result_of_nothing(out);
  }

  Result<Batch> read_state(const StateQuery& query) override {
    TG_ASSIGN_OR_RETURN(const QueriedKeys asked, QueriedKeys::make(query, codec_));
    std::vector<std::byte*> values = asked.find(*groups_, kNamespace);
    if (ttl_.enabled()) {
      std::erase_if(values, [&](std::byte* value) {
        return ttl_.is_expired(groups_->stamp(value), clock_->wall_ms());
      });
    }
    ResultRows rows;
    rows.add(*groups_, *layout_, values);
    return KeyedResults(options_.key_types, layout_.get(), options_.emit_keys).build(rows);
  }

 private:
  using PerEpoch = KeyedAggregateOptions::PerEpoch;
  static constexpr std::size_t kPieceRows = 8192;

  Status emit_results(std::span<std::byte* const> values, Output& out) const {
    std::vector<std::string_view> keys;
    std::vector<const std::byte*> kept;
    for (const std::byte* value : values) {
      if (layout_->row_count(value) == 0) continue;
      keys.push_back(groups_->key(value));
      kept.push_back(value);
    }
    if (kept.empty()) return Status::ok();
    std::vector<ArrayPtr> columns;
    if (options_.emit_keys) {
      TG_ASSIGN_OR_RETURN(columns, codec_.decode(keys));
    }
    TG_RETURN_IF_ERROR(layout_->results(kept, columns));
    out.emit(Batch(std::ssize(kept), std::move(columns)));
    return Status::ok();
  }

  Result<Progress> emit_result_of_nothing(Output& out) const {
    AccumulatorCopies nothing(layout_.get());
    nothing.add_empty();
    const std::byte* const values[] = {nothing[0]};
    std::vector<ArrayPtr> columns;
    TG_RETURN_IF_ERROR(layout_->results(values, columns));
    out.emit(Batch(1, std::move(columns)));
    return Progress::kDone;
  }

  static constexpr std::int64_t kNamespace = 0;
  static constexpr std::size_t kSweepRows = 256;
  static constexpr std::int32_t kNone = -1;

  /// A key of the batch.
  struct Group {
    std::byte* value = nullptr;
    std::int64_t count = 0;     // of its rows, as far as the batch has been read
    std::int32_t rows = 0;      // of the batch that count
    std::int32_t last = kNone;  // the result that was kept last; none: the key is not there
    std::int32_t first_row = kNone;
  };
  /// What a row does to the result of its key: kept results, or none.
  struct Change {
    std::int32_t row = kNone;
    std::int32_t before = kNone;
    std::int32_t after = kNone;
  };

  /// True for types whose equal values are the same, so that a key is that of any of its rows.
  static bool has_one_form(const LogicalType& type) {
    return !type.is_nested() && type.kind() != TypeKind::kFloat &&
           type.kind() != TypeKind::kDouble && type.kind() != TypeKind::kNull;
  }

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

  /// The keys of the batch, and which rows count: a row cannot be taken back from a key that is not
  /// there.
  void find_groups(const Batch& batch) {
    in_batch_.clear();
    index_.clear();
    group_of_.assign(values_.size(), kNone);
    for (std::size_t row = 0; row < values_.size(); ++row) {
      const auto [found, is_new] =
          index_.try_emplace(values_[row], static_cast<std::int32_t>(in_batch_.size()));
      if (is_new) {
        Group& group = in_batch_.emplace_back();
        group.value = values_[row];
        group.count = layout_->row_count(values_[row]);
      }
      Group& group = in_batch_[static_cast<std::size_t>(found->second)];
      const bool adds = row_kind_adds(batch.row_kind(static_cast<std::int64_t>(row)));
      if (!adds && group.count == 0) {
        rows_not_found_->add(1);
        continue;
      }
      group.count += options_.merges_partials ? layout_->row_count(partials_[row]) : adds ? 1 : -1;
      if (group.rows++ == 0) group.first_row = static_cast<std::int32_t>(row);
      group_of_[row] = found->second;
    }
  }

  bool needs_before() const { return options_.changelog != Changelog::kAppend; }

  Result<std::int32_t> keep_result(const std::byte* value) {
    if (layout_->row_count(value) == 0) return kNone;
    TG_RETURN_IF_ERROR(results_.keep(value));
    return results_.size() - 1;
  }

  Status keep_before(Group& group) {
    if (!needs_before()) return Status::ok();
    TG_ASSIGN_OR_RETURN(group.last, keep_result(group.value));
    return Status::ok();
  }

  /// Rows that are alone with their key in the batch change all at once, others one by one.
  Status change_per_row(const Batch& batch) {
    alone_.clear();
    others_.clear();
    for (std::int32_t row = 0; row < batch.num_rows(); ++row) {
      const std::int32_t group = group_of_[static_cast<std::size_t>(row)];
      if (group == kNone) continue;
      (in_batch_[static_cast<std::size_t>(group)].rows == 1 ? alone_ : others_).push_back(row);
    }
    changes_.resize(values_.size());  // one per row; those of rows that do not count stay empty
    TG_RETURN_IF_ERROR(change_alone(batch));
    return change_one_by_one(batch, /*tells=*/true);
  }

  Group& group_of(std::int32_t row) {
    return in_batch_[static_cast<std::size_t>(group_of_[static_cast<std::size_t>(row)])];
  }

  Result<Batch> rows_of(const Batch& batch, std::span<const std::int32_t> rows,
                        std::vector<std::byte*>& values) const {
    values.clear();
    for (const std::int32_t row : rows) values.push_back(values_[static_cast<std::size_t>(row)]);
    if (std::ssize(rows) == batch.num_rows()) return batch;
    return take_for_aggregates(batch, rows, layout_->aggregates());
  }

  Status change_alone(const Batch& batch) {
    if (alone_.empty()) return Status::ok();
    for (const std::int32_t row : alone_) TG_RETURN_IF_ERROR(keep_before(group_of(row)));
    TG_ASSIGN_OR_RETURN(const Batch rows, rows_of(batch, alone_, picked_));
    TG_RETURN_IF_ERROR(update_.update(rows, picked_));
    for (const std::int32_t row : alone_) {
      Group& group = group_of(row);
      TG_ASSIGN_OR_RETURN(const std::int32_t after, keep_result(group.value));
      changes_[static_cast<std::size_t>(row)] = {row, group.last, after};
    }
    return Status::ok();
  }

  Status change_one_by_one(const Batch& batch, bool tells) {
    if (others_.empty()) return Status::ok();
    TG_ASSIGN_OR_RETURN(const Batch rows, rows_of(batch, others_, picked_));
    TG_RETURN_IF_ERROR(stepwise_.begin(rows, picked_));
    for (std::size_t i = 0; i < others_.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      Group& group = group_of(others_[i]);
      if (tells && others_[i] == group.first_row) TG_RETURN_IF_ERROR(keep_before(group));
      TG_RETURN_IF_ERROR(stepwise_.apply(row, group.value));
      layout_->row_count(group.value) += row_kind_adds(rows.row_kind(row)) ? 1 : -1;
      if (layout_->row_count(group.value) == 0) stepwise_.reset(group.value);
      if (!tells) continue;
      TG_ASSIGN_OR_RETURN(const std::int32_t after, keep_result(group.value));
      changes_[static_cast<std::size_t>(others_[i])] = {others_[i], group.last, after};
      group.last = after;
    }
    return Status::ok();
  }

  Status change_silently(const Batch& batch) {
    if (options_.merges_partials) {
      for (std::size_t row = 0; row < values_.size(); ++row) {
        TG_RETURN_IF_ERROR(layout_->merge(values_[row], partials_[row]));
      }
      return Status::ok();
    }
    if (batch.insert_only()) return update_.update(batch, values_);
    others_.clear();
    for (std::int32_t row = 0; row < batch.num_rows(); ++row) {
      if (group_of_[static_cast<std::size_t>(row)] != kNone) others_.push_back(row);
    }
    return change_one_by_one(batch, /*tells=*/false);
  }

  /// Each key's result before the batch against the one after it.
  Status change_per_batch(const Batch& batch) {
    for (Group& group : in_batch_) TG_RETURN_IF_ERROR(keep_before(group));
    TG_RETURN_IF_ERROR(change_silently(batch));
    for (const Group& group : in_batch_) {
      if (group.rows == 0) continue;
      TG_ASSIGN_OR_RETURN(const std::int32_t after, keep_result(group.value));
      changes_.push_back({group.first_row, group.last, after});
    }
    return Status::ok();
  }

  // --- rows out ---

  struct OutRow {
    std::int32_t row = 0;
    std::int32_t result = kNone;
    RowKind kind = RowKind::kInsert;
  };

  void tell(const Change& change, std::span<const EntryComparison> columns) {
    if (change.before == kNone) {
      if (change.after != kNone) out_.push_back({change.row, change.after, RowKind::kInsert});
      return;
    }
    if (change.after == kNone) {
      out_.push_back({change.row, change.before, RowKind::kDelete});
      return;
    }
    // With a TTL a row that changes nothing still says that the key is alive.
    if (!ttl_.enabled() && std::ranges::all_of(columns, [&](const EntryComparison& column) {
          return column.equal(change.before, change.after);
        })) {
      return;
    }
    if (options_.changelog == Changelog::kRetract) {
      out_.push_back({change.row, change.before, RowKind::kUpdateBefore});
    }
    out_.push_back({change.row, change.after, RowKind::kUpdateAfter});
  }

  Status emit(const Batch& batch, Output& out) {
    if (changes_.empty() || results_.size() == 0) return Status::ok();
    std::vector<ArrayPtr> results;
    TG_RETURN_IF_ERROR(results_.columns(results));
    std::vector<EntryComparison> columns;
    for (const ArrayPtr& column : results) columns.emplace_back(*column);
    out_.clear();
    out_.reserve(2 * changes_.size());
    for (const Change& change : changes_) {
      if (change.row == kNone) continue;
      tell(needs_before() ? change : Change{change.row, kNone, change.after}, columns);
    }
    if (out_.empty()) return Status::ok();
    std::vector<std::int32_t> rows(out_.size());
    std::vector<std::int32_t> kept(out_.size());
    std::vector<RowKind> kinds(out_.size());
    bool inserts = true;
    for (std::size_t i = 0; i < out_.size(); ++i) {
      rows[i] = out_[i].row;
      kept[i] = out_[i].result;
      kinds[i] = out_[i].kind;
      inserts = inserts && kinds[i] == RowKind::kInsert;
    }
    std::vector<ArrayPtr> made;
    if (options_.emit_keys) {
      TG_ASSIGN_OR_RETURN(made, key_columns(batch, rows));
    }
    for (const ArrayPtr& column : results) {
      TG_ASSIGN_OR_RETURN(made.emplace_back(), take_column(column, kept));
    }
    Batch changed(std::ssize(out_), std::move(made));
    if (!inserts) changed.set_row_kinds(arrow::Buffer::FromVector(std::move(kinds)));
    if (!batch.event_times().empty()) {
      std::vector<EventTime> times(rows.size());
      for (std::size_t i = 0; i < rows.size(); ++i) {
        times[i] = batch.event_times()[static_cast<std::size_t>(rows[i])];
      }
      changed.set_event_times(arrow::Buffer::FromVector(std::move(times)));
    }
    out.emit(std::move(changed));
    return Status::ok();
  }

  Result<std::vector<ArrayPtr>> key_columns(const Batch& batch,
                                            std::span<const std::int32_t> rows) const {
    if (decodes_keys_) {
      std::vector<std::string_view> keys;
      for (const std::int32_t row : rows) keys.push_back(input_.key(row).bytes);
      return codec_.decode(keys);
    }
    std::vector<ArrayPtr> columns;
    for (const int key : options_.keys) {
      TG_ASSIGN_OR_RETURN(columns.emplace_back(), take_column(batch.column(key), rows));
    }
    return columns;
  }

  void erase_emptied() {
    for (const Group& group : in_batch_) {
      if (group.count == 0) groups_->erase(kNamespace, group.value);
    }
  }

  KeyedAggregateOptions options_;
  std::shared_ptr<const AccumulatorLayout> layout_;
  KeyCodec codec_;
  bool decodes_keys_;
  StateTable* groups_ = nullptr;
  StateTtl ttl_;
  std::optional<TtlSweep> sweep_;
  const Clock* clock_ = nullptr;
  Counter* rows_not_found_ = nullptr;

  // Of the epoch that is ending.
  RowCursor all_;
  DirtyCursor changed_;
  std::vector<std::byte*> told_;

  // Of the current batch.
  KeyedInput input_;
  std::vector<std::byte*> values_;
  std::vector<Group> in_batch_;
  boost::unordered_flat_map<std::byte*, std::int32_t> index_;  // into in_batch_
  std::vector<std::int32_t> group_of_;                         // per row; none: it does not count
  std::vector<std::int32_t> alone_;
  std::vector<std::int32_t> others_;
  std::vector<std::byte*> picked_;
  AccumulatorCopies partials_;  // per row, where the input is partial results
  AccumulatorUpdate update_;
  StepwiseUpdate stepwise_;
  KeptResults results_;
  std::vector<Change> changes_;
  std::vector<OutRow> out_;
};

}  // namespace

Result<std::unique_ptr<Operator>> make_keyed_aggregate(KeyedAggregateOptions options) {
  if (options.emit_empty_at_end && !options.keys.empty()) {
    return error(ErrorCode::kInvalidArgument,
                 "only an aggregation without keys has a result for no rows");
  }
  const bool tells_each =
      !options.per_batch && options.per_epoch == KeyedAggregateOptions::PerEpoch::kNothing;
  if (options.merges_partials && (tells_each || options.retracts)) {
    return error(ErrorCode::kInternal, "this aggregation does not take partial results");
  }
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
