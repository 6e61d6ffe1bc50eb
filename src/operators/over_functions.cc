// SPDX-License-Identifier: Apache-2.0
#include "operators/over_functions.h"

#include <arrow/array/array_primitive.h>
#include <arrow/buffer.h>

#include <utility>

#include "base/check.h"

namespace tidegate {
namespace {

using Kind = OverFunction::Kind;

std::vector<BoundAggregate> aggregates_of(const std::vector<OverFunction>& functions) {
  std::vector<BoundAggregate> aggregates;
  for (const OverFunction& function : functions) {
    if (function.kind == Kind::kAggregate) aggregates.push_back(function.aggregate);
  }
  return aggregates;
}

bool is_number(Kind kind) {
  return kind == Kind::kRowNumber || kind == Kind::kRank || kind == Kind::kDenseRank;
}

ArrayPtr number_column(std::span<const OverNumbers> numbers, std::int64_t OverNumbers::*which) {
  std::vector<std::int64_t> column;
  column.reserve(numbers.size());
  for (const OverNumbers& each : numbers) column.push_back(each.*which);
  const auto size = std::ssize(column);
  return std::make_shared<arrow::Int64Array>(size, arrow::Buffer::FromVector(std::move(column)));
}

}  // namespace

OverFunctions::OverFunctions(std::vector<OverFunction> functions, std::int32_t head_bytes)
    : functions_(std::move(functions)),
      layout_(
          std::make_shared<const AccumulatorLayout>(aggregates_of(functions_), false, head_bytes)) {
  for (const OverFunction& function : functions_) {
    if (function.kind == Kind::kLag) lags_.push_back(function);
    has_numbers_ = has_numbers_ || is_number(function.kind);
  }
}

Result<std::vector<ArrayPtr>> OverFunctions::columns(std::span<const std::byte* const> values,
                                                     std::span<const OverNumbers> numbers,
                                                     std::span<const ArrayPtr> others) const {
  std::vector<ArrayPtr> aggregates;
  TG_RETURN_IF_ERROR(layout_->results(values, aggregates));
  auto aggregate = aggregates.begin();
  auto other = others.begin();
  std::vector<ArrayPtr> columns;
  for (const OverFunction& function : functions_) {
    switch (function.kind) {
      case Kind::kAggregate:
        for (std::size_t i = over_result_types(function, {}).size(); i > 0; --i)
          columns.push_back(std::move(*aggregate++));
        break;
      case Kind::kRowNumber:
        columns.push_back(number_column(numbers, &OverNumbers::row_number));
        break;
      case Kind::kRank:
        columns.push_back(number_column(numbers, &OverNumbers::rank));
        break;
      case Kind::kDenseRank:
        columns.push_back(number_column(numbers, &OverNumbers::dense_rank));
        break;
      default:
        columns.push_back(*other++);
    }
  }
  return columns;
}

Result<ArrayPtr> lag_column(const OverFunction& function, const Batch& batch,
                            std::span<const std::int32_t> rows, std::span<const std::int32_t> own) {
  const ArrayPtr& argument = batch.column(function.argument);
  ArrayPtr instead;
  if (function.default_column < 0) {
    TG_ASSIGN_OR_RETURN(instead, null_column(argument->type(), 1));
  } else {
    instead = batch.column(function.default_column);
  }
  const ArrayPtr both[] = {argument, instead};
  TG_ASSIGN_OR_RETURN(const ArrayPtr values, concatenate_columns(both));
  std::vector<std::int32_t> from(rows.begin(), rows.end());
  const auto defaults = static_cast<std::int32_t>(batch.num_rows());
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i] < 0) from[i] = defaults + (function.default_column < 0 ? 0 : own[i]);
  }
  return take_column(values, from);
}

std::vector<LogicalType> over_result_types(const OverFunction& function,
                                           const std::vector<LogicalType>& types) {
  switch (function.kind) {
    case Kind::kAggregate:
      return result_types(std::span(&function.aggregate, 1));
    case Kind::kLag:
    case Kind::kLead:
      return {types[static_cast<std::size_t>(function.argument)].with_nullable(true)};
    case Kind::kCumeDist:
    case Kind::kPercentRank:
      return {LogicalType(TypeKind::kDouble, false)};
    default:
      return {LogicalType(TypeKind::kBigInt, false)};
  }
}

}  // namespace tidegate
