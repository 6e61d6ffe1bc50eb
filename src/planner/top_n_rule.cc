// SPDX-License-Identifier: Apache-2.0
#include <arrow/array/array_primitive.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "base/check.h"
#include "expr/bind.h"
#include "expr/columns_of.h"
#include "plan/top_n.h"
#include "plan/window.h"
#include "planner/event_time_check.h"
#include "planner/expr_properties.h"
#include "planner/rewrite.h"
#include "planner/rules.h"
#include "planner/window_instants.h"

namespace tidegate {
namespace {

constexpr std::int64_t kNoEnd = std::numeric_limits<std::int64_t>::max();

/// The value of an integer constant.
std::optional<std::int64_t> integer_of(const ExprPtr& expr, const FunctionRegistry* functions) {
  if (functions == nullptr || !columns_read(expr).empty()) return std::nullopt;
  const Result<BoundExprPtr> bound =
      tidegate::bind(cast(expr, LogicalType(TypeKind::kBigInt)), Schema(), *functions);
  if (!bound.is_ok() || (*bound)->kind != BoundExpr::Kind::kLiteral) return std::nullopt;
  // Only of whole numbers: rn < 1.5 is not rn < 1.
  const Result<LogicalType> type = type_of(expr, Schema(), *functions);
  if (!type.is_ok() || !type->is_integer() || (*bound)->value->IsNull(0)) return std::nullopt;
  return static_cast<const arrow::Int64Array&>(*(*bound)->value).Value(0);
}

bool is_column(const ExprPtr& expr, int column) {
  return expr->kind() == Expr::Kind::kColumn && expr->column() == column;
}

std::string mirrored(const std::string& sign) {
  if (sign == "<") return ">";
  if (sign == "<=") return ">=";
  if (sign == ">") return "<";
  if (sign == ">=") return "<=";
  return sign;
}

/// Narrows `range` by a condition on the number; false when the condition is not a bound of it.
bool narrow(const ExprPtr& condition, int number, const FunctionRegistry* functions,
            plan::RankRange& range) {
  if (condition->kind() != Expr::Kind::kCall) return false;
  const std::vector<ExprPtr>& args = condition->args();
  if (condition->function() == "BETWEEN" && args.size() == 3 && is_column(args[0], number)) {
    const auto low = integer_of(args[1], functions);
    const auto high = integer_of(args[2], functions);
    if (!low || !high) return false;
    range.start = std::max(range.start, *low);
    range.end = std::min(range.end, *high);
    return true;
  }
  if (args.size() != 2) return false;
  const bool straight = is_column(args[0], number);
  if (!straight && !is_column(args[1], number)) return false;
  const std::optional<std::int64_t> bound = integer_of(args[straight ? 1 : 0], functions);
  if (!bound || *bound == kNoEnd || *bound < -kNoEnd) return false;
  const std::string sign = straight ? condition->function() : mirrored(condition->function());
  if (sign == "<=" || sign == "<" || sign == "=") {
    range.end = std::min(range.end, sign == "<" ? *bound - 1 : *bound);
  }
  if (sign == ">=" || sign == ">" || sign == "=") {
    range.start = std::max(range.start, sign == ">" ? *bound + 1 : *bound);
  }
  return sign == "<=" || sign == "<" || sign == "=" || sign == ">=" || sign == ">";
}

struct TopN {
  plan::RankRange range{1, kNoEnd};
  std::vector<ExprPtr> rest;
};

/// By time, ascending or descending: the column, or -1.
int time_order_column(const plan::OverNode& over, PlanFacts& facts) {
  if (over.order.size() != 1) return -1;
  const int column = over.order[0].column;
  return time_of(over.inputs[0], column, facts) == TimeAttribute::kNone ? -1 : column;
}

/// The column is a time, or was one until a window function passed it on as a plain timestamp.
bool was_time(const plan::Input& input, int column, PlanFacts& facts) {
  if (time_of(input, column, facts) != TimeAttribute::kNone) return true;
  if (const auto* project = input_as<plan::ProjectNode>(input)) {
    const ExprPtr& from = project->columns[static_cast<std::size_t>(column)];
    return from->kind() == Expr::Kind::kColumn &&
           was_time(project->inputs[0], from->column(), facts);
  }
  const bool passes = input_as<plan::FilterNode>(input) != nullptr ||
                      input_as<plan::WindowFunctionNode>(input) != nullptr;
  return passes && column < input.node->inputs[0].schema()->num_fields() &&
         was_time(input.node->inputs[0], column, facts);
}

/// `node` has the input's columns; this adds the number, which is always 1, as a constant.
plan::NodePtr with_one(plan::NodePtr node, const SchemaPtr& schema) {
  std::vector<ExprPtr> columns = all_columns(*node->schema);
  columns.push_back(lit(std::int64_t{1}));
  return std::make_shared<plan::ProjectNode>(plan::Input{std::move(node)}, std::move(columns),
                                             schema);
}

Result<plan::NodePtr> window_top_n(const plan::OverNode& over, const TopN& top, PlanFacts& facts) {
  const plan::Input& input = over.inputs[0];
  const StreamFacts& in = facts.of(input);
  if (in.windows.by_processing_time) {
    return error(ErrorCode::kNotSupported, "Top-N per window of processing time is not supported");
  }
  std::vector<int> keys;
  for (int column : over.partition) {
    const WindowColumns& windows = in.windows;
    if (column != windows.start && column != windows.end && column != windows.time) {
      keys.push_back(column);
    }
  }
  const std::string number = over.schema->field(over.schema->num_fields() - 1).name;
  TG_ASSIGN_OR_RETURN(const InstantWindows windows, windows_as_instants(input, facts));
  auto rank =
      std::make_shared<plan::WindowRankNode>(windows.input, std::move(keys), windows.start,
                                             windows.end, over.order, top.range, true, number);
  const bool last_by_time = top.range.end == 1 && over.order.size() == 1 &&
                            over.order[0].descending &&
                            was_time(input, over.order[0].column, facts);
  rank->latest_of_ties_first = last_by_time;
  const int added = rank->schema->num_fields() - over.schema->num_fields();
  if (added == 0) return plan::NodePtr(std::move(rank));
  std::vector<int> columns;
  for (int i = 0; i < over.schema->num_fields(); ++i) columns.push_back(i);
  columns.back() += added;
  return project_to({std::move(rank)}, columns, over.schema);
}

bool partitions_by_window(const plan::OverNode& over, const StreamFacts& input) {
  const auto has = [&](int column) {
    return std::find(over.partition.begin(), over.partition.end(), column) != over.partition.end();
  };
  return input.windows.has_bounds() && has(input.windows.start) && has(input.windows.end);
}

Result<plan::NodePtr> top_n(const plan::OverNode& over, const TopN& top, PlanFacts& facts) {
  const plan::Input& input = over.inputs[0];
  const StreamFacts& in = facts.of(input);
  if (partitions_by_window(over, in) && !in.retracts) return window_top_n(over, top, facts);
  const int time_column = time_order_column(over, facts);
  if (time_column >= 0 && top.range.start == 1 && top.range.end == 1 && !in.retracts) {
    const bool by_event_time = time_of(input, time_column, facts) == TimeAttribute::kRowtime;
    auto first_or_last = std::make_shared<plan::DeduplicateNode>(
        input, over.partition, over.order[0].descending, by_event_time ? time_column : -1);
    return with_one(std::move(first_or_last), over.schema);
  }
  std::vector<plan::SortKey> order = over.order;
  const bool by_arrival = time_column >= 0 && !order[0].descending &&
                          time_of(input, time_column, facts) == TimeAttribute::kProctime;
  if (by_arrival && !in.retracts) order.clear();
  const std::string number = over.schema->field(over.schema->num_fields() - 1).name;
  auto rank = std::make_shared<plan::RankNode>(input, over.partition, std::move(order), top.range,
                                               true, number);
  rank->schema = over.schema;
  return plan::NodePtr(std::move(rank));
}

}  // namespace

Result<plan::NodePtr> find_top_n(const plan::NodePtr& node, PlanFacts& facts) {
  const auto* filter = node_as<plan::FilterNode>(node);
  if (filter == nullptr) return node;
  const auto* over = input_as<plan::OverNode>(filter->inputs[0]);
  if (over == nullptr || over->calls.size() != 1) return node;
  const std::string& function = over->calls[0].call.function;
  const int number = over->inputs[0].schema()->num_fields();
  const bool numbers = function == "ROW_NUMBER";
  TopN top;
  for (ExprPtr& each : conjuncts_of(filter->condition)) {
    if (!narrow(each, number, facts.options().functions, top.range)) {
      top.rest.push_back(std::move(each));
    }
  }
  if (top.range.end == kNoEnd) return node;
  if (!numbers) {
    if (function != "RANK" && function != "DENSE_RANK") return node;
    return error(ErrorCode::kNotSupported, "{}() in a Top-N query is not supported: use ROW_NUMBER",
                 function);
  }
  top.range.start = std::max<std::int64_t>(top.range.start, 1);
  // Numbers begin at 1: nothing qualifies, which the filter finds out by itself.
  if (top.range.end < top.range.start) return node;
  TG_ASSIGN_OR_RETURN(plan::NodePtr made, top_n(*over, top, facts));
  if (top.rest.empty()) return made;
  return std::make_shared<plan::FilterNode>(plan::Input{std::move(made)},
                                            conjunction_of(std::move(top.rest)));
}

}  // namespace tidegate
