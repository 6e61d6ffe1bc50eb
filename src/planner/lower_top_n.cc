// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "base/check.h"
#include "operators/deduplicate.h"
#include "operators/rank.h"
#include "plan/top_n.h"
#include "planner/changelog.h"
#include "planner/lower_nodes.h"
#include "planner/lower_rows.h"
#include "planner/sort_columns.h"
#include "planner/stream_facts.h"

namespace tidegate {
namespace {

Changelog changelog_of(const StreamFacts& facts) {
  if (!facts.retracts) return Changelog::kAppend;
  return facts.tells_before ? Changelog::kRetract : Changelog::kUpsert;
}

Status lower_rank(const plan::RankNode& rank, Lowering& lowering) {
  const plan::Input& input = rank.inputs[0];
  RankOptions options;
  options.types = column_types(*input.schema());
  options.keys = rank.keys;
  options.order = sort_columns(rank.order);
  options.rank_start = rank.range.start;
  options.rank_end = rank.range.end;
  options.emit_rank_number = rank.with_number;
  options.retracts = lowering.facts().of(input).retracts;
  options.changelog = changelog_of(lowering.facts().of(rank));
  options.ttl_ms = lowering.settings().state_ttl_ms;
  Node node = lowering.make_node(rank);
  lowering.feed_by_key(node, input, rank.keys);
  node.time_grain = kRankTimeGrain;
  node.make_operator = [options] { return make_rank(options); };
  return lowering.finish(rank, std::move(node));
}

Status lower_deduplicate(const plan::DeduplicateNode& deduplicate, Lowering& lowering) {
  const plan::Input& input = deduplicate.inputs[0];
  TG_RETURN_IF_ERROR(check_insert_only_input(deduplicate, input, lowering.facts()));
  DeduplicateOptions options;
  options.types = column_types(*input.schema());
  options.keys = deduplicate.keys;
  options.keep_last = deduplicate.keep_last;
  options.by_event_time = deduplicate.time_column >= 0;
  options.time_column = deduplicate.time_column;
  options.changelog = changelog_of(lowering.facts().of(deduplicate));
  options.ttl_ms = lowering.settings().state_ttl_ms;
  options.late_column = deduplicate.late_column;
  options.keep_ms = deduplicate.keep_ms;
  Node node = lowering.make_node(deduplicate);
  lowering.feed_by_key(node, input, deduplicate.keys);
  node.time_grain = deduplicate_time_grain(options);
  node.make_operator = [options] { return make_deduplicate(options); };
  return lowering.finish(deduplicate, std::move(node));
}

}  // namespace

void register_top_n_lowerings(LoweringRegistry& registry) {
  registry.add<plan::RankNode>(lower_rank);
  registry.add<plan::DeduplicateNode>(lower_deduplicate);
}

}  // namespace tidegate
