// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>
#include <utility>

#include "base/check.h"
#include "operators/changelog_rows.h"
#include "plan/changelog.h"
#include "planner/lower_nodes.h"
#include "planner/stream_facts.h"

namespace tidegate {
namespace {

Status add_step(const plan::Node& of, std::function<std::unique_ptr<Operator>()> make,
                Lowering& lowering) {
  Node node = lowering.make_node(of);
  lowering.feed_in_place(node, of.inputs[0]);
  node.time_grain = kChangelogRowsTimeGrain;
  node.make_operator = [make = std::move(make)]() -> Result<std::unique_ptr<Operator>> {
    return make();
  };
  return lowering.finish(of, std::move(node));
}

Status lower_to_changelog(const plan::ToChangelogNode& node, Lowering& lowering) {
  ToChangelogOptions options;
  if (!node.mapping.empty()) {
    TG_ASSIGN_OR_RETURN(options.codes, to_changelog_codes(node.mapping));
  }
  if (!node.full_deletes) {
    const StreamFacts& facts = lowering.facts().of(node.inputs[0]);
    if (facts.keys.empty()) {
      return error(ErrorCode::kInvalidPlan,
                   "produces_full_deletes => false needs an input with a key");
    }
    const ColumnSet& key = facts.keys.front();
    for (int i = 0; i < node.inputs[0].schema()->num_fields(); ++i) {
      if (std::find(key.begin(), key.end(), i) == key.end()) {
        options.columns_null_in_deletes.push_back(i);
      }
    }
  }
  return add_step(
      node, [options] { return make_to_changelog(options); }, lowering);
}

Status lower_from_changelog(const plan::FromChangelogNode& node, Lowering& lowering) {
  FromChangelogOptions options;
  options.op_column = node.op_column;
  options.skip_unknown = node.skip_unknown;
  if (!node.mapping.empty()) {
    TG_ASSIGN_OR_RETURN(options.codes, from_changelog_codes(node.mapping));
  }
  return add_step(
      node, [options] { return make_from_changelog(options); }, lowering);
}

}  // namespace

void register_changelog_lowerings(LoweringRegistry& registry) {
  registry.add<plan::ToChangelogNode>(lower_to_changelog);
  registry.add<plan::FromChangelogNode>(lower_from_changelog);
}

}  // namespace tidegate
