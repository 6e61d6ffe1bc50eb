// SPDX-License-Identifier: Apache-2.0
#include "plan/join.h"

#include <fmt/format.h>

#include <utility>

namespace tidegate::plan {
namespace {

/// Columns of both sides; those of a side that may be missing are nullable. Time attributes stay:
/// an interval, window or temporal join keeps them, and the planner refuses what a regular join
/// cannot.
SchemaPtr both_sides(const Schema& left, bool left_nullable, const Schema& right,
                     bool right_nullable) {
  std::vector<Field> fields;
  const auto append = [&](const Schema& side, bool nullable) {
    for (Field field : side.fields()) {
      if (nullable) field.type = field.type.with_nullable(true);
      fields.push_back(std::move(field));
    }
  };
  append(left, left_nullable);
  append(right, right_nullable);
  return std::make_shared<Schema>(std::move(fields));
}

std::string condition_text(const ExprPtr& condition, const Input& left, const Input& right) {
  if (condition == nullptr) return "true";
  const SchemaPtr both = both_sides(*left.schema(), false, *right.schema(), false);
  return condition->to_string(both.get());
}

}  // namespace

std::string_view join_type_name(JoinType type) {
  switch (type) {
    case JoinType::kInner:
      return "inner";
    case JoinType::kLeft:
      return "left";
    case JoinType::kRight:
      return "right";
    case JoinType::kFull:
      return "full";
    case JoinType::kSemi:
      return "semi";
    case JoinType::kAnti:
      return "anti";
  }
  return {};
}

JoinNode::JoinNode(Input left, Input right, JoinType type, ExprPtr condition)
    : Node({std::move(left), std::move(right)}), type(type), condition(std::move(condition)) {
  const Schema& l = *inputs[0].schema();
  if (type == JoinType::kSemi || type == JoinType::kAnti) {
    schema = inputs[0].schema();
    return;
  }
  schema = both_sides(l, type == JoinType::kRight || type == JoinType::kFull, *inputs[1].schema(),
                      type == JoinType::kLeft || type == JoinType::kFull);
}

std::string JoinNode::details() const {
  return fmt::format("{}, on={}{}", join_type_name(type),
                     condition_text(condition, inputs[0], inputs[1]),
                     null_aware >= 0 ? ", null-aware" : "");
}

TemporalJoinNode::TemporalJoinNode(Input left, Input right, bool outer, int time_column,
                                   ExprPtr condition)
    : Node({std::move(left), std::move(right)}),
      outer(outer),
      time_column(time_column),
      condition(std::move(condition)) {
  schema = both_sides(*inputs[0].schema(), false, *inputs[1].schema(), outer);
}

std::string TemporalJoinNode::details() const {
  return fmt::format(
      "{}, as of {}, on={}", outer ? "left" : "inner",
      time_column < 0 ? "processing time" : inputs[0].schema()->field(time_column).name,
      condition_text(condition, inputs[0], inputs[1]));
}

}  // namespace tidegate::plan
