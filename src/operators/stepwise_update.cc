// SPDX-License-Identifier: Apache-2.0
#include "operators/stepwise_update.h"

#include <arrow/array/array_base.h>
#include <arrow/array/array_nested.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "expr/distinct_aggregate.h"
#include "types/arrow_status.h"

namespace tidegate {
namespace {

constexpr std::size_t kWord = sizeof(std::uint64_t);

std::size_t in_words(std::int32_t bytes) {
  return (static_cast<std::size_t>(bytes) + kWord - 1) / kWord;
}

/// One value that owns its bytes (MAX of strings): copies are cheaper than a result, or an update,
/// of one row. With what can be retracted a copy may be of all rows that there were.
bool copies_cheaply(const Aggregator& aggregator) {
  return aggregator.needs_destroy() && aggregator.is_relocatable() && aggregator.can_merge() &&
         !aggregator.can_retract();
}

}  // namespace

StepwiseUpdate::StepwiseUpdate(const AccumulatorLayout* layout) : layout_(layout) {
  for (const BoundAggregate& aggregate : layout_->aggregates()) {
    distinct_.push_back(DistinctParts::of(*aggregate.aggregator));
  }
}

StepwiseUpdate::Step StepwiseUpdate::plan(std::size_t i, const Batch& batch) const {
  Step step;
  const DistinctParts* parts = distinct_[i];
  step.aggregator = parts == nullptr ? &layout_->aggregator(i) : &parts->inner();
  step.offset = layout_->offset(i) + (parts == nullptr ? 0 : parts->inner_offset());
  const bool plain = !step.aggregator->needs_destroy() && step.aggregator->can_merge() &&
                     (batch.insert_only() || step.aggregator->can_subtract());
  const bool owns = parts == nullptr && batch.insert_only() && copies_cheaply(*step.aggregator);
  if (plain || owns) step.way = parts == nullptr ? Way::kMerge : Way::kDistinct;
  return step;
}

Status StepwiseUpdate::begin(const Batch& batch, std::span<std::byte* const> values) {
  forget_rows();
  batch_ = batch;
  steps_.clear();
  std::size_t words = 0;
  for (std::size_t i = 0; i < distinct_.size(); ++i) {
    Step step = plan(i, batch);
    step.row_offset = words * kWord;
    if (step.way != Way::kAlone) words += in_words(step.aggregator->size_bytes());
    steps_.push_back(std::move(step));
  }
  row_bytes_ = words * kWord;
  rows_.assign(words * static_cast<std::size_t>(batch.num_rows()), 0);
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (steps_[i].way != Way::kAlone) TG_RETURN_IF_ERROR(prepare(i, batch, values));
  }
  return Status::ok();
}

Status StepwiseUpdate::prepare(std::size_t i, const Batch& batch,
                               std::span<std::byte* const> values) {
  const BoundAggregate& aggregate = layout_->aggregates()[i];
  Step& step = steps_[i];
  step.steps.assign(static_cast<std::size_t>(batch.num_rows()), 0);
  std::vector<std::int32_t> rows;
  for (std::int32_t row = 0; row < batch.num_rows(); ++row) {
    if (!passes_filter(batch, aggregate, row)) continue;
    rows.push_back(row);
    step.steps[static_cast<std::size_t>(row)] = row_kind_adds(batch.row_kind(row)) ? 1 : -1;
  }
  std::vector<ArrayPtr> arguments;
  for (const int column : aggregate.arguments) {
    ArrayPtr& argument = arguments.emplace_back(batch.column(column));
    if (std::ssize(rows) == batch.num_rows()) continue;
    TG_ASSIGN_OR_RETURN(argument, take_column(argument, rows));
  }
  if (step.way == Way::kDistinct) {
    std::vector<std::byte*> sets;
    std::vector<std::int8_t> by;
    for (const std::int32_t row : rows) {
      sets.push_back(values[static_cast<std::size_t>(row)] + layout_->offset(i));
      by.push_back(step.steps[static_cast<std::size_t>(row)]);
    }
    std::vector<std::int8_t> inner(rows.size());
    TG_RETURN_IF_ERROR(distinct_[i]->count(sets, arguments, by, inner));
    for (std::size_t r = 0; r < rows.size(); ++r) {
      step.steps[static_cast<std::size_t>(rows[r])] = inner[r];
    }
  }
  std::vector<std::byte*> accumulators;
  for (const std::int32_t row : rows) {
    std::byte* accumulator = reinterpret_cast<std::byte*>(rows_.data()) +
                             static_cast<std::size_t>(row) * row_bytes_ + step.row_offset;
    if (step.aggregator->needs_create()) step.aggregator->create(accumulator);
    if (step.aggregator->needs_destroy()) owners_.emplace_back(step.aggregator, accumulator);
    accumulators.push_back(accumulator);
  }
  return rows.empty() ? Status::ok() : step.aggregator->add(accumulators, arguments);
}

void StepwiseUpdate::forget_rows() {
  for (const auto& [aggregator, accumulator] : owners_) aggregator->destroy(accumulator);
  owners_.clear();
}

Status StepwiseUpdate::apply(std::int64_t row, std::byte* value) {
  const std::byte* own =
      reinterpret_cast<const std::byte*>(rows_.data()) + static_cast<std::size_t>(row) * row_bytes_;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    if (step.way == Way::kAlone) {
      TG_RETURN_IF_ERROR(apply_alone(i, row, value));
      continue;
    }
    const std::int8_t by = step.steps[static_cast<std::size_t>(row)];
    if (by > 0) {
      TG_RETURN_IF_ERROR(step.aggregator->merge(value + step.offset, own + step.row_offset));
    } else if (by < 0) {
      step.aggregator->subtract(value + step.offset, own + step.row_offset);
    }
  }
  return Status::ok();
}

