// SPDX-License-Identifier: Apache-2.0
#include "planner/rewrite.h"
#include "planner/rules.h"

namespace tidegate {

Status mark_final_sorts(const std::vector<plan::NodePtr>& roots, const LoweringOptions&) {
  const auto readers = count_readers(roots);
  for (const plan::NodePtr& root : roots) {
    for (plan::Input input : root->inputs) {
      while (auto* project = input_as<plan::ProjectNode>(input)) {
        if (readers.at(project) > 1) break;
        input = project->inputs[0];
      }
      auto* sort = input_as<plan::SortNode>(input);
      if (sort != nullptr && readers.at(sort) == 1) sort->is_final = true;
    }
  }
  return Status::ok();
}

}  // namespace tidegate
