// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "expr/columns_of.h"
#include "operators/drop_late.h"
#include "operators/interval_join.h"
#include "operators/regular_join.h"
#include "operators/temporal_join.h"
#include "operators/window_join.h"
#include "plan/drop_late.h"
#include "plan/join.h"
#include "plan/time_join.h"
#include "planner/changelog.h"
#include "planner/compile_condition.h"
#include "planner/event_time_check.h"
#include "planner/join_condition.h"
#include "planner/lower_nodes.h"
#include "planner/lower_rows.h"
#include "planner/stream_facts.h"
#include "planner/unique_keys.h"

namespace tidegate {
namespace {

JoinKind kind_of(plan::JoinType type) {
  switch (type) {
    case plan::JoinType::kInner:
      return JoinKind::kInner;
    case plan::JoinType::kLeft:
      return JoinKind::kLeft;
    case plan::JoinType::kRight:
      return JoinKind::kRight;
    case plan::JoinType::kFull:
      return JoinKind::kFull;
    case plan::JoinType::kSemi:
      return JoinKind::kSemi;
    case plan::JoinType::kAnti:
      return JoinKind::kAnti;
  }
  return JoinKind::kInner;
}

Result<JoinCondition> compile_rest(const plan::Node& join, std::vector<ExprPtr> rest,
                                   const Lowering& lowering) {
  return compile_join_condition(std::move(rest), *join.inputs[0].schema(), *join.inputs[1].schema(),
                                lowering);
}

void fill_sides(const plan::Node& join, const SplitCondition& split, JoinInput& left,
                JoinInput& right) {
  left.types = column_types(*join.inputs[0].schema());
  left.keys = split.left_keys;
  right.types = column_types(*join.inputs[1].schema());
  right.keys = split.right_keys;
}

/// A node with both inputs spread by the keys.
Node keyed_node(const plan::Node& join, const SplitCondition& split, Lowering& lowering) {
  Node node = lowering.make_node(join);
  lowering.feed_by_key(node, join.inputs[0], split.left_keys, 0);
  lowering.feed_by_key(node, join.inputs[1], split.right_keys, 1);
  return node;
}

SplitCondition without_null_safe_keys(const ExprPtr& condition, const plan::Node& join) {
  return split_without_null_safe(condition, *join.inputs[0].schema(), *join.inputs[1].schema());
}

void fill_regular_side(const plan::Input& input, std::int64_t hint_ttl_ms, RegularJoinInput& side,
                       Lowering& lowering) {
  const StreamFacts& facts = lowering.facts().of(input);
  side.insert_only = !facts.retracts;
  if (facts.retracts) side.unique_key = smallest_key(facts.keys);
  side.ttl_ms = hint_ttl_ms > 0 ? hint_ttl_ms : lowering.settings().state_ttl_ms;
}

/// The columns that NOT IN compares.
Status fill_null_aware(const plan::JoinNode& join, RegularJoinOptions& options) {
  if (join.null_aware < 0) return Status::ok();
  const std::vector<ExprPtr> conjuncts = conjuncts_of(join.condition);
  for (const EquiPair& pair : equi_pairs_of(conjuncts, join.inputs[0].schema()->num_fields())) {
    if (pair.conjunct != join.null_aware || !pair.is_columns()) continue;
    options.null_aware.push_back({pair.left->column(), pair.right->column()});
    return Status::ok();
  }
  return error(ErrorCode::kNotSupported,
               "NOT IN with a condition other than an equality of two columns is not supported");
}

Status lower_join(const plan::JoinNode& join, Lowering& lowering) {
  const SplitCondition split = split_condition(join.condition, *join.inputs[0].schema(),
                                               *join.inputs[1].schema(), join.null_aware);
  RegularJoinOptions options;
  fill_sides(join, split, options.left, options.right);
  fill_regular_side(join.inputs[0], join.left_ttl_ms, options.left, lowering);
  fill_regular_side(join.inputs[1], join.right_ttl_ms, options.right, lowering);
  options.kind = kind_of(join.type);
  if (split.any_null_safe()) options.null_safe_keys = split.null_safe;
  TG_RETURN_IF_ERROR(fill_null_aware(join, options));
  TG_ASSIGN_OR_RETURN(options.condition, compile_rest(join, split.rest, lowering));
  Node node = keyed_node(join, split, lowering);
  node.make_operator = [options] { return make_regular_join(options); };
  return lowering.finish(join, std::move(node));
}

bool follows_watermark(const plan::Input& input, int time, PlanFacts& facts) {
  return facts.of(input).windows.end == time ||
         time_of(input, time, facts) == TimeAttribute::kRowtime;
}

Status lower_interval_join(const plan::IntervalJoinNode& join, Lowering& lowering) {
  PlanFacts& facts = lowering.facts();
  for (const plan::Input& input : join.inputs) {
    TG_RETURN_IF_ERROR(check_insert_only_input(join, input, facts));
    const int time = &input == &join.inputs[0] ? join.bounds.left_time : join.bounds.right_time;
    if (facts.of(input).windows.end == time || lowering.settings().watermark_per_batch) continue;
    TG_RETURN_IF_ERROR(check_event_time("an interval join", input, time, facts));
  }
  const SplitCondition split = without_null_safe_keys(join.condition, join);
  IntervalJoinOptions options;
  fill_sides(join, split, options.left, options.right);
  options.left.time_column = join.bounds.left_time;
  options.right.time_column = join.bounds.right_time;
  options.kind = kind_of(join.type);
  options.lower_ms = join.bounds.lower_ms;
  options.upper_ms = join.bounds.upper_ms;
  options.lower_inclusive = join.bounds.lower_inclusive;
  options.upper_inclusive = join.bounds.upper_inclusive;
  options.exact_times = lowering.settings().watermark_per_batch;
  if (options.exact_times) {
    options.left_follows_watermark =
        follows_watermark(join.inputs[0], join.bounds.left_time, facts);
    options.right_follows_watermark =
        follows_watermark(join.inputs[1], join.bounds.right_time, facts);
  }
  TG_ASSIGN_OR_RETURN(options.condition, compile_rest(join, split.rest, lowering));
  Node node = keyed_node(join, split, lowering);
  node.time_grain = kIntervalJoinTimeGrain;
  node.make_operator = [options] { return make_interval_join(options); };
  return lowering.finish(join, std::move(node));
}

Status lower_drop_late(const plan::DropLateNode& late, Lowering& lowering) {
  Node node = lowering.make_node(late);
  lowering.feed_in_place(node, late.inputs[0]);
  node.time_grain = kDropLateTimeGrain;
  node.make_operator = [column = late.time_column]() -> Result<std::unique_ptr<Operator>> {
    return make_drop_late(column);
  };
  return lowering.finish(late, std::move(node));
}

Status lower_window_join(const plan::WindowJoinNode& join, Lowering& lowering) {
  for (const plan::Input& input : join.inputs) {
    TG_RETURN_IF_ERROR(check_insert_only_input(join, input, lowering.facts()));
  }
  const SplitCondition split = without_null_safe_keys(join.condition, join);
  WindowJoinOptions options;
  fill_sides(join, split, options.left, options.right);
  options.left.window_start_column = join.left_window.start;
  options.left.window_end_column = join.left_window.end;
  options.right.window_start_column = join.right_window.start;
  options.right.window_end_column = join.right_window.end;
  options.kind = kind_of(join.type);
  TG_ASSIGN_OR_RETURN(options.condition, compile_rest(join, split.rest, lowering));
  Node node = keyed_node(join, split, lowering);
  node.time_grain = window_join_time_grain(options);
  node.make_operator = [options] { return make_window_join(options); };
  return lowering.finish(join, std::move(node));
}

/// Keys that are more than the right's primary key: what is beyond becomes a condition, since a
/// version belongs to the primary key alone.
Status narrow_to_key(const plan::TemporalJoinNode& join, const std::vector<ColumnSet>& keys,
                     SplitCondition& split) {
  ColumnSet columns = split.right_keys;
  std::sort(columns.begin(), columns.end());
  const ColumnSet* key = nullptr;
  for (const ColumnSet& each : keys) {
    if (std::includes(columns.begin(), columns.end(), each.begin(), each.end())) key = &each;
  }
  if (key == nullptr) {
    return Status(ErrorCode::kInvalidPlan,
                  "a temporal table join requires that its condition holds an equality with each "
                  "column of the versioned table's primary key",
                  "Declare a PRIMARY KEY ... NOT ENFORCED on the versioned table and join by it.");
  }
  SplitCondition out;
  out.rest = std::move(split.rest);
  const int width = join.inputs[0].schema()->num_fields();
  for (std::size_t i = 0; i < split.right_keys.size(); ++i) {
    if (std::binary_search(key->begin(), key->end(), split.right_keys[i])) {
      out.left_keys.push_back(split.left_keys[i]);
      out.right_keys.push_back(split.right_keys[i]);
      out.null_safe.push_back(false);
    } else {
      out.rest.push_back(call("=", {col(split.left_keys[i]), col(split.right_keys[i] + width)}));
    }
  }
  split = std::move(out);
  return Status::ok();
}

Result<int> version_time_column(const plan::TemporalJoinNode& join, PlanFacts& facts) {
  const std::vector<TimeAttribute>& times = facts.of(join.inputs[1]).times;
  const auto found = std::find(times.begin(), times.end(), TimeAttribute::kRowtime);
  if (found != times.end()) return static_cast<int>(found - times.begin());
  return Status(ErrorCode::kInvalidPlan,
                "an event-time temporal join requires a row-time attribute in the versioned table, "
                "but it has none",
                "Declare a WATERMARK FOR a column of the versioned table.");
}

Status lower_temporal_join(const plan::TemporalJoinNode& join, Lowering& lowering) {
  PlanFacts& facts = lowering.facts();
  SplitCondition split = without_null_safe_keys(join.condition, join);
  TG_RETURN_IF_ERROR(narrow_to_key(join, facts.of(join.inputs[1]).keys, split));
  TemporalJoinOptions options;
  fill_sides(join, split, options.left, options.right);
  options.kind = join.outer ? JoinKind::kLeft : JoinKind::kInner;
  options.by_event_time = join.time_column >= 0;
  if (options.by_event_time) {
    TG_RETURN_IF_ERROR(
        check_event_time("a temporal join", join.inputs[0], join.time_column, facts));
    options.left.time_column = join.time_column;
    TG_ASSIGN_OR_RETURN(options.right.time_column, version_time_column(join, facts));
  }
  TG_ASSIGN_OR_RETURN(options.condition, compile_rest(join, split.rest, lowering));
  Node node = keyed_node(join, split, lowering);
  node.time_grain = temporal_join_time_grain(options);
  node.make_operator = [options] { return make_temporal_join(options); };
  return lowering.finish(join, std::move(node));
}

}  // namespace

Result<JoinCondition> compile_join_condition(std::vector<ExprPtr> rest, const Schema& left,
                                             const Schema& right, const Lowering& lowering) {
  if (rest.empty()) return JoinCondition();
  TG_ASSIGN_OR_RETURN(const FunctionRegistry* functions, lowering.functions());
  const SchemaPtr both = joined_schema(left, right);
  TG_ASSIGN_OR_RETURN(CompiledFilter filter,
                      CompiledFilter::compile(conjunction_of(std::move(rest)), *both, *functions));
  return join_condition(std::make_shared<const CompiledFilter>(std::move(filter)),
                        lowering.eval_context());
}

void register_join_lowerings(LoweringRegistry& registry) {
  registry.add<plan::JoinNode>(lower_join);
  registry.add<plan::IntervalJoinNode>(lower_interval_join);
  registry.add<plan::DropLateNode>(lower_drop_late);
  registry.add<plan::WindowJoinNode>(lower_window_join);
  registry.add<plan::TemporalJoinNode>(lower_temporal_join);
}

}  // namespace tidegate
