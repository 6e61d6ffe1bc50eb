// SPDX-License-Identifier: Apache-2.0
#include "planner/split_distinct.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "plan/aggregate.h"
#include "planner/rewrite.h"

namespace tidegate {
namespace {

/// The column whose distinct values all calls are about; -1: they are not.
int distinct_column(const plan::AggregateNode& aggregate) {
  int column = -1;
  for (const plan::AggregateCall& call : aggregate.calls) {
    if (!call.distinct || call.filter >= 0 || call.arguments.size() != 1) return -1;
    if (column >= 0 && call.arguments[0] != column) return -1;
    column = call.arguments[0];
  }
  return std::ranges::find(aggregate.keys, column) == aggregate.keys.end() ? column : -1;
}

std::string without_distinct(std::string text) {
  const auto at = text.find("DISTINCT ");
  return at == std::string::npos ? text : text.erase(at, std::string_view("DISTINCT ").size());
}

}  // namespace

Result<plan::NodePtr> split_distinct(const plan::NodePtr& node, PlanFacts& facts) {
  const auto* aggregate = node_as<plan::AggregateNode>(node);
  if (aggregate == nullptr || aggregate->append) return node;
  TG_ASSIGN_OR_RETURN(const bool enabled, facts.options().settings.get_bool_or(
                                              "table.optimizer.distinct-agg.split.enabled", false));
  const int column = enabled ? distinct_column(*aggregate) : -1;
  if (column < 0) return node;
  std::vector<int> values = aggregate->keys;
  values.push_back(column);
  auto distinct = std::make_shared<plan::AggregateNode>(aggregate->inputs[0], std::move(values),
                                                        std::vector<plan::AggregateCall>());
  distinct->append = false;
  distinct->ttl_ms = aggregate->ttl_ms;
  distinct->parallelism = aggregate->parallelism;
  distinct->place = aggregate->place;
  std::vector<int> keys;
  for (std::size_t i = 0; i < aggregate->keys.size(); ++i) keys.push_back(static_cast<int>(i));
  std::vector<plan::AggregateCall> calls = aggregate->calls;
  for (plan::AggregateCall& call : calls) {
    call.distinct = false;
    call.arguments = {static_cast<int>(keys.size())};
    call.text = without_distinct(call.text);
  }
  auto of_values = std::make_shared<plan::AggregateNode>(plan::Input{std::move(distinct)},
                                                         std::move(keys), std::move(calls));
  of_values->append = false;
  of_values->emit_empty = aggregate->emit_empty;
  of_values->ttl_ms = aggregate->ttl_ms;
  of_values->parallelism = aggregate->parallelism;
  of_values->place = aggregate->place;
  of_values->schema = aggregate->schema;
  return plan::NodePtr(std::move(of_values));
}

}  // namespace tidegate
