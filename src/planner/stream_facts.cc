// SPDX-License-Identifier: Apache-2.0
#include "planner/stream_facts.h"

#include <algorithm>
#include <utility>

#include "planner/changelog.h"
#include "planner/time_properties.h"
#include "planner/unique_keys.h"

namespace tidegate {

const StreamFacts& PlanFacts::of(const plan::Input& input) {
  // Late rows and the like: as they came, and nothing is known of them.
  if (input.side >= 0) return none_;
  if (!facts_.contains(input.node.get())) kept_.push_back(input.node);
  return of(*input.node);
}

const StreamFacts& PlanFacts::of(const plan::Node& node) {
  if (const auto found = facts_.find(&node); found != facts_.end()) return *found->second;
  std::vector<const StreamFacts*> inputs;
  for (const plan::Input& input : node.inputs) inputs.push_back(&of(input));
  auto facts = std::make_unique<StreamFacts>();
  facts->bounded = inputs.empty() ? bounded_.contains(&node)
                                  : std::all_of(inputs.begin(), inputs.end(),
                                                [](const auto* input) { return input->bounded; });
  facts->retracts = output_retracts(node, inputs, facts->bounded, options_);
  facts->tells_before = output_tells_before(node, inputs);
  infer_time_properties(node, inputs, *facts);
  facts->keys = unique_keys_of(node, inputs);
  facts->kept_keys = facts->retracts ? kept_keys_of(node, inputs) : facts->keys;
  return *(facts_[&node] = std::move(facts));
}

}  // namespace tidegate
