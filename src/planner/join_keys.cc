// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <utility>

#include "base/check.h"
#include "expr/bind.h"
#include "expr/columns_of.h"
#include "expr/type_rules.h"
#include "plan/join.h"
#include "planner/join_condition.h"
#include "planner/rewrite.h"
#include "planner/rules.h"

namespace tidegate {
namespace {

/// One side of a join with columns for its keys added behind its own.
class KeyedSide {
 public:
  KeyedSide(plan::Input input, const FunctionRegistry& functions)
      : input_(std::move(input)), functions_(functions), columns_(all_columns(*input_.schema())) {
    fields_ = input_.schema()->fields();
  }

  Result<LogicalType> type_of(const ExprPtr& value) const {
    return tidegate::type_of(value, *input_.schema(), functions_);
  }
  /// The column of this value, which is added where it is not one already.
  int column_of(const ExprPtr& value, const LogicalType& type, const LogicalType& wanted) {
    const bool fits = same_key_type(type, wanted);
    if (fits && value->kind() == Expr::Kind::kColumn) return value->column();
    const LogicalType key_type = fits ? type : wanted.with_nullable(type.nullable());
    columns_.push_back(fits ? value : cast(value, key_type));
    fields_.push_back({fmt::format("key_{}", fields_.size()), key_type});
    return static_cast<int>(fields_.size()) - 1;
  }
  int own_width() const { return input_.schema()->num_fields(); }
  int width() const { return static_cast<int>(fields_.size()); }
  plan::Input make() {
    if (width() == own_width()) return input_;
    auto schema = std::make_shared<Schema>(fields_);
    return {std::make_shared<plan::ProjectNode>(input_, std::move(columns_), std::move(schema))};
  }

 private:
  plan::Input input_;
  const FunctionRegistry& functions_;
  std::vector<ExprPtr> columns_;
  std::vector<Field> fields_;
};

/// An equality over the sides' own columns as one of columns, where something is to be added.
struct NewKey {
  int conjunct = 0;
  int left = 0;
  int right = 0;
  bool null_safe = false;
};

Result<std::optional<NewKey>> new_key(const EquiPair& pair, KeyedSide& left, KeyedSide& right) {
  TG_ASSIGN_OR_RETURN(const LogicalType left_type, left.type_of(pair.left));
  TG_ASSIGN_OR_RETURN(const LogicalType right_type, right.type_of(pair.right));
  if (pair.is_columns() && same_key_type(left_type, right_type)) return std::optional<NewKey>();
  const std::optional<LogicalType> common =
      same_key_type(left_type, right_type) ? left_type : comparison_type(left_type, right_type);
  if (!common) return std::optional<NewKey>();
  NewKey key;
  key.conjunct = pair.conjunct;
  key.null_safe = pair.null_safe;
  key.left = left.column_of(pair.left, left_type, *common);
  key.right = right.column_of(pair.right, right_type, *common);
  return std::optional<NewKey>(key);
}

ExprPtr widened(const ExprPtr& condition, int left_width, int new_left_width, int width) {
  std::vector<int> moved;
  for (int i = 0; i < width; ++i) {
    moved.push_back(i < left_width ? i : i + new_left_width - left_width);
  }
  return remap_columns(condition, moved);
}

/// The rewritten inputs and condition of a join; nullopt when nothing is to be done.
struct Keyed {
  plan::Input left;
  plan::Input right;
  ExprPtr condition;
  std::vector<int> output;  ///< the columns of the old output in the new one
};
Result<std::optional<Keyed>> with_keys(const plan::Node& join, const ExprPtr& condition,
                                       bool left_only, const FunctionRegistry& functions) {
  KeyedSide left(join.inputs[0], functions);
  KeyedSide right(join.inputs[1], functions);
  std::vector<ExprPtr> conjuncts = conjuncts_of(condition);
  std::vector<NewKey> keys;
  for (const EquiPair& pair : equi_pairs_of(conjuncts, left.own_width())) {
    TG_ASSIGN_OR_RETURN(const std::optional<NewKey> key, new_key(pair, left, right));
    if (key) keys.push_back(*key);
  }
  if (keys.empty()) return std::optional<Keyed>();
  const int width = left.own_width() + right.own_width();
  for (ExprPtr& each : conjuncts) each = widened(each, left.own_width(), left.width(), width);
  for (const NewKey& key : keys) {
    conjuncts[static_cast<std::size_t>(key.conjunct)] =
        call(key.null_safe ? "IS NOT DISTINCT FROM" : "=",
             {col(key.left), col(key.right + left.width())});
  }
  Keyed keyed;
  for (int i = 0; i < left.own_width(); ++i) keyed.output.push_back(i);
  for (int i = 0; i < right.own_width() && !left_only; ++i) {
    keyed.output.push_back(left.width() + i);
  }
  keyed.left = left.make();
  keyed.right = right.make();
  keyed.condition = conjunction_of(std::move(conjuncts));
  return std::optional<Keyed>(std::move(keyed));
}

}  // namespace

Result<plan::NodePtr> make_join_keys(const plan::NodePtr& node, PlanFacts& facts) {
  const FunctionRegistry* functions = facts.options().functions;
  if (functions == nullptr) return node;
  if (const auto* join = node_as<plan::JoinNode>(node)) {
    const bool left_only =
        join->type == plan::JoinType::kSemi || join->type == plan::JoinType::kAnti;
    TG_ASSIGN_OR_RETURN(std::optional<Keyed> keyed,
                        with_keys(*join, join->condition, left_only, *functions));
    if (!keyed) return node;
    auto made = std::make_shared<plan::JoinNode>(std::move(keyed->left), std::move(keyed->right),
                                                 join->type, std::move(keyed->condition));
    made->null_aware = join->null_aware;
    made->left_ttl_ms = join->left_ttl_ms;
    made->right_ttl_ms = join->right_ttl_ms;
    return project_to({std::move(made)}, keyed->output, node->schema);
  }
  if (const auto* join = node_as<plan::TemporalJoinNode>(node)) {
    TG_ASSIGN_OR_RETURN(std::optional<Keyed> keyed,
                        with_keys(*join, join->condition, false, *functions));
    if (!keyed) return node;
    auto made = std::make_shared<plan::TemporalJoinNode>(
        std::move(keyed->left), std::move(keyed->right), join->outer, join->time_column,
        std::move(keyed->condition));
    return project_to({std::move(made)}, keyed->output, node->schema);
  }
  return node;
}

}  // namespace tidegate
