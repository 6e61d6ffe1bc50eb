// SPDX-License-Identifier: Apache-2.0
//
// Output modes: what each epoch tells of results that change. Aggregates tell it themselves at the
// end of an epoch, so that all that stands behind them sees rows that are only ever added. With
// watermark.rule per-batch operators also judge times as Spark's do.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"
#include "plan/aggregate.h"
#include "plan/drop_late.h"
#include "plan/join.h"
#include "plan/relational.h"
#include "plan/sink.h"
#include "plan/source.h"
#include "plan/time_join.h"
#include "plan/top_n.h"
#include "plan/window.h"
#include "plan/window_group.h"
#include "planner/changelog.h"
#include "planner/plan_settings.h"
#include "planner/rewrite.h"
#include "planner/rules.h"
#include "planner/stream_facts.h"

namespace tidegate {
namespace {

using OutputMode = PlanSettings::OutputMode;
using PerEpoch = plan::AggregateNode::PerEpoch;

template <typename N>
N* as(plan::Node* node) {
  return dynamic_cast<N*>(node);
}

int rowtime_of(const plan::Input& input, PlanFacts& facts) {
  const std::vector<TimeAttribute>& times = facts.of(input).times;
  const auto found = std::find(times.begin(), times.end(), TimeAttribute::kRowtime);
  return found == times.end() ? -1 : static_cast<int>(found - times.begin());
}

bool is_rowtime(const plan::Input& input, int column, PlanFacts& facts) {
  const std::vector<TimeAttribute>& times = facts.of(input).times;
  return static_cast<std::size_t>(column) < times.size() &&
         times[static_cast<std::size_t>(column)] == TimeAttribute::kRowtime;
}

/// The longest delay of the watermarks below.
std::int64_t delay_below(const plan::Node& node) {
  std::int64_t delay_ms = 0;
  if (const auto* source = dynamic_cast<const plan::SourceNode*>(&node)) {
    delay_ms = source->watermark.delay_ms;
  }
  for (const plan::Input& input : node.inputs) {
    delay_ms = std::max(delay_ms, delay_below(*input.node));
  }
  return delay_ms;
}

/// True when all its rows are there from the start.
bool is_constant(const plan::Node& node) {
  if (node.inputs.empty()) return dynamic_cast<const plan::ValuesNode*>(&node) != nullptr;
  return std::all_of(node.inputs.begin(), node.inputs.end(),
                     [](const plan::Input& input) { return is_constant(*input.node); });
}

// ---- rewriting

class OutputModeRule {
 public:
  OutputModeRule(const PlanSettings& settings, PlanFacts& facts)
      : settings_(settings), facts_(facts) {}

  Result<plan::NodePtr> rewrite(const plan::NodePtr& node) {
    if (auto* aggregate = node_as<plan::AggregateNode>(node)) {
      return rewrite_aggregate(node, *aggregate);
    }
    if (auto* group = node_as<plan::WindowGroupNode>(node)) {
      if (tells_epochs() && !group->by_processing_time()) group->emit = Emit::kOnEpoch;
      group->keeps_all = mode() == OutputMode::kComplete;
    } else if (auto* window = node_as<plan::WindowAggregateNode>(node)) {
      if (tells_epochs()) window->emit = Emit::kOnEpoch;
      window->keeps_all = mode() == OutputMode::kComplete;
    } else if (auto* first = node_as<plan::DeduplicateNode>(node)) {
      TG_RETURN_IF_ERROR(bound(*first));
    } else if (auto* join = node_as<plan::JoinNode>(node)) {
      if (settings_.watermark_per_batch) drop_late(*join);
    }
    return node;
  }

 private:
  OutputMode mode() const { return settings_.output_mode; }
  bool tells_epochs() const {
    return mode() == OutputMode::kUpdate || mode() == OutputMode::kComplete;
  }

  Result<plan::NodePtr> rewrite_aggregate(const plan::NodePtr& node,
                                          plan::AggregateNode& aggregate) {
    if (mode() == OutputMode::kChanges) return node;
    const plan::Input& input = aggregate.inputs[0];
    if (aggregate.calls.empty() && mode() != OutputMode::kComplete && !facts_.of(input).retracts) {
      return distinct(aggregate);
    }
    if (mode() == OutputMode::kComplete) {
      aggregate.per_epoch = PerEpoch::kAll;
      aggregate.append = true;
      return node;
    }
    for (std::size_t i = 0; i < aggregate.keys.size(); ++i) {
      if (is_rowtime(input, aggregate.keys[i], facts_)) return by_event_time(aggregate, i);
    }
    if (mode() == OutputMode::kUpdate) {
      // Of all rows there is always a result, also when nothing has changed it.
      aggregate.per_epoch = aggregate.keys.empty() ? PerEpoch::kAll : PerEpoch::kChanged;
      aggregate.append = true;
    }
    return node;
  }

