// SPDX-License-Identifier: Apache-2.0
#include "plan/lookup_join.h"

#include <fmt/format.h>

#include <utility>

namespace tidegate::plan {

LookupJoinNode::LookupJoinNode(Input input, std::shared_ptr<SourceNode> table,
                               std::vector<NodePtr> steps, bool outer, ExprPtr condition,
                               SchemaPtr schema)
    : Node({std::move(input)}),
      table(std::move(table)),
      steps(std::move(steps)),
      outer(outer),
      condition(std::move(condition)) {
  this->schema = std::move(schema);
}

std::string LookupJoinNode::details() const {
  std::vector<Field> fields = inputs[0].schema()->fields();
  const std::vector<Field>& looked_up = table_schema()->fields();
  fields.insert(fields.end(), looked_up.begin(), looked_up.end());
  const Schema both(std::move(fields));
  return fmt::format("{}, table={}, on={}", outer ? "left" : "inner", table->name,
                     condition == nullptr ? "true" : condition->to_string(&both));
}

}  // namespace tidegate::plan
