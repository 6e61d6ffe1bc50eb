// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"
#include "expr/columns_of.h"
#include "plan/window.h"
#include "plan/window_group.h"
#include "planner/event_time_check.h"
#include "planner/rewrite.h"
#include "planner/rules.h"

namespace tidegate {
namespace {

using Windows = plan::WindowGroupNode::Windows;

bool groups_by_window(const plan::AggregateNode& aggregate, const WindowColumns& windows) {
  const auto has = [&](int column) {
    return std::find(aggregate.keys.begin(), aggregate.keys.end(), column) != aggregate.keys.end();
  };
  return windows.has_bounds() && has(windows.start) && has(windows.end);
}

/// What an aggregation does, over an input of its own choice.
struct Grouping {
  plan::Input input;
  std::vector<int> keys;  ///< without the columns of the window
  std::vector<plan::AggregateCall> calls;
  Windows windows;
};

bool is_window_column(int column, const WindowColumns& windows) {
  return column == windows.start || column == windows.end || column == windows.time;
}

/// Rows that bring their windows along.
Grouping attached(const plan::AggregateNode& aggregate, const WindowColumns& windows) {
  Grouping grouping;
  grouping.input = aggregate.inputs[0];
  for (int key : aggregate.keys) {
    if (!is_window_column(key, windows)) grouping.keys.push_back(key);
  }
  grouping.calls = aggregate.calls;
  grouping.windows.start_column = windows.start;
  grouping.windows.end_column = windows.end;
  return grouping;
}

/// The columns of the aggregate's input as expressions over that of the window function; none where
/// there is something else in between.
std::optional<std::vector<ExprPtr>> over_function_input(const plan::AggregateNode& aggregate,
                                                        const plan::WindowFunctionNode** function) {
  if (const auto* direct = input_as<plan::WindowFunctionNode>(aggregate.inputs[0])) {
    *function = direct;
    return all_columns(*direct->schema);
  }
  const auto* project = input_as<plan::ProjectNode>(aggregate.inputs[0]);
  if (project == nullptr) return std::nullopt;
  *function = input_as<plan::WindowFunctionNode>(project->inputs[0]);
  if (*function == nullptr) return std::nullopt;
  return project->columns;
}

/// Moves column `column` of the aggregate's input to one of the new projection; false when it
/// depends on the window.
class ColumnMover {
 public:
  ColumnMover(const plan::AggregateNode& aggregate, const plan::WindowFunctionNode& function,
              const std::vector<ExprPtr>& columns)
      : aggregate_(aggregate),
        columns_(columns),
        width_(function.inputs[0].schema()->num_fields()),
        places_(columns.size(), -1) {}

  bool move(int& column) {
    const auto at = static_cast<std::size_t>(column);
    if (reads_columns(columns_[at], width_, width_ + 3)) return false;
    if (places_[at] < 0) {
      places_[at] = static_cast<int>(exprs_.size());
      exprs_.push_back(columns_[at]);
      fields_.push_back(aggregate_.inputs[0].schema()->field(column));
    }
    column = places_[at];
    return true;
  }
  int add(int function_input_column, const Field& field) {
    exprs_.push_back(col(function_input_column));
    fields_.push_back(field);
    return static_cast<int>(exprs_.size()) - 1;
  }
  plan::Input over(const plan::Input& input) {
    return {std::make_shared<plan::ProjectNode>(input, std::move(exprs_),
                                                std::make_shared<Schema>(std::move(fields_)))};
  }

