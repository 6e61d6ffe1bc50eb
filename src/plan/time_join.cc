// SPDX-License-Identifier: Apache-2.0
#include "plan/time_join.h"

#include <fmt/format.h>

#include <utility>

namespace tidegate::plan {
namespace {

std::string condition_text(const Node& join, const ExprPtr& condition) {
  if (condition == nullptr) return "true";
  std::vector<Field> fields = join.inputs[0].schema()->fields();
  const std::vector<Field>& right = join.inputs[1].schema()->fields();
  fields.insert(fields.end(), right.begin(), right.end());
  const Schema both(std::move(fields));
  return condition->to_string(&both);
}

}  // namespace

IntervalJoinNode::IntervalJoinNode(Input left, Input right, JoinType type, TimeBounds bounds,
                                   ExprPtr condition, SchemaPtr schema)
    : Node({std::move(left), std::move(right)}),
      type(type),
      bounds(bounds),
      condition(std::move(condition)) {
  this->schema = std::move(schema);
}

std::string IntervalJoinNode::details() const {
  const std::string& left = inputs[0].schema()->field(bounds.left_time).name;
  return fmt::format("{}, {} in {}{} {:+} ms, {} {:+} ms{}, on={}", join_type_name(type),
                     inputs[1].schema()->field(bounds.right_time).name,
                     bounds.lower_inclusive ? "[" : "(", left, bounds.lower_ms, left,
                     bounds.upper_ms, bounds.upper_inclusive ? "]" : ")",
                     condition_text(*this, condition));
}

WindowJoinNode::WindowJoinNode(Input left, Input right, JoinType type, WindowSide left_window,
                               WindowSide right_window, ExprPtr condition, SchemaPtr schema)
    : Node({std::move(left), std::move(right)}),
      type(type),
      left_window(left_window),
      right_window(right_window),
      condition(std::move(condition)) {
  this->schema = std::move(schema);
}

std::string WindowJoinNode::details() const {
  return fmt::format("{}, on={}", join_type_name(type), condition_text(*this, condition));
}

}  // namespace tidegate::plan
