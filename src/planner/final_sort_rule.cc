// SPDX-License-Identifier: Apache-2.0
#include "plan/sink.h"
#include "planner/changelog.h"
#include "planner/rewrite.h"
#include "planner/rules.h"

namespace tidegate {
namespace {

/// The first rows are told as they change to a table that takes changes, since they may be asked
/// for before the input ends. Whoever looks at the result of a query, or a table that only grows,
/// gets them in order when it has ended.
bool wants_final_rows(const plan::Node& root, const LoweringOptions& options) {
  const auto* sink = dynamic_cast<const plan::SinkNode*>(&root);
  return sink == nullptr || sink->instance != nullptr || options.sinks.contains(sink->name) ||
         !sink_takes_changes(*sink, options);
}

}  // namespace

Status mark_final_sorts(const std::vector<plan::NodePtr>& roots, const LoweringOptions& options) {
  const auto readers = count_readers(roots);
  for (const plan::NodePtr& root : roots) {
    for (plan::Input input : root->inputs) {
      while (auto* project = input_as<plan::ProjectNode>(input)) {
        if (readers.at(project) > 1) break;
        input = project->inputs[0];
      }
      auto* sort = input_as<plan::SortNode>(input);
      if (sort == nullptr || readers.at(sort) > 1) continue;
      sort->is_final = sort->limit < 0 || wants_final_rows(*root, options);
    }
  }
  return Status::ok();
}

}  // namespace tidegate
