// SPDX-License-Identifier: Apache-2.0
#include "operators/over_aggregate.h"

#include <utility>

#include "base/check.h"
#include "operators/over_functions.h"

namespace tidegate {
namespace {

using Kind = OverFunction::Kind;

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::kAggregate:
      return "an aggregate function";
    case Kind::kRowNumber:
      return "ROW_NUMBER";
    case Kind::kRank:
      return "RANK";
    case Kind::kDenseRank:
      return "DENSE_RANK";
    case Kind::kLag:
      return "LAG";
    case Kind::kLead:
      return "LEAD";
    case Kind::kNtile:
      return "NTILE";
    case Kind::kCumeDist:
      return "CUME_DIST";
    case Kind::kPercentRank:
      return "PERCENT_RANK";
  }
  return "a function";
}

Status check_function(const OverFunction& function, const OverAggregateOptions& options) {
  switch (function.kind) {
    case Kind::kAggregate:
      TG_CHECK(function.aggregate.aggregator != nullptr, "an OVER aggregate without aggregator");
      return Status::ok();
    case Kind::kRowNumber:
    case Kind::kRank:
    case Kind::kDenseRank:
      return Status::ok();
    case Kind::kCumeDist:
    case Kind::kPercentRank:
      if (options.over != OverOrder::kAtEnd) break;
      return Status::ok();
    case Kind::kNtile:
      if (options.over != OverOrder::kAtEnd) break;
      if (function.offset > 0) return Status::ok();
      return error(ErrorCode::kInvalidArgument, "NTILE of {} buckets", function.offset);
    case Kind::kLead:
      if (options.over != OverOrder::kAtEnd) break;
      [[fallthrough]];
    case Kind::kLag:
      if (options.over == OverOrder::kColumns) break;
      if (function.offset < 0) {
        return error(ErrorCode::kInvalidArgument, "{} by {} rows: the offset is negative",
                     name_of(function.kind), function.offset);
      }
      TG_CHECK(function.argument >= 0 && function.argument < std::ssize(options.types) &&
                   function.default_column < std::ssize(options.types),
               "LAG of column {} with default {}", function.argument, function.default_column);
      return Status::ok();
  }
  return error(ErrorCode::kNotSupported, "{} OVER an order of {}", name_of(function.kind),
               options.over == OverOrder::kColumns     ? "columns that are no time"
               : options.over == OverOrder::kEventTime ? "event time"
                                                       : "processing time");
}

/// A frame of an interval needs to know times.
Status check_range(const OverAggregateOptions& options) {
  const OverFrame& frame = options.frame;
  const bool bounded = frame.preceding || frame.following.value_or(0) != 0;
  if (frame.unit != OverFrame::Unit::kRange || !bounded) return Status::ok();
  if (options.order.size() == 1) {
    const auto column = static_cast<std::size_t>(options.order[0].column);
    if (column < options.types.size() && options.types[column].is_timestamp()) return Status::ok();
  }
  return error(ErrorCode::kNotSupported,
               "an OVER frame of an interval (RANGE) in an order that is not of one timestamp");
}

}  // namespace

std::vector<LogicalType> over_result_types(const OverAggregateOptions& options) {
  std::vector<LogicalType> types;
  for (const OverFunction& function : options.functions) {
    for (LogicalType& type : over_result_types(function, options.types))
      types.push_back(std::move(type));
  }
  return types;
}

Result<std::unique_ptr<Operator>> make_over_aggregate(OverAggregateOptions options) {
  for (const OverFunction& function : options.functions) {
    TG_RETURN_IF_ERROR(check_function(function, options));
  }
  if (options.over == OverOrder::kAtEnd) {
    TG_RETURN_IF_ERROR(check_range(options));
    TG_ASSIGN_OR_RETURN(SortKeys sort_keys, SortKeys::make(options.order, options.types));
    return make_over_at_end(std::move(options), std::move(sort_keys));
  }
  if (options.frame.preceding.value_or(0) < 0) {
    return error(ErrorCode::kInvalidArgument, "an OVER frame of {} PRECEDING",
                 *options.frame.preceding);
  }
  if (options.frame.following != 0) {
    return error(ErrorCode::kNotSupported, "an OVER frame that ends behind the current row");
  }
  if (options.over == OverOrder::kColumns) {
    if (options.frame.preceding) {
      return error(ErrorCode::kNotSupported,
                   "a bounded OVER frame in the order of columns that are no time");
    }
    TG_ASSIGN_OR_RETURN(SortKeys sort_keys, SortKeys::make(options.order, options.types));
    return make_column_over(std::move(options), std::move(sort_keys));
  }
  if (options.retracts) {
    return error(ErrorCode::kInvalidArgument, "OVER windows by time over an input that retracts");
  }
  return make_time_over(std::move(options));
}

TimeGrain over_aggregate_time_grain(const OverAggregateOptions& options) {
  return options.over == OverOrder::kEventTime ? TimeGrain{1, 0} : TimeGrain{0, 0};
}

}  // namespace tidegate
