// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "plan/lookup_join.h"
#include "planner/connector_request.h"
#include "planner/rewrite.h"
#include "planner/rules.h"

namespace tidegate {
namespace {

/// Whether the table is read to its end by itself. Making a source touches nothing outside yet.
bool ends(const plan::SourceNode& source, const LoweringOptions& options) {
  if (source.instance != nullptr || options.sources.contains(source.name) ||
      options.connectors == nullptr) {
    return false;
  }
  const auto maker = connector_source_maker(source, options);
  if (!maker.is_ok()) return false;
  const Result<std::shared_ptr<Source>> made = (*maker)();
  return made.is_ok() && (*made)->is_bounded();
}

}  // namespace

Result<plan::NodePtr> find_lookup_join(const plan::NodePtr& node, PlanFacts& facts) {
  const auto* join = node_as<plan::TemporalJoinNode>(node);
  if (join == nullptr || join->time_column >= 0) return node;
  std::vector<plan::NodePtr> steps;
  plan::Input input = join->inputs[1];
  while (input_as<plan::ProjectNode>(input) != nullptr ||
         input_as<plan::FilterNode>(input) != nullptr) {
    steps.push_back(input.node);
    input = input.node->inputs[0];
  }
  auto table = std::dynamic_pointer_cast<plan::SourceNode>(input.node);
  if (table == nullptr || facts.of(input).retracts || !ends(*table, facts.options())) return node;
  std::reverse(steps.begin(), steps.end());
  return std::make_shared<plan::LookupJoinNode>(join->inputs[0], std::move(table), std::move(steps),
                                                join->outer, join->condition, join->schema);
}

}  // namespace tidegate