  /// DISTINCT: the first row of all columns.
  Result<plan::NodePtr> distinct(const plan::AggregateNode& aggregate) {
    const plan::NodePtr columns = project_to(aggregate.inputs[0], aggregate.keys, aggregate.schema);
    std::vector<int> keys;
    for (int i = 0; i < columns->schema->num_fields(); ++i) keys.push_back(i);
    auto first = std::make_shared<plan::DeduplicateNode>(plan::Input{columns}, std::move(keys),
                                                         /*keep_last=*/false, /*time_column=*/-1);
    TG_RETURN_IF_ERROR(bound(*first));
    return plan::NodePtr(std::move(first));
  }

  /// Grouping by the event time itself: each time is a window that ends where it starts.
  Result<plan::NodePtr> by_event_time(const plan::AggregateNode& aggregate, std::size_t key) {
    const plan::Input& input = aggregate.inputs[0];
    const int time = aggregate.keys[key];
    const Field& field = input.schema()->field(time);
    const LogicalType bound = LogicalType::timestamp(3);
    std::vector<ExprPtr> columns = all_columns(*input.schema());
    std::vector<Field> fields = input.schema()->fields();
    plan::WindowGroupNode::Windows windows;
    windows.start_column = static_cast<int>(columns.size());
    windows.end_column = windows.start_column + 1;
    for (const char* name : {"window_start", "window_end"}) {
      columns.push_back(cast(col(time), bound));
      fields.push_back({name, bound});
    }
    auto with_windows = std::make_shared<plan::ProjectNode>(
        input, std::move(columns), std::make_shared<Schema>(std::move(fields)));
    std::vector<int> keys = aggregate.keys;
    keys.erase(keys.begin() + static_cast<std::ptrdiff_t>(key));
    const bool instant = field.type.kind() == TypeKind::kTimestampLtz;
    auto group = std::make_shared<plan::WindowGroupNode>(
        plan::Input{std::move(with_windows)}, keys, aggregate.calls, windows,
        instant ? LogicalType::timestamp_ltz(3) : LogicalType::timestamp(3));
    if (tells_epochs()) group->emit = Emit::kOnEpoch;
    std::vector<ExprPtr> results;
    const int num_keys = static_cast<int>(keys.size());
    int next_key = 0;
    for (std::size_t i = 0; i < aggregate.keys.size(); ++i) {
      results.push_back(i == key ? cast(col(num_keys), field.type) : col(next_key++));
    }
    for (std::size_t i = 0; i < aggregate.calls.size(); ++i) {
      results.push_back(col(num_keys + 3 + static_cast<int>(i)));
    }
    return plan::NodePtr(std::make_shared<plan::ProjectNode>(plan::Input{std::move(group)},
                                                             std::move(results), aggregate.schema));
  }

  /// Lets keys go with the watermark where that is asked for.
  Status bound(plan::DeduplicateNode& first) {
    if (first.keep_last || first.time_column >= 0) return Status::ok();
    if (!settings_.watermark_per_batch && !first.within_watermark) return Status::ok();
    first.late_column = rowtime_of(first.inputs[0], facts_);
    if (first.within_watermark) {
      if (first.late_column < 0) {
        return Status(ErrorCode::kInvalidPlan,
                      "dropping duplicates within the watermark needs a row-time column, but the "
                      "input has none",
                      "Declare a WATERMARK FOR a column of the table, and keep it on the way.");
      }
      first.keep_ms = delay_below(first);
      return Status::ok();
    }
    for (const int key : first.keys) {
      if (!is_rowtime(first.inputs[0], key, facts_)) continue;
      first.late_column = key;
      first.keep_ms = 0;
    }
    return Status::ok();
  }

