// SPDX-License-Identifier: Apache-2.0
#include "operators/accumulator_update.h"

#include <arrow/array/array_base.h>
#include <arrow/array/array_primitive.h>

#include <utility>

#include "base/check.h"

namespace tidegate {

bool passes_filter(const Batch& batch, const BoundAggregate& aggregate, std::int64_t row) {
  if (aggregate.filter < 0) return true;
  const auto& filter = static_cast<const arrow::BooleanArray&>(*batch.column(aggregate.filter));
  return filter.IsValid(row) && filter.Value(row);
}

Result<Batch> take_for_aggregates(const Batch& batch, std::span<const std::int32_t> rows,
                                  std::span<const BoundAggregate> aggregates) {
  TG_ASSIGN_OR_RETURN(Batch taken, batch.with_columns({}).take(rows));
  std::vector<ArrayPtr> columns(static_cast<std::size_t>(batch.num_columns()));
  const auto take = [&](int column) {
    ArrayPtr& target = columns[static_cast<std::size_t>(column)];
    if (target != nullptr) return Status::ok();
    TG_ASSIGN_OR_RETURN(target, take_column(batch.column(column), rows));
    return Status::ok();
  };
  for (const BoundAggregate& aggregate : aggregates) {
    for (int column : aggregate.arguments) TG_RETURN_IF_ERROR(take(column));
    if (aggregate.filter >= 0) TG_RETURN_IF_ERROR(take(aggregate.filter));
  }
  return taken.with_columns(std::move(columns));
}

Status AccumulatorUpdate::update(const Batch& batch, std::span<std::byte* const> values) {
  TG_DCHECK(std::ssize(values) == batch.num_rows(), "values={} rows={}", values.size(),
            batch.num_rows());
  if (layout_->counts_rows()) count_rows(batch, values);
  for (std::size_t i = 0; i < layout_->aggregates().size(); ++i) {
    TG_RETURN_IF_ERROR(update_one(i, batch, values));
  }
  return Status::ok();
}

void AccumulatorUpdate::count_rows(const Batch& batch, std::span<std::byte* const> values) const {
  if (batch.insert_only()) {
    for (std::byte* value : values) ++layout_->row_count(value);
    return;
  }
  const std::span<const RowKind> kinds = batch.row_kinds();
  for (std::size_t row = 0; row < values.size(); ++row) {
    layout_->row_count(values[row]) += row_kind_adds(kinds[row]) ? 1 : -1;
  }
}

Status AccumulatorUpdate::update_one(std::size_t i, const Batch& batch,
                                     std::span<std::byte* const> values) {
  const BoundAggregate& aggregate = layout_->aggregates()[i];
  const std::int32_t offset = layout_->offset(i);
  std::vector<ArrayPtr> arguments;
  for (int column : aggregate.arguments) arguments.push_back(batch.column(column));
  rows_.clear();
  if (aggregate.filter < 0) {
    if (offset == 0 && batch.insert_only()) return aggregate.aggregator->add(values, arguments);
    accumulators_.resize(values.size());
    for (std::size_t v = 0; v < values.size(); ++v) accumulators_[v] = values[v] + offset;
    return change(i, batch, std::move(arguments));
  }
  accumulators_.clear();
  const auto& filter = static_cast<const arrow::BooleanArray&>(*batch.column(aggregate.filter));
  for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
    if (!filter.Value(row) || filter.IsNull(row)) continue;
    rows_.push_back(static_cast<std::int32_t>(row));
    accumulators_.push_back(values[static_cast<std::size_t>(row)] + offset);
  }
  if (rows_.empty()) return Status::ok();
  for (ArrayPtr& argument : arguments) {
    TG_ASSIGN_OR_RETURN(argument, take_column(argument, rows_));
  }
  return change(i, batch, std::move(arguments));
}

bool AccumulatorUpdate::adds(const Batch& batch, std::size_t i) const {
  const auto row = rows_.empty() ? static_cast<std::int64_t>(i) : std::int64_t{rows_[i]};
  return row_kind_adds(batch.row_kind(row));
}

Status AccumulatorUpdate::change(std::size_t i, const Batch& batch,
                                 std::vector<ArrayPtr> arguments) {
  const Aggregator& aggregator = layout_->aggregator(i);
  if (batch.insert_only()) return aggregator.add(accumulators_, arguments);
  return aggregator.can_subtract() ? change_in_any_order(i, batch, arguments)
                                   : change_in_runs(i, batch, arguments);
}

