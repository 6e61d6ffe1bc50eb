// SPDX-License-Identifier: Apache-2.0
#include "plan/sink.h"
#include "plan/window.h"
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
    const bool final_rows = wants_final_rows(*root, options);
    for (plan::Input input : root->inputs) {
      bool sorted = false;
      while (input.side < 0 && readers.at(input.node.get()) == 1) {
        if (auto* sort = input_as<plan::SortNode>(input); sort != nullptr && !sorted) {
          sort->is_final = sort->limit < 0 || final_rows;
          sorted = true;
        } else if (auto* over = input_as<plan::OverNode>(input)) {
          over->at_end = final_rows;
          sorted = true;
        } else if (input_as<plan::FilterNode>(input) != nullptr) {
          sorted = true;  // and what is below has no say in the order of the result
        } else if (input_as<plan::ProjectNode>(input) == nullptr) {
          break;
        }
        input = input.node->inputs[0];
      }
    }
  }
  return Status::ok();
}

}  // namespace tidegate