 private:
  const plan::AggregateNode& aggregate_;
  const std::vector<ExprPtr>& columns_;
  const int width_;
  std::vector<int> places_;
  std::vector<ExprPtr> exprs_;
  std::vector<Field> fields_;
};

/// Sessions are per partition of the window function: only those of the same keys can be made in
/// the aggregation.
bool fits_session(const plan::WindowFunctionNode& function, const std::vector<int>& keys,
                  const std::vector<ExprPtr>& columns) {
  std::vector<int> of_input;
  for (int key : keys) {
    const Expr& expr = *columns[static_cast<std::size_t>(key)];
    if (expr.kind() != Expr::Kind::kColumn) return false;
    of_input.push_back(expr.column());
  }
  std::vector<int> partition = function.partition;
  for (std::vector<int>* each : {&of_input, &partition}) {
    std::sort(each->begin(), each->end());
    each->erase(std::unique(each->begin(), each->end()), each->end());
  }
  return of_input == partition;
}

/// Windows that are made in the aggregation itself, from the rows below the window function.
std::optional<Grouping> direct(const plan::AggregateNode& aggregate, const WindowColumns& windows,
                               PlanFacts& facts) {
  const plan::WindowFunctionNode* function = nullptr;
  const auto columns = over_function_input(aggregate, &function);
  if (!columns) return std::nullopt;
  Grouping grouping = attached(aggregate, windows);
  const bool session = function->window.kind == Window::Kind::kSession;
  if (session && !fits_session(*function, grouping.keys, *columns)) return std::nullopt;
  ColumnMover mover(aggregate, *function, *columns);
  for (int& key : grouping.keys) {
    if (!mover.move(key)) return std::nullopt;
  }
  for (plan::AggregateCall& call : grouping.calls) {
    for (int& argument : call.arguments) {
      if (!mover.move(argument)) return std::nullopt;
    }
    if (call.filter >= 0 && !mover.move(call.filter)) return std::nullopt;
  }
  const plan::Input& below = function->inputs[0];
  grouping.windows = {.window = function->window};
  const Field& time = below.schema()->field(function->time_column);
  const int time_column = mover.add(function->time_column, time);
  if (time_of(below, function->time_column, facts) != TimeAttribute::kProctime) {
    grouping.windows.time_column = time_column;
  }
  if (function->gap_column >= 0) {
    grouping.windows.gap_column =
        mover.add(function->gap_column, below.schema()->field(function->gap_column));
  }
  grouping.input = mover.over(below);
  return grouping;
}

Status check(const plan::AggregateNode& aggregate, const Grouping& grouping,
             const WindowColumns& windows, PlanFacts& facts) {
  if (!grouping.windows.window && windows.by_processing_time) {
    return error(ErrorCode::kNotSupported,
                 "an aggregation by windows of processing time that another operation has made is "
                 "not supported ({})",
                 aggregate.details());
  }
  if (grouping.windows.window && grouping.windows.time_column >= 0) {
    return check_event_time("a window aggregation", grouping.input, grouping.windows.time_column,
                            facts);
  }
  return Status::ok();
}

/// The columns of the aggregate's output in that of the group: keys, start, end, time, results.
std::vector<int> output_columns(const plan::AggregateNode& aggregate, const WindowColumns& windows,
                                int num_keys) {
  std::vector<int> output;
  int next_key = 0;
  for (int key : aggregate.keys) {
    if (key == windows.start) {
      output.push_back(num_keys);
    } else if (key == windows.end) {
      output.push_back(num_keys + 1);
    } else if (key == windows.time) {
      output.push_back(num_keys + 2);
    } else {
      output.push_back(next_key++);
    }
  }
  for (std::size_t i = 0; i < aggregate.calls.size(); ++i) {
    output.push_back(num_keys + 3 + static_cast<int>(i));
  }
  return output;
}

}  // namespace

Result<plan::NodePtr> find_window_aggregate(const plan::NodePtr& node, PlanFacts& facts) {
  const auto* aggregate = node_as<plan::AggregateNode>(node);
  if (aggregate == nullptr || aggregate->append) return node;
  const WindowColumns windows = facts.of(aggregate->inputs[0]).windows;
  if (!groups_by_window(*aggregate, windows)) return node;
  std::optional<Grouping> grouping = direct(*aggregate, windows, facts);
  if (!grouping) grouping = attached(*aggregate, windows);
  TG_RETURN_IF_ERROR(check(*aggregate, *grouping, windows, facts));
  const int num_keys = static_cast<int>(grouping->keys.size());
  auto group = std::make_shared<plan::WindowGroupNode>(
      std::move(grouping->input), std::move(grouping->keys), std::move(grouping->calls),
      grouping->windows, windows.time_type);
  group->parallelism = aggregate->parallelism;
  return project_to({std::move(group)}, output_columns(*aggregate, windows, num_keys),
                    aggregate->schema);
}

}  // namespace tidegate
