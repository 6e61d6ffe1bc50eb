// SPDX-License-Identifier: Apache-2.0
//
// OVER: one operator per frame, one behind the other, since each adds its results as columns.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "operators/over_aggregate.h"
#include "plan/window.h"
#include "planner/bind_aggregates.h"
#include "planner/changelog.h"
#include "planner/event_time_check.h"
#include "planner/lower_nodes.h"
#include "planner/lower_rows.h"
#include "planner/sort_columns.h"
#include "planner/stream_facts.h"

namespace tidegate {
namespace {

using Kind = OverFunction::Kind;

Kind kind_of(const std::string& function) {
  static constexpr std::pair<std::string_view, Kind> kKinds[] = {
      {"ROW_NUMBER", Kind::kRowNumber},
      {"RANK", Kind::kRank},
      {"DENSE_RANK", Kind::kDenseRank},
      {"LAG", Kind::kLag},
      {"LEAD", Kind::kLead},
      {"NTILE", Kind::kNtile},
      {"CUME_DIST", Kind::kCumeDist},
      {"PERCENT_RANK", Kind::kPercentRank}};
  for (const auto& [name, kind] : kKinds) {
    if (name == function) return kind;
  }
  return Kind::kAggregate;
}

bool same_frame(const plan::OverFrame& a, const plan::OverFrame& b) {
  return a.rows == b.rows && a.preceding == b.preceding && a.following == b.following;
}

Result<OverFunction> function_of(const plan::OverCall& over, const Schema& schema, bool retracts,
                                 const Lowering& lowering) {
  OverFunction function;
  function.kind = kind_of(over.call.function);
  if (function.kind == Kind::kAggregate) {
    TG_ASSIGN_OR_RETURN(function.aggregate, bind_aggregate(over.call, schema, retracts, lowering));
    return function;
  }
  function.offset = over.parameter;
  if (function.kind == Kind::kLag || function.kind == Kind::kLead) {
    if (over.call.arguments.empty()) {
      return error(ErrorCode::kInvalidPlan, "{} has no argument", over.call.text);
    }
    function.argument = over.call.arguments[0];
    if (over.call.arguments.size() > 1) function.default_column = over.call.arguments[1];
  }
  return function;
}

/// In which order rows are looked at, and whether that can be done at all.
Result<OverOrder> order_of(const plan::OverNode& over, Lowering& lowering) {
  PlanFacts& facts = lowering.facts();
  const plan::Input& input = over.inputs[0];
  const StreamFacts& in = facts.of(input);
  if (over.order.size() == 1 && !over.order[0].descending) {
    const TimeAttribute time = time_of(input, over.order[0].column, facts);
    if (time != TimeAttribute::kNone) {
      TG_RETURN_IF_ERROR(check_insert_only_input(over, input, facts));
      return time == TimeAttribute::kRowtime ? OverOrder::kEventTime : OverOrder::kArrival;
    }
  }
  if (over_waits_for_end(over, in.bounded)) return OverOrder::kAtEnd;
  for (const plan::OverCall& each : over.calls) {
    const bool numbers = kind_of(each.call.function) != Kind::kAggregate;
    if (numbers || (each.frame.preceding < 0 && each.frame.following == 0)) continue;
    return Status(ErrorCode::kNotSupported,
                  fmt::format("{} OVER (ORDER BY {}) with a bounded frame over an unbounded input "
                              "is not supported: the ordering in streaming mode must be defined on "
                              "a time attribute",
                              each.call.text, plan::sort_text(*input.schema(), over.order)),
                  "Order by a row-time or processing-time column, ascending.");
  }
  return OverOrder::kColumns;
}

Status check_frame(const plan::OverCall& over, OverOrder order) {
  if (kind_of(over.call.function) != Kind::kAggregate || over.frame.following == 0 ||
      order == OverOrder::kAtEnd) {
    return Status::ok();
  }
  return error(ErrorCode::kNotSupported,
               "{} OVER with a frame that ends behind the current row is not supported over an "
               "unbounded input or by time",
               over.call.text);
}

/// Which calls each operator computes; those whose frame does not matter join the first one.
std::vector<std::vector<std::size_t>> groups_of(const plan::OverNode& over) {
  std::vector<std::vector<std::size_t>> groups;
  std::vector<std::size_t> free;
  for (std::size_t i = 0; i < over.calls.size(); ++i) {
    if (kind_of(over.calls[i].call.function) != Kind::kAggregate) {
      free.push_back(i);
      continue;
    }
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const auto& group) {
      return same_frame(over.calls[group[0]].frame, over.calls[i].frame);
    });
    if (same == groups.end()) {
      groups.push_back({i});
    } else {
      same->push_back(i);
    }
  }
  if (groups.empty()) groups.emplace_back();
  groups[0].insert(groups[0].end(), free.begin(), free.end());
  return groups;
}

