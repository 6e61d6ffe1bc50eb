// SPDX-License-Identifier: Apache-2.0
#include "planner/join_condition.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "expr/columns_of.h"

namespace tidegate {
namespace {

constexpr int kAllColumns = 1 << 30;

ExprPtr shifted_left(const ExprPtr& expr, int by) {
  std::vector<int> new_index;
  // Wide enough for any column of the right side that the expression names.
  std::vector<ExprPtr> todo = {expr};
  int last = by;
  while (!todo.empty()) {
    const ExprPtr next = todo.back();
    todo.pop_back();
    if (next->kind() == Expr::Kind::kColumn) last = std::max(last, next->column());
    todo.insert(todo.end(), next->args().begin(), next->args().end());
  }
  for (int i = 0; i <= last; ++i) new_index.push_back(i - by);
  return remap_columns(expr, new_index);
}

bool is_call(const ExprPtr& expr, std::string_view name, std::size_t args) {
  return expr->kind() == Expr::Kind::kCall && expr->function() == name &&
         expr->args().size() == args;
}

/// The two sides of `a = b OR (a IS NULL AND b IS NULL)`.
std::optional<std::pair<ExprPtr, ExprPtr>> null_safe_or(const ExprPtr& expr) {
  if (expr->kind() != Expr::Kind::kOr || expr->args().size() != 2) return std::nullopt;
  for (int swap = 0; swap < 2; ++swap) {
    const ExprPtr& equality = expr->args()[static_cast<std::size_t>(swap)];
    const ExprPtr& nulls = expr->args()[static_cast<std::size_t>(1 - swap)];
    if (!is_call(equality, "=", 2) || nulls->kind() != Expr::Kind::kAnd ||
        nulls->args().size() != 2) {
      continue;
    }
    const ExprPtr& a = nulls->args()[0];
    const ExprPtr& b = nulls->args()[1];
    if (!is_call(a, "IS NULL", 1) || !is_call(b, "IS NULL", 1)) continue;
    const ExprPtr& x = equality->args()[0];
    const ExprPtr& y = equality->args()[1];
    const bool straight = same_expr(a->args()[0], x) && same_expr(b->args()[0], y);
    const bool crossed = same_expr(a->args()[0], y) && same_expr(b->args()[0], x);
    if (straight || crossed) return std::pair(x, y);
  }
  return std::nullopt;
}

std::optional<EquiPair> equi_pair(const ExprPtr& conjunct, int left_width) {
  ExprPtr a;
  ExprPtr b;
  EquiPair pair;
  if (is_call(conjunct, "=", 2) || is_call(conjunct, "IS NOT DISTINCT FROM", 2)) {
    a = conjunct->args()[0];
    b = conjunct->args()[1];
    pair.null_safe = conjunct->function() != "=";
  } else if (const auto sides = null_safe_or(conjunct)) {
    std::tie(a, b) = *sides;
    pair.null_safe = true;
  } else {
    return std::nullopt;
  }
  if (reads_columns(a, left_width, kAllColumns)) std::swap(a, b);
  const bool fits = reads_columns(a, 0, left_width) && !reads_columns(b, 0, left_width) &&
                    !reads_columns(a, left_width, kAllColumns) &&
                    reads_columns(b, left_width, kAllColumns);
  if (!fits) return std::nullopt;
  pair.left = a;
  pair.right = shifted_left(b, left_width);
  return pair;
}

}  // namespace

std::vector<EquiPair> equi_pairs_of(const std::vector<ExprPtr>& conjuncts, int left_width) {
  std::vector<EquiPair> pairs;
  for (std::size_t i = 0; i < conjuncts.size(); ++i) {
    std::optional<EquiPair> pair = equi_pair(conjuncts[i], left_width);
    if (!pair) continue;
    pair->conjunct = static_cast<int>(i);
    pairs.push_back(*std::move(pair));
  }
  return pairs;
}

bool SplitCondition::any_null_safe() const {
  return std::find(null_safe.begin(), null_safe.end(), true) != null_safe.end();
}

bool same_key_type(const LogicalType& a, const LogicalType& b) {
  if (a.same_but_nullability(b)) return true;
  // Texts of any length compare by their characters; CHAR is not padded.
  if (a.is_character() && b.is_character()) return true;
  return a.kind() == TypeKind::kVarbinary && b.kind() == TypeKind::kVarbinary;
}

SplitCondition split_condition(const ExprPtr& condition, const Schema& left, const Schema& right,
                               int keep_apart) {
  SplitCondition split;
  const std::vector<ExprPtr> conjuncts = conjuncts_of(condition);
  std::vector<bool> taken(conjuncts.size(), false);
  for (const EquiPair& pair : equi_pairs_of(conjuncts, left.num_fields())) {
    if (!pair.is_columns() || pair.conjunct == keep_apart) continue;
    const int l = pair.left->column();
    const int r = pair.right->column();
    if (!same_key_type(left.field(l).type, right.field(r).type)) continue;
    taken[static_cast<std::size_t>(pair.conjunct)] = true;
    split.left_keys.push_back(l);
    split.right_keys.push_back(r);
    split.null_safe.push_back(pair.null_safe);
  }
  for (std::size_t i = 0; i < conjuncts.size(); ++i) {
    if (!taken[i] && static_cast<int>(i) != keep_apart) split.rest.push_back(conjuncts[i]);
  }
  return split;
}

SplitCondition split_without_null_safe(const ExprPtr& condition, const Schema& left,
                                       const Schema& right) {
  SplitCondition split = split_condition(condition, left, right);
  if (!split.any_null_safe()) return split;
  SplitCondition out;
  out.rest = std::move(split.rest);
  for (std::size_t i = 0; i < split.left_keys.size(); ++i) {
    if (split.null_safe[i]) {
      out.rest.push_back(
          call("IS NOT DISTINCT FROM",
               {col(split.left_keys[i]), col(split.right_keys[i] + left.num_fields())}));
    } else {
      out.left_keys.push_back(split.left_keys[i]);
      out.right_keys.push_back(split.right_keys[i]);
      out.null_safe.push_back(false);
    }
  }
  return out;
}

SchemaPtr joined_schema(const Schema& left, const Schema& right) {
  std::vector<Field> fields = left.fields();
  fields.insert(fields.end(), right.fields().begin(), right.fields().end());
  return std::make_shared<Schema>(std::move(fields));
}

}  // namespace tidegate