void StepwiseUpdate::reset(std::byte* value) const {
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const bool alone = steps_[i].way == Way::kAlone;
    const Aggregator& aggregator = alone ? layout_->aggregator(i) : *steps_[i].aggregator;
    std::byte* accumulator = value + (alone ? layout_->offset(i) : steps_[i].offset);
    if (aggregator.needs_destroy()) aggregator.destroy(accumulator);
    std::memset(accumulator, 0, static_cast<std::size_t>(aggregator.size_bytes()));
    if (aggregator.needs_create()) aggregator.create(accumulator);
  }
}

Status StepwiseUpdate::apply_alone(std::size_t i, std::int64_t row, std::byte* value) {
  const BoundAggregate& aggregate = layout_->aggregates()[i];
  if (!passes_filter(batch_, aggregate, row)) return Status::ok();
  std::vector<ArrayPtr> arguments;
  for (const int column : aggregate.arguments) {
    arguments.push_back(batch_.column(column)->Slice(row, 1));
  }
  std::byte* const accumulator[] = {value + layout_->offset(i)};
  return row_kind_adds(batch_.row_kind(row))
             ? aggregate.aggregator->add(accumulator, arguments)
             : aggregate.aggregator->retract(accumulator, arguments);
}

KeptResults::KeptResults(const AccumulatorLayout* layout)
    : layout_(layout), bytes_(in_words(layout->size_bytes()) * kWord) {
  for (const BoundAggregate& aggregate : layout_->aggregates()) {
    const DistinctParts* parts = DistinctParts::of(*aggregate.aggregator);
    // The result of DISTINCT is that of the aggregator behind the set.
    const Aggregator& read = parts == nullptr ? *aggregate.aggregator : parts->inner();
    Kept& kept = kept_.emplace_back();
    kept.words = in_words(read.size_bytes());
    if (!read.needs_destroy()) {
      kept.way = Way::kBytes;
    } else if (parts == nullptr && copies_cheaply(read)) {
      kept.way = Way::kCopy;
    }
  }
}

void KeptResults::clear() {
  size_ = 0;
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    Kept& kept = kept_[i];
    for (std::size_t at = 0; at < kept.copies.size(); at += kept.words) {
      layout_->aggregator(i).destroy(reinterpret_cast<std::byte*>(kept.copies.data() + at));
    }
    kept.copies.clear();
    kept.results.clear();
  }
}

Status KeptResults::keep_copy(std::size_t i, const std::byte* accumulator) {
  const Aggregator& aggregator = layout_->aggregator(i);
  std::vector<std::uint64_t>& copies = kept_[i].copies;
  copies.resize(copies.size() + kept_[i].words);
  auto* copy = reinterpret_cast<std::byte*>(copies.data() + copies.size() - kept_[i].words);
  if (aggregator.needs_create()) aggregator.create(copy);
  return aggregator.merge(copy, accumulator);
}

Status KeptResults::keep(const std::byte* value) {
  const std::size_t begin = size_ * bytes_ / kWord;
  if (snapshots_.size() < begin + bytes_ / kWord) {
    snapshots_.resize(std::max<std::size_t>(2 * snapshots_.size(), begin + bytes_ / kWord));
  }
  std::memcpy(snapshots_.data() + begin, value, static_cast<std::size_t>(layout_->size_bytes()));
  ++size_;
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    const std::byte* const accumulator[] = {value + layout_->offset(i)};
    if (kept_[i].way == Way::kCopy) TG_RETURN_IF_ERROR(keep_copy(i, accumulator[0]));
    if (kept_[i].way != Way::kResult) continue;
    TG_ASSIGN_OR_RETURN(kept_[i].results.emplace_back(),
                        layout_->aggregator(i).result(accumulator));
  }
  return Status::ok();
}

Status KeptResults::columns(std::vector<ArrayPtr>& columns) const {
  std::vector<const std::byte*> accumulators(size_);
  const auto* bytes = reinterpret_cast<const std::byte*>(snapshots_.data());
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    const Kept& kept = kept_[i];
    for (std::size_t k = 0; k < size_ && kept.way != Way::kResult; ++k) {
      accumulators[k] = kept.way == Way::kBytes
                            ? bytes + k * bytes_ + layout_->offset(i)
                            : reinterpret_cast<const std::byte*>(&kept.copies[k * kept.words]);
    }
    ArrayPtr column;
    if (kept.way == Way::kResult) {
      TG_ASSIGN_OR_RETURN(column, concatenate_columns(kept.results));
    } else {
      TG_ASSIGN_OR_RETURN(column, layout_->aggregator(i).result(accumulators));
    }
    if (layout_->aggregates()[i].flatten && column->type_id() == arrow::Type::STRUCT) {
      TG_ASSIGN_ARROW_OR_RETURN(const arrow::ArrayVector fields,
                                static_cast<const arrow::StructArray&>(*column).Flatten(),
                                "results of an aggregate");
      columns.insert(columns.end(), fields.begin(), fields.end());
    } else {
      columns.push_back(std::move(column));
    }
  }
  return Status::ok();
}

}  // namespace tidegate
