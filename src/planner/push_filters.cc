// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <unordered_set>
#include <utility>

#include "expr/columns_of.h"
#include "plan/aggregate.h"
#include "plan/join.h"
#include "plan/native.h"
#include "plan/predict.h"
#include "plan/window.h"
#include "planner/expr_properties.h"
#include "planner/rewrite.h"
#include "planner/rules.h"

namespace tidegate {
namespace {

using Conditions = std::vector<ExprPtr>;
using plan::JoinType;

/// A condition that repeats a computed column many times is cheaper where it stands.
constexpr int kMostParts = 200;

class FilterPusher {
 public:
  FilterPusher(const std::vector<plan::NodePtr>& roots, const LoweringOptions& options)
      : facts_(options), functions_(options.functions), readers_(count_readers(roots)) {}

  void visit(plan::Input& input) {
    if (const auto* filter = input_as<plan::FilterNode>(input)) {
      input = push(filter->inputs[0], conjuncts_of(filter->condition), is_shared(*filter));
    }
    visit_inputs(*input.node);
  }

 private:
  void visit_inputs(plan::Node& node) {
    if (!seen_.insert(&node).second) return;
    if (auto* join = dynamic_cast<plan::JoinNode*>(&node)) push_on_condition(*join);
    for (plan::Input& input : node.inputs) visit(input);
  }

  bool is_shared(const plan::Node& node) const {
    const auto found = readers_.find(&node);
    return found != readers_.end() && found->second > 1;
  }

  /// The rows of `input` for which the conditions hold, which are checked as far below as can be.
  /// `shared`: there are readers that want the other rows, too, so nothing is changed in place.
  plan::Input push(const plan::Input& input, Conditions conditions, bool shared = false) {
    if (conditions.empty()) return input;
    plan::Input below = input;
    Conditions stay;
    shared = shared || is_shared(*input.node);
    auto* project = input_as<plan::ProjectNode>(input);
    if (input.side >= 0) {
      stay = std::move(conditions);
    } else if (auto* filter = input_as<plan::FilterNode>(input)) {
      Conditions all = conjuncts_of(filter->condition);
      all.insert(all.end(), conditions.begin(), conditions.end());
      return push(filter->inputs[0], std::move(all), shared);
    } else if (shared && project != nullptr) {
      // Columns are cheap to compute twice, for fewer rows.
      auto own = std::make_shared<plan::ProjectNode>(project->inputs[0], project->columns,
                                                     project->schema);
      own->name = project->name;
      stay = push_into_project(*own, std::move(conditions), true);
      below = {std::move(own)};
    } else if (shared) {
      stay = std::move(conditions);
    } else {
      stay = push_into(*input.node, std::move(conditions));
    }
    if (stay.empty()) return below;
    return {std::make_shared<plan::FilterNode>(std::move(below), conjunction_of(std::move(stay)))};
  }

  /// Hands on what can go below `node`; answers the rest.
  Conditions push_into(plan::Node& node, Conditions conditions) {
    if (auto* project = dynamic_cast<plan::ProjectNode*>(&node)) {
      return push_into_project(*project, std::move(conditions), false);
    }
    if (auto* join = dynamic_cast<plan::JoinNode*>(&node)) {
      return push_into_join(*join, std::move(conditions));
    }
    if (auto* merge = dynamic_cast<plan::MergeNode*>(&node)) {
      return push_into_merge(*merge, std::move(conditions));
    }
    if (auto* aggregate = dynamic_cast<plan::AggregateNode*>(&node)) {
      return push_into_aggregate(*aggregate, std::move(conditions));
    }
    return push_into_first_input(node, std::move(conditions), columns_passed(node));
  }

  /// Of nodes whose rows are those of their first input with more columns behind: the columns by
  /// which rows may be left out earlier.
  std::vector<int> columns_passed(const plan::Node& node) {
    std::vector<int> columns;
    const auto all_of_input = [&] {
      for (int i = 0; i < node.inputs[0].schema()->num_fields(); ++i) columns.push_back(i);
    };
    if (const auto* over = dynamic_cast<const plan::OverNode*>(&node)) return over->partition;
    if (const auto* window = dynamic_cast<const plan::WindowFunctionNode*>(&node)) {
      // A row that is missing may end a session.
      if (window->window.kind == Window::Kind::kSession) return window->partition;
      all_of_input();
    } else if (const auto* sort = dynamic_cast<const plan::SortNode*>(&node)) {
      if (sort->limit < 0 && sort->offset == 0) all_of_input();
    } else if (dynamic_cast<const plan::UnnestNode*>(&node) != nullptr ||
               dynamic_cast<const plan::PredictNode*>(&node) != nullptr ||
               dynamic_cast<const plan::TemporalJoinNode*>(&node) != nullptr) {
      all_of_input();
    }
    return columns;
  }

  bool reads_only(const ExprPtr& condition, const std::vector<int>& columns) const {
    const std::vector<int> read = columns_read(condition);
    return !read.empty() && std::all_of(read.begin(), read.end(), [&](int column) {
      return std::find(columns.begin(), columns.end(), column) != columns.end();
    });
  }
  bool may_move(const ExprPtr& condition) const { return is_deterministic(condition, functions_); }

  Conditions push_into_first_input(plan::Node& node, Conditions conditions,
                                   const std::vector<int>& columns) {
    Conditions below;
    Conditions stay;
    for (ExprPtr& each : conditions) {
      (may_move(each) && reads_only(each, columns) ? below : stay).push_back(std::move(each));
    }
    if (!below.empty()) node.inputs[0] = push(node.inputs[0], std::move(below));
    return stay;
  }

