// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "expr/columns_of.h"
#include "plan/join.h"
#include "planner/expr_properties.h"
#include "planner/rewrite.h"
#include "planner/rules.h"

namespace tidegate {
namespace {

using plan::JoinType;

JoinType without_left_padding(JoinType type) {
  return type == JoinType::kFull ? JoinType::kLeft
                                 : (type == JoinType::kRight ? JoinType::kInner : type);
}
JoinType without_right_padding(JoinType type) {
  return type == JoinType::kFull ? JoinType::kRight
                                 : (type == JoinType::kLeft ? JoinType::kInner : type);
}

}  // namespace

Result<plan::NodePtr> outer_to_inner(const plan::NodePtr& node, PlanFacts& facts) {
  auto* filter = node_as<plan::FilterNode>(node);
  if (filter == nullptr) return node;
  // A projection in between only renames; the condition is looked at behind it.
  plan::Input below = filter->inputs[0];
  ExprPtr condition = filter->condition;
  auto* project = input_as<plan::ProjectNode>(below);
  if (project != nullptr) {
    condition = substitute_columns(condition, project->columns);
    below = project->inputs[0];
  }
  const auto* join = input_as<plan::JoinNode>(below);
  if (join == nullptr || join->type == JoinType::kInner || join->type == JoinType::kSemi ||
      join->type == JoinType::kAnti) {
    return node;
  }
  const FunctionRegistry* functions = facts.options().functions;
  const int left_width = join->inputs[0].schema()->num_fields();
  const int width = join->schema->num_fields();
  JoinType type = join->type;
  // Rows padded on the left are those whose left columns are all null.
  if (rejects_nulls(condition, *join->schema, 0, left_width, functions)) {
    type = without_left_padding(type);
  }
  if (rejects_nulls(condition, *join->schema, left_width, width, functions)) {
    type = without_right_padding(type);
  }
  if (type == join->type) return node;
  auto narrower =
      std::make_shared<plan::JoinNode>(join->inputs[0], join->inputs[1], type, join->condition);
  narrower->left_ttl_ms = join->left_ttl_ms;
  narrower->right_ttl_ms = join->right_ttl_ms;
  plan::Input input{narrower};
  if (project != nullptr) {
    input = {
        std::make_shared<plan::ProjectNode>(std::move(input), project->columns, project->schema)};
  }
  return std::make_shared<plan::FilterNode>(std::move(input), filter->condition);
}

}  // namespace tidegate