Status AccumulatorUpdate::change_in_any_order(std::size_t i, const Batch& batch,
                                              const std::vector<ArrayPtr>& arguments) {
  for (const bool adding : {true, false}) {
    std::vector<std::int32_t> rows;
    std::vector<std::byte*> accumulators;
    for (std::size_t a = 0; a < accumulators_.size(); ++a) {
      if (adds(batch, a) != adding) continue;
      rows.push_back(static_cast<std::int32_t>(a));
      accumulators.push_back(accumulators_[a]);
    }
    if (rows.empty()) continue;
    std::vector<ArrayPtr> taken;
    for (const ArrayPtr& argument : arguments) {
      TG_ASSIGN_OR_RETURN(ArrayPtr column, take_column(argument, rows));
      taken.push_back(std::move(column));
    }
    const Aggregator& aggregator = layout_->aggregator(i);
    TG_RETURN_IF_ERROR(adding ? aggregator.add(accumulators, taken)
                              : aggregator.retract(accumulators, taken));
  }
  return Status::ok();
}

Status AccumulatorUpdate::change_in_runs(std::size_t i, const Batch& batch,
                                         const std::vector<ArrayPtr>& arguments) {
  const Aggregator& aggregator = layout_->aggregator(i);
  for (std::size_t begin = 0; begin < accumulators_.size();) {
    const bool adding = adds(batch, begin);
    std::size_t end = begin + 1;
    while (end < accumulators_.size() && adds(batch, end) == adding) ++end;
    std::vector<ArrayPtr> run;
    for (const ArrayPtr& argument : arguments) {
      run.push_back(argument->Slice(static_cast<std::int64_t>(begin),
                                    static_cast<std::int64_t>(end - begin)));
    }
    const std::span<std::byte* const> accumulators =
        std::span(accumulators_).subspan(begin, end - begin);
    TG_RETURN_IF_ERROR(adding ? aggregator.add(accumulators, run)
                              : aggregator.retract(accumulators, run));
    begin = end;
  }
  return Status::ok();
}

std::byte* AccumulatorCopies::operator[](std::size_t i) const {
  return blocks_[i / kPerBlock].get() +
         (i % kPerBlock) * static_cast<std::size_t>(layout_->size_bytes());
}

std::byte* AccumulatorCopies::raw(std::size_t i) {
  if (i / kPerBlock == blocks_.size()) {
    const auto bytes = kPerBlock * static_cast<std::size_t>(layout_->size_bytes());
    blocks_.push_back(std::make_unique_for_overwrite<std::byte[]>(bytes));
  }
  return (*this)[i];
}

std::byte* AccumulatorCopies::add_empty() {
  std::byte* value = raw(size_);
  layout_->create_in(value);
  ++size_;
  return value;
}

Status AccumulatorCopies::add_copy(const std::byte* value) {
  TG_RETURN_IF_ERROR(layout_->copy(value, raw(size_)));
  ++size_;
  return Status::ok();
}

void AccumulatorCopies::clear() {
  if (layout_->needs_destroy()) {
    for (std::size_t i = 0; i < size_; ++i) layout_->destroy((*this)[i]);
  }
  size_ = 0;
}

RowByRowUpdate::RowByRowUpdate(const AccumulatorLayout* layout)
    : layout_(layout), update_(layout), rows_(layout) {}

Status RowByRowUpdate::begin(const Batch& batch) {
  batch_ = batch;
  rows_.clear();
  merges_ = layout_->can_merge() && (batch.insert_only() || layout_->can_subtract());
  if (!merges_) return Status::ok();
  std::vector<std::byte*> values;
  values.reserve(static_cast<std::size_t>(batch.num_rows()));
  for (std::int64_t row = 0; row < batch.num_rows(); ++row) values.push_back(rows_.add_empty());
  Batch as_inserts = batch;
  as_inserts.set_row_kinds(nullptr);
  return update_.update(as_inserts, values);
}

Status RowByRowUpdate::apply(std::int64_t row, std::byte* value) {
  const bool adds = row_kind_adds(batch_.row_kind(row));
  if (merges_) {
    const std::byte* change = rows_[static_cast<std::size_t>(row)];
    if (adds) return layout_->merge(value, change);
    layout_->subtract(value, change);
    return Status::ok();
  }
  if (layout_->counts_rows()) layout_->row_count(value) += adds ? 1 : -1;
  for (std::size_t i = 0; i < layout_->aggregates().size(); ++i) {
    TG_RETURN_IF_ERROR(apply_alone(i, row, value));
  }
  return Status::ok();
}

Status RowByRowUpdate::apply_alone(std::size_t i, std::int64_t row, std::byte* value) {
  const BoundAggregate& aggregate = layout_->aggregates()[i];
  if (!passes_filter(batch_, aggregate, row)) return Status::ok();
  std::vector<ArrayPtr> arguments;
  for (int column : aggregate.arguments) arguments.push_back(batch_.column(column)->Slice(row, 1));
  std::byte* const accumulator[] = {value + layout_->offset(i)};
  return row_kind_adds(batch_.row_kind(row))
             ? aggregate.aggregator->add(accumulator, arguments)
             : aggregate.aggregator->retract(accumulator, arguments);
}

}  // namespace tidegate
