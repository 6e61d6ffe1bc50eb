// SPDX-License-Identifier: Apache-2.0
//
// With watermark.rule per-batch, rows that a filter throws away do not move the watermark, as in
// Spark, which puts the filter in front; but for filters by the event time itself. Rows without
// event time pass.
#include <algorithm>
#include <unordered_map>
#include <vector>

#include "expr/columns_of.h"
#include "plan/relational.h"
#include "plan/source.h"
#include "planner/expr_properties.h"
#include "planner/plan_settings.h"
#include "planner/rewrite.h"
#include "planner/rules.h"

namespace tidegate {
namespace {

using Readers = std::unordered_map<const plan::Node*, std::vector<const plan::Node*>>;

Readers readers_of(const std::vector<plan::NodePtr>& roots) {
  Readers readers;
  for (const plan::Node* node : plan::topological_order(roots)) {
    for (const plan::Input& input : node->inputs) readers[input.node.get()].push_back(node);
  }
  return readers;
}

bool reads_time(const ExprPtr& condition, const Schema& schema) {
  const std::vector<int> columns = columns_read(condition);
  return std::any_of(columns.begin(), columns.end(), [&](int column) {
    return schema.field(column).time == TimeAttribute::kRowtime;
  });
}

/// What must hold of a row of the source to get through the filters right above it.
std::vector<ExprPtr> conditions_above(const plan::SourceNode& source, const Readers& readers) {
  std::vector<ExprPtr> conditions;
  std::vector<ExprPtr> columns = all_columns(*source.schema);
  const plan::Node* node = &source;
  while (true) {
    const auto found = readers.find(node);
    if (found == readers.end() || found->second.size() != 1) return conditions;
    const plan::Node* reader = found->second[0];
    if (const auto* filter = dynamic_cast<const plan::FilterNode*>(reader)) {
      for (const ExprPtr& each : conjuncts_of(filter->condition)) {
        if (reads_time(each, *node->schema)) continue;
        conditions.push_back(substitute_columns(each, columns));
      }
    } else if (const auto* project = dynamic_cast<const plan::ProjectNode*>(reader)) {
      std::vector<ExprPtr> next;
      for (const ExprPtr& column : project->columns) {
        next.push_back(substitute_columns(column, columns));
      }
      columns = std::move(next);
    } else {
      return conditions;
    }
    node = reader;
  }
}

}  // namespace

Status restrict_event_times(const std::vector<plan::NodePtr>& roots,
                            const LoweringOptions& options) {
  if (!is_watermark_per_batch(options.settings)) return Status::ok();
  const Readers readers = readers_of(roots);
  for (plan::Node* node : plan::topological_order(roots)) {
    auto* source = dynamic_cast<plan::SourceNode*>(node);
    if (source == nullptr || source->watermark.kind != WatermarkStrategy::Kind::kBoundedDisorder) {
      continue;
    }
    if (source->event_time == nullptr) {
      if (source->watermark.column < 0) continue;  // the program's own function
      source->event_time = col(source->watermark.column);
    }
    const ExprPtr condition = conjunction_of(conditions_above(*source, readers));
    if (condition != nullptr) source->event_time = call("CASE", {condition, source->event_time});
  }
  return Status::ok();
}

}  // namespace tidegate