  void drop_late(plan::JoinNode& join) {
    // Against rows that are there from the start no row waits, and none is late.
    if (is_constant(*join.inputs[0].node) || is_constant(*join.inputs[1].node)) return;
    for (plan::Input& input : join.inputs) {
      const int time = rowtime_of(input, facts_);
      if (time >= 0) input = {std::make_shared<plan::DropLateNode>(input, time)};
    }
  }

  const PlanSettings& settings_;
  PlanFacts& facts_;
};

// ---- what cannot be told

std::string_view name_of(OutputMode mode) {
  static constexpr std::string_view kNames[] = {"changes", "append", "update", "complete"};
  return kNames[static_cast<std::size_t>(mode)];
}

bool is_aggregate(const plan::Node& node) {
  return dynamic_cast<const plan::AggregateNode*>(&node) != nullptr ||
         dynamic_cast<const plan::WindowGroupNode*>(&node) != nullptr ||
         dynamic_cast<const plan::WindowAggregateNode*>(&node) != nullptr;
}

bool has_aggregate(const plan::Node& node) {
  return is_aggregate(node) ||
         std::any_of(node.inputs.begin(), node.inputs.end(),
                     [](const plan::Input& input) { return has_aggregate(*input.node); });
}

bool aggregates_below(const plan::Node& node) {
  return std::any_of(node.inputs.begin(), node.inputs.end(),
                     [](const plan::Input& input) { return has_aggregate(*input.node); });
}

bool is_stateful(const plan::Node& node) {
  return is_aggregate(node) || dynamic_cast<const plan::DeduplicateNode*>(&node) != nullptr ||
         dynamic_cast<const plan::JoinNode*>(&node) != nullptr ||
         dynamic_cast<const plan::IntervalJoinNode*>(&node) != nullptr ||
         dynamic_cast<const plan::WindowJoinNode*>(&node) != nullptr;
}

class OutputModeCheck {
 public:
  OutputModeCheck(const PlanSettings& settings, PlanFacts& facts)
      : settings_(settings), mode_(settings.output_mode), facts_(facts) {}

  Status check(plan::Node& node) {
    if (node.inputs.empty() || is_constant(node)) return Status::ok();
    if (mode_ != OutputMode::kAppend && is_stateful(node) && aggregates_below(node)) {
      return refuse(node, "is not supported behind another aggregation, whose results change",
                    "Use the output mode append, with windows below.");
    }
    if (auto* aggregate = as<plan::AggregateNode>(&node)) return check_aggregate(*aggregate);
    if (auto* group = as<plan::WindowGroupNode>(&node)) return check_group(*group);
    if (auto* window = as<plan::WindowAggregateNode>(&node)) {
      return check_window(node, window->window);
    }
    if (auto* sort = as<plan::SortNode>(&node)) return check_sort(*sort);
    if (auto* join = as<plan::JoinNode>(&node)) return check_join(*join, join->type, true);
    if (auto* join = as<plan::IntervalJoinNode>(&node)) return check_join(*join, join->type, false);
    if (auto* sink = as<plan::SinkNode>(&node)) return check_sink(*sink);
    const bool numbers_rows = as<plan::OverNode>(&node) != nullptr ||
                              as<plan::RankNode>(&node) != nullptr ||
                              as<plan::WindowRankNode>(&node) != nullptr;
    if (as<plan::SetOperationNode>(&node) != nullptr && settings_.watermark_per_batch) {
      return refuse(node, "is not supported: all rows of both inputs would be kept for ever",
                    "Join the two streams with bounds on their times.");
    }
    if (numbers_rows && settings_.watermark_per_batch) {
      return refuse(node, "is not supported: a window over rows, and not over time",
                    "Use windows of time, or drop duplicates.");
    }
    return Status::ok();
  }

 private:
  Status refuse(const plan::Node& node, std::string_view why, std::string remedy) const {
    return Status(ErrorCode::kNotSupported,
                  fmt::format("output mode {}: {} {}", name_of(mode_), node.kind(), why),
                  std::move(remedy));
  }

  Status check_calls(const plan::KeyedNode& node) const {
    const bool distinct =
        std::any_of(node.calls.begin(), node.calls.end(),
                    [](const plan::AggregateCall& call) { return call.distinct; });
    if (!distinct || !settings_.watermark_per_batch) return Status::ok();
    return refuse(node,
                  "with DISTINCT is not supported by the watermark rule per-batch, as in Spark",
                  "Leave watermark.rule per-row, or group by the value first.");
  }

