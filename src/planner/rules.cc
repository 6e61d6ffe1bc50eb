// SPDX-License-Identifier: Apache-2.0
#include "planner/rules.h"

namespace tidegate {

const std::vector<Rule>& all_rules() {
  static const std::vector<Rule> rules = {
      {"prune-source-columns", prune_source_columns},
  };
  return rules;
}

}  // namespace tidegate
