// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "base/check.h"
#include "operators/assign_windows.h"
#include "operators/window_rank.h"
#include "plan/top_n.h"
#include "plan/window.h"
#include "planner/changelog.h"
#include "planner/event_time_check.h"
#include "planner/lower_nodes.h"
#include "planner/lower_rows.h"
#include "planner/sort_columns.h"
#include "planner/stream_facts.h"

namespace tidegate {
namespace {

Status lower_window_function(const plan::WindowFunctionNode& function, Lowering& lowering) {
  const plan::Input& input = function.inputs[0];
  const Schema& schema = *input.schema();
  AssignWindowsOptions options;
  options.window = function.window;
  const bool by_clock =
      time_of(input, function.time_column, lowering.facts()) == TimeAttribute::kProctime;
  if (!by_clock) {
    TG_RETURN_IF_ERROR(
        check_event_time("a window table function", input, function.time_column, lowering.facts()));
    options.time_column = function.time_column;
  }
  const bool instant =
      by_clock || schema.field(function.time_column).type.kind() == TypeKind::kTimestampLtz;
  options.window_time =
      instant ? LogicalType::timestamp_ltz(3, false) : LogicalType::timestamp(3, false);
  if (instant) options.time_zone = lowering.settings().time_zone;
  Node node = lowering.make_node(function);
  if (function.window.kind == Window::Kind::kSession) {
    if (function.gap_column >= 0) {
      return error(ErrorCode::kNotSupported,
                   "SESSION windows with gaps in a column, without an aggregation by window_start "
                   "and window_end over the keys of PARTITION BY, are not supported");
    }
    if (by_clock) {
      return error(ErrorCode::kNotSupported,
                   "SESSION windows by processing time without an aggregation by window_start and "
                   "window_end are not supported");
    }
    options.types = column_types(schema);
    options.keys = function.partition;
    lowering.feed_by_key(node, input, function.partition);
  } else {
    lowering.feed_in_place(node, input);
  }
  node.time_grain = assign_windows_time_grain(options);
  node.make_operator = [options] { return make_assign_windows(options); };
  return lowering.finish(function, std::move(node));
}

Status lower_window_rank(const plan::WindowRankNode& rank, Lowering& lowering) {
  const plan::Input& input = rank.inputs[0];
  TG_RETURN_IF_ERROR(check_insert_only_input(rank, input, lowering.facts()));
  WindowRankOptions options;
  options.types = column_types(*input.schema());
  options.keys = rank.keys;
  options.window_start_column = rank.window_start;
  options.window_end_column = rank.window_end;
  options.order = sort_columns(rank.order);
  options.rank_start = rank.range.start;
  options.rank_end = rank.range.end;
  options.emit_rank_number = rank.with_number;
  options.latest_of_ties_first = rank.latest_of_ties_first;
  Node node = lowering.make_node(rank);
  lowering.feed_by_key(node, input, rank.keys);
  node.time_grain = kWindowRankTimeGrain;
  node.make_operator = [options] { return make_window_rank(options); };
  return lowering.finish(rank, std::move(node));
}

}  // namespace

void register_window_lowerings(LoweringRegistry& registry) {
  registry.add<plan::WindowFunctionNode>(lower_window_function);
  registry.add<plan::WindowRankNode>(lower_window_rank);
}

}  // namespace tidegate
