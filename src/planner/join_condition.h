// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "expr/expr.h"
#include "plan/join.h"
#include "plan/node.h"

namespace tidegate {

/// An equality of a left and a right value among the conjuncts of a join's condition.
struct EquiPair {
  ExprPtr left;   ///< over the left's columns
  ExprPtr right;  ///< over the right's columns (from 0)
  bool null_safe = false;
  int conjunct = 0;  ///< its place among the conjuncts

  bool is_columns() const {
    return left->kind() == Expr::Kind::kColumn && right->kind() == Expr::Kind::kColumn;
  }
};

/// All equalities: `a = b`, `a IS NOT DISTINCT FROM b` and what is meant by it, `a = b OR (a IS
/// NULL AND b IS NULL)`; with a value of one side only on each side.
std::vector<EquiPair> equi_pairs_of(const std::vector<ExprPtr>& conjuncts, int left_width);

/// A condition as a join operator wants it.
struct SplitCondition {
  std::vector<int> left_keys;
  std::vector<int> right_keys;
  std::vector<bool> null_safe;
  std::vector<ExprPtr> rest;  ///< over the columns of both sides
  bool any_null_safe() const;
};

/// Equalities of columns of the same type become keys; conjuncts in `keep_apart` do not.
SplitCondition split_condition(const ExprPtr& condition, const Schema& left, const Schema& right,
                               int keep_apart = -1);

/// The same for operators that know no keys in which null equals null: such equalities become
/// conditions.
SplitCondition split_without_null_safe(const ExprPtr& condition, const Schema& left,
                                       const Schema& right);

/// True when values of these types are equal exactly if their bytes as keys are.
bool same_key_type(const LogicalType& a, const LogicalType& b);

/// The columns of both sides, for conditions.
SchemaPtr joined_schema(const Schema& left, const Schema& right);

}  // namespace tidegate