  Conditions push_into_project(plan::ProjectNode& project, Conditions conditions, bool shared) {
    Conditions below;
    Conditions stay;
    for (ExprPtr& each : conditions) {
      ExprPtr moved = substitute_columns(each, project.columns);
      if (may_move(moved) && count_parts(moved, kMostParts) < kMostParts) {
        below.push_back(std::move(moved));
      } else {
        stay.push_back(std::move(each));
      }
    }
    if (!below.empty()) project.inputs[0] = push(project.inputs[0], std::move(below), shared);
    return stay;
  }

  Conditions push_into_merge(plan::MergeNode& merge, Conditions conditions) {
    Conditions below;
    Conditions stay;
    for (ExprPtr& each : conditions) {
      (may_move(each) ? below : stay).push_back(std::move(each));
    }
    for (plan::Input& input : merge.inputs) input = push(input, below);
    return stay;
  }

  Conditions push_into_aggregate(plan::AggregateNode& aggregate, Conditions conditions) {
    if (aggregate.append) return conditions;
    std::vector<ExprPtr> keys;
    std::vector<int> columns;
    const WindowColumns& windows = facts_.of(aggregate.inputs[0]).windows;
    for (std::size_t i = 0; i < aggregate.keys.size(); ++i) {
      const int key = aggregate.keys[i];
      keys.push_back(col(key));
      // Between windows and their aggregation nothing should depend on them.
      if (key == windows.start || key == windows.end || key == windows.time) continue;
      columns.push_back(static_cast<int>(i));
    }
    keys.resize(static_cast<std::size_t>(aggregate.schema->num_fields()));
    Conditions below;
    Conditions stay;
    for (ExprPtr& each : conditions) {
      if (may_move(each) && reads_only(each, columns)) {
        below.push_back(substitute_columns(each, keys));
      } else {
        stay.push_back(std::move(each));
      }
    }
    if (!below.empty()) aggregate.inputs[0] = push(aggregate.inputs[0], std::move(below));
    return stay;
  }

  struct Sides {
    Conditions left;
    Conditions right;  ///< over the right's own columns
    Conditions rest;
  };
  Sides sides_of(Conditions conditions, int left_width, bool to_left, bool to_right) const {
    Sides sides;
    for (ExprPtr& each : conditions) {
      const std::vector<int> read = columns_read(each);
      if (read.empty() || !may_move(each)) {
        sides.rest.push_back(std::move(each));
      } else if (read.back() < left_width && to_left) {
        sides.left.push_back(std::move(each));
      } else if (read.front() >= left_width && to_right) {
        std::vector<int> moved(static_cast<std::size_t>(read.back()) + 1);
        for (std::size_t i = 0; i < moved.size(); ++i) moved[i] = static_cast<int>(i) - left_width;
        sides.right.push_back(remap_columns(each, moved));
      } else {
        sides.rest.push_back(std::move(each));
      }
    }
    return sides;
  }

  /// Conditions on the output of a join. A side may be filtered first unless its rows can be
  /// padded with nulls.
  Conditions push_into_join(plan::JoinNode& join, Conditions conditions) {
    const JoinType type = join.type;
    const bool left_only = type == JoinType::kSemi || type == JoinType::kAnti;
    const bool to_left = type == JoinType::kInner || type == JoinType::kLeft || left_only;
    const bool to_right = type == JoinType::kInner || type == JoinType::kRight;
    const int left_width = join.inputs[0].schema()->num_fields();
    Sides sides = sides_of(std::move(conditions), left_width, to_left, to_right);
    if (!sides.left.empty()) join.inputs[0] = push(join.inputs[0], std::move(sides.left));
    if (!sides.right.empty()) join.inputs[1] = push(join.inputs[1], std::move(sides.right));
    if (type != JoinType::kInner) return std::move(sides.rest);
    Conditions stay;
    Conditions on = conjuncts_of(join.condition);
    for (ExprPtr& each : sides.rest) (may_move(each) ? on : stay).push_back(std::move(each));
    join.condition = conjunction_of(std::move(on));
    return stay;
  }

  /// Conjuncts of ON that are about one side, where rows of it that fail just match nothing and are
  /// not part of the result themselves.
  void push_on_condition(plan::JoinNode& join) {
    if (join.null_aware >= 0 || join.condition == nullptr) return;
    const JoinType type = join.type;
    const bool to_left =
        type == JoinType::kInner || type == JoinType::kRight || type == JoinType::kSemi;
    const bool to_right = type != JoinType::kRight && type != JoinType::kFull;
    const int left_width = join.inputs[0].schema()->num_fields();
    Sides sides = sides_of(conjuncts_of(join.condition), left_width, to_left, to_right);
    if (sides.left.empty() && sides.right.empty()) return;
    if (!sides.left.empty()) join.inputs[0] = push(join.inputs[0], std::move(sides.left));
    if (!sides.right.empty()) join.inputs[1] = push(join.inputs[1], std::move(sides.right));
    join.condition = conjunction_of(std::move(sides.rest));
  }

  PlanFacts facts_;
  const FunctionRegistry* functions_;
  std::unordered_map<const plan::Node*, int> readers_;
  std::unordered_set<const plan::Node*> seen_;
};

}  // namespace

Status push_filters(const std::vector<plan::NodePtr>& roots, const LoweringOptions& options) {
  if (options.functions == nullptr) return Status::ok();
  FilterPusher pusher(roots, options);
  for (const plan::NodePtr& root : roots) {
    for (plan::Input& input : root->inputs) pusher.visit(input);
  }
  return Status::ok();
}

}  // namespace tidegate
