// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <limits>
#include <utility>

#include "base/check.h"
#include "operators/limit.h"
#include "operators/rank.h"
#include "operators/set_operation.h"
#include "operators/sort.h"
#include "operators/temporal_sort.h"
#include "plan/relational.h"
#include "planner/event_time_check.h"
#include "planner/lower_nodes.h"
#include "planner/lower_rows.h"
#include "planner/sort_columns.h"
#include "planner/stream_facts.h"

namespace tidegate {
namespace {

Status add_single(const plan::SortNode& sort, TimeGrain grain,
                  std::function<Result<std::unique_ptr<Operator>>()> make_operator,
                  Lowering& lowering) {
  Node node = lowering.make_node(sort);
  lowering.feed_by_key(node, sort.inputs[0], {});
  node.time_grain = grain;
  node.make_operator = std::move(make_operator);
  return lowering.finish(sort, std::move(node));
}

/// All rows at the end of the input, or of each epoch.
Status lower_sort_at_end(const plan::SortNode& sort, Lowering& lowering) {
  SortOptions options;
  options.types = column_types(*sort.schema);
  options.order = sort_columns(sort.keys);
  options.offset = sort.offset;
  options.limit = sort.limit;
  options.retracts = lowering.facts().of(sort.inputs[0]).retracts;
  options.per_epoch = sort.per_epoch;
  return add_single(
      sort, kSortTimeGrain, [options] { return make_sort(options); }, lowering);
}

Status lower_limit(const plan::SortNode& sort, Lowering& lowering) {
  const std::int64_t limit =
      sort.limit < 0 ? std::numeric_limits<std::int64_t>::max() - sort.offset : sort.limit;
  if (!lowering.facts().of(sort.inputs[0]).retracts) {
    return add_single(
        sort, kLimitTimeGrain,
        [offset = sort.offset, limit]() -> Result<std::unique_ptr<Operator>> {
          return make_limit(offset, limit);
        },
        lowering);
  }
  return add_single(
      sort, kLimitTimeGrain,
      [types = column_types(*sort.schema), offset = sort.offset, limit] {
        return make_changelog_limit(types, offset, limit);
      },
      lowering);
}

/// ORDER BY and LIMIT over a stream: a Top-N without keys.
Status lower_top(const plan::SortNode& sort, Lowering& lowering) {
  RankOptions options;
  options.types = column_types(*sort.schema);
  options.order = sort_columns(sort.keys);
  options.rank_start = sort.offset + 1;
  options.rank_end = sort.offset + sort.limit;
  options.retracts = lowering.facts().of(sort.inputs[0]).retracts;
  options.ttl_ms = lowering.settings().state_ttl_ms;
  return add_single(
      sort, kRankTimeGrain, [options] { return make_rank(options); }, lowering);
}

bool is_by_time(const plan::SortNode& sort, PlanFacts& facts) {
  return !sort.keys[0].descending &&
         time_of(sort.inputs[0], sort.keys[0].column, facts) != TimeAttribute::kNone;
}

/// Also of bounded inputs: which rows are late does not depend on whether the input ends.
Status lower_sort_by_time(const plan::SortNode& sort, Lowering& lowering) {
  TemporalSortOptions options;
  options.types = column_types(*sort.schema);
  options.by_processing_time =
      time_of(sort.inputs[0], sort.keys[0].column, lowering.facts()) == TimeAttribute::kProctime;
  if (!options.by_processing_time) options.time_column = sort.keys[0].column;
  options.order = sort_columns(sort.keys);
  options.order.erase(options.order.begin());
  if (options.by_processing_time && options.order.empty()) {
    // As they come, they are in order.
    return add_single(
        sort, kLimitTimeGrain,
        []() -> Result<std::unique_ptr<Operator>> {
          return make_limit(0, std::numeric_limits<std::int64_t>::max());
        },
        lowering);
  }
  return add_single(
      sort, temporal_sort_time_grain(options), [options] { return make_temporal_sort(options); },
      lowering);
}

Status lower_sort(const plan::SortNode& sort, Lowering& lowering) {
  PlanFacts& facts = lowering.facts();
  const StreamFacts& input = facts.of(sort.inputs[0]);
  if (sort.per_epoch) return lower_sort_at_end(sort, lowering);
  if (sort.keys.empty()) return lower_limit(sort, lowering);
  const bool keeps_all = sort.offset == 0 && sort.limit < 0;
  if (keeps_all && !input.retracts && is_by_time(sort, facts))
    return lower_sort_by_time(sort, lowering);
  if (sort.is_final && input.bounded) return lower_sort_at_end(sort, lowering);
  if (sort.limit > 0) return lower_top(sort, lowering);
  if (sort.limit == 0) return lower_limit(sort, lowering);
  // Within a query the order of rows means nothing, unless some of them are left out.
  if (!sort.is_final && sort.offset == 0) {
    lowering.set_output(sort, lowering.edge_from(sort.inputs[0], Exchange::kForward).from);
    return Status::ok();
  }
  return Status(ErrorCode::kNotSupported,
                fmt::format("ORDER BY {} over an unbounded input is not supported: sort on a "
                            "non-time-attribute field",
                            plan::sort_text(*sort.schema, sort.keys)),
                "Order by a row-time column, ascending and first, or add a LIMIT.");
}

Status lower_set_operation(const plan::SetOperationNode& operation, Lowering& lowering) {
  using Kind = SetOperationOptions::Kind;
  SetOperationOptions options;
  if (operation.operation == plan::SetOperationNode::Operation::kIntersect) {
    options.kind = operation.all ? Kind::kIntersectAll : Kind::kIntersect;
  } else {
    options.kind = operation.all ? Kind::kExceptAll : Kind::kExcept;
  }
  options.types = column_types(*operation.schema);
  options.ttl_ms = lowering.settings().state_ttl_ms;
  std::vector<int> keys;
  for (int i = 0; i < operation.schema->num_fields(); ++i) keys.push_back(i);
  Node node = lowering.make_node(operation);
  lowering.feed_by_key(node, operation.inputs[0], keys, 0);
  lowering.feed_by_key(node, operation.inputs[1], keys, 1);
  node.make_operator = [options] { return make_set_operation(options); };
  return lowering.finish(operation, std::move(node));
}

}  // namespace

void register_sort_lowerings(LoweringRegistry& registry) {
  registry.add<plan::SortNode>(lower_sort);
  registry.add<plan::SetOperationNode>(lower_set_operation);
}

}  // namespace tidegate