  Status check_aggregate(const plan::AggregateNode& node) const {
    if (mode_ == OutputMode::kAppend) {
      return refuse(node,
                    "is not supported without a watermark in its keys: no result would ever be "
                    "final",
                    "Group by a window, or by a column with a WATERMARK; or use the output mode "
                    "update.");
    }
    return check_calls(node);
  }

  Status check_window(const plan::Node& node, const Window& window) const {
    if (mode_ == OutputMode::kUpdate && window.kind == Window::Kind::kSession) {
      return refuse(node, "of sessions is not supported: a session that grows is another one",
                    "Use the output mode append or complete.");
    }
    return Status::ok();
  }

  Status check_group(const plan::WindowGroupNode& node) const {
    if (node.windows.window) TG_RETURN_IF_ERROR(check_window(node, *node.windows.window));
    if (node.windows.window && node.windows.window->kind == Window::Kind::kSession &&
        node.keys.empty() && settings_.watermark_per_batch) {
      return refuse(
          node, "of sessions without keys is not supported by the watermark rule per-batch",
          "Add a column to GROUP BY and to PARTITION BY, or leave watermark.rule per-row.");
    }
    return check_calls(node);
  }

  Status check_sort(plan::SortNode& sort) const {
    if (mode_ == OutputMode::kComplete && aggregates_below(sort)) {
      sort.per_epoch = true;
      return Status::ok();
    }
    if (!sort.keys.empty()) {
      return refuse(sort,
                    "is not supported: sorting needs all rows, which only aggregates in the output "
                    "mode complete have",
                    "Use the output mode complete behind an aggregation, or leave ORDER BY out.");
    }
    if (mode_ == OutputMode::kUpdate) {
      return refuse(sort, "is not supported: rows that change cannot be counted",
                    "Use the output mode append.");
    }
    return Status::ok();
  }

  Status check_join(const plan::Node& node, plan::JoinType type, bool unbounded) const {
    using Type = plan::JoinType;
    if (type == Type::kInner) return Status::ok();
    if (mode_ != OutputMode::kAppend && !unbounded) {
      return refuse(node, "is not supported: only inner joins are", "Use the output mode append.");
    }
    const bool constant = is_constant(*node.inputs[1].node);
    const bool keeps = type == Type::kSemi && (constant || !settings_.watermark_per_batch);
    if (!unbounded || keeps) return Status::ok();
    return refuse(node,
                  fmt::format("of type {} is not supported without a watermark in its keys, or "
                              "watermarks and a condition that bounds times: it would never be "
                              "known that a row has no match",
                              plan::join_type_name(type)),
                  "Declare WATERMARKs, and bound the distance of the two times in the condition.");
  }

  Status check_sink(const plan::SinkNode& sink) const {
    if (mode_ == OutputMode::kComplete && !aggregates_below(sink)) {
      return refuse(sink, "is not supported without an aggregation: there is no table to tell",
                    "Use the output mode append.");
    }
    if (mode_ != OutputMode::kAppend && sink.connector == "filesystem") {
      return refuse(sink, "to files is not supported: files only grow",
                    "Use the output mode append, or another connector.");
    }
    if (facts_.of(sink.inputs[0]).retracts) {
      return Status(ErrorCode::kNotSupported,
                    fmt::format("output mode {}: {} takes rows back, which is not supported",
                                name_of(mode_), changelog_origin(sink.inputs[0], facts_)),
                    "Leave --output-mode out: every change is told then.");
    }
    return Status::ok();
  }

  const PlanSettings& settings_;
  const OutputMode mode_;
  PlanFacts& facts_;
};

}  // namespace

Status apply_output_mode(const std::vector<plan::NodePtr>& roots, const LoweringOptions& options) {
  TG_ASSIGN_OR_RETURN(const PlanSettings settings, PlanSettings::from(options.settings));
  PlanFacts facts(options);
  OutputModeRule rule(settings, facts);
  TG_RETURN_IF_ERROR(
      rewrite_bottom_up(roots, [&](const plan::NodePtr& node) { return rule.rewrite(node); }));
  if (settings.output_mode == OutputMode::kChanges) return Status::ok();
  PlanFacts rewritten(options);
  OutputModeCheck check(settings, rewritten);
  for (plan::Node* node : plan::topological_order(roots)) TG_RETURN_IF_ERROR(check.check(*node));
  return Status::ok();
}

}  // namespace tidegate