OverAggregateOptions options_of(const plan::OverNode& over, const Schema& schema, OverOrder order,
                                bool retracts, const Lowering& lowering) {
  OverAggregateOptions options;
  options.types = column_types(schema);
  options.keys = over.partition;
  options.over = order;
  if (order == OverOrder::kEventTime) options.time_column = over.order[0].column;
  if (order == OverOrder::kColumns || order == OverOrder::kAtEnd) {
    options.order = sort_columns(over.order);
  }
  options.retracts = retracts;
  options.ttl_ms = lowering.settings().state_ttl_ms;
  return options;
}

void set_frame(const plan::OverNode& over, const std::vector<std::size_t>& group,
               OverAggregateOptions& options) {
  for (std::size_t i : group) {
    if (kind_of(over.calls[i].call.function) != Kind::kAggregate) continue;
    const plan::OverFrame& frame = over.calls[i].frame;
    options.frame.unit = frame.rows ? OverFrame::Unit::kRows : OverFrame::Unit::kRange;
    if (frame.preceding >= 0) options.frame.preceding = frame.preceding;
    options.frame.following = std::nullopt;
    if (frame.following >= 0) options.frame.following = frame.following;
    return;
  }
}

/// The operators; answers the last graph node and, per call, the column of its result.
Result<int> add_operators(const plan::OverNode& over, OverOrder order, Lowering& lowering,
                          std::vector<int>& columns) {
  const plan::Input& input = over.inputs[0];
  std::vector<Field> fields = input.schema()->fields();
  bool retracts = lowering.facts().of(input).retracts;
  int last = -1;
  for (const std::vector<std::size_t>& group : groups_of(over)) {
    const Schema schema(fields);
    OverAggregateOptions options = options_of(over, schema, order, retracts, lowering);
    set_frame(over, group, options);
    for (std::size_t i : group) {
      TG_RETURN_IF_ERROR(check_frame(over.calls[i], order));
      const bool takes_back = retracts || order == OverOrder::kColumns;
      TG_ASSIGN_OR_RETURN(OverFunction function,
                          function_of(over.calls[i], schema, takes_back, lowering));
      options.functions.push_back(std::move(function));
      columns[i] = static_cast<int>(fields.size());
      fields.push_back({over.calls[i].call.result_name, over.calls[i].call.result_type});
    }
    Node node = lowering.make_node(over);
    node.schema = std::make_shared<Schema>(fields);
    node.time_grain = over_aggregate_time_grain(options);
    node.make_operator = [options] { return make_over_aggregate(options); };
    if (last < 0) {
      lowering.feed_by_key(node, input, over.partition);
    } else {
      // Rows of a partition are in one task already, but the next operator wants their keys.
      if (over.partition.empty()) node.parallelism = 1;
      Edge edge;
      edge.from = last;
      edge.exchange = Exchange::kHash;
      edge.keys = over.partition;
      node.inputs.push_back(std::move(edge));
    }
    last = lowering.add(std::move(node));
    if (order == OverOrder::kColumns) retracts = true;
    if (order == OverOrder::kAtEnd) retracts = false;
  }
  return last;
}

Status lower_over(const plan::OverNode& over, Lowering& lowering) {
  TG_ASSIGN_OR_RETURN(const OverOrder order, order_of(over, lowering));
  std::vector<int> columns(over.calls.size(), -1);
  TG_ASSIGN_OR_RETURN(int last, add_operators(over, order, lowering, columns));
  if (!std::is_sorted(columns.begin(), columns.end())) {
    std::vector<ExprPtr> in_order;
    for (int i = 0; i < over.inputs[0].schema()->num_fields(); ++i) in_order.push_back(col(i));
    for (int column : columns) in_order.push_back(col(column));
    const std::string name =
        lowering.graph().nodes[static_cast<std::size_t>(last)].uid + ".columns";
    TG_ASSIGN_OR_RETURN(last, add_projection(last, in_order, over.schema, name, lowering));
  }
  lowering.set_output(over, last);
  return Status::ok();
}

}  // namespace

void register_over_lowering(LoweringRegistry& registry) {
  registry.add<plan::OverNode>(lower_over);
}

}  // namespace tidegate
