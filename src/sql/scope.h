// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "expr/expr.h"
#include "plan/node.h"
#include "sql/syntax.h"
#include "tidegate/status.h"

namespace tidegate::sql {

/// While a SELECT is bound, what is computed in later steps stands for itself as a column far
/// behind those of its input; each step puts its real columns in the place of its range.
enum PseudoColumn : int {
  kAggregateColumns = 1 << 20,
  kOverColumns = 1 << 21,
  kSubqueryColumns = 1 << 22,
  kOuterColumns = 1 << 23,  ///< columns of the query around a subquery
};

/// A column that expressions may name.
struct ScopeColumn {
  std::string table;  ///< alias of its relation; empty: none
  std::string name;
  ExprPtr value;  ///< over the columns of the plan node that the scope belongs to
  /// Of the right side of USING or NATURAL: only with its table's name.
  bool merged = false;
};

/// The names that are visible to the expressions of a query, in the order of SELECT *.
struct Scope {
  std::vector<ScopeColumn> columns;
  const Scope* outer = nullptr;  ///< of the query around this one
  /// What the columns are of, for a query inside this one; null: unknown.
  const plan::Input* input = nullptr;
};

/// A plan with the names of its columns.
struct BoundRelation {
  plan::Input input;
  Scope scope;

  const Schema& schema() const { return *input.schema(); }
  int width() const { return schema().num_fields(); }
};

/// What a name that may have several parts means: a column, or a field of one
/// ("alias.column.field"). kUnknownName (with the nearest name) or kAmbiguousName.
Result<ExprPtr> resolve(const Scope& scope, const QualifiedName& name);
/// A value of the query around a subquery, as the subquery sees it: behind kOuterColumns.
ExprPtr as_outer(const ExprPtr& value);
/// A correlated condition over both sides of a join: outer columns are those of the left, its own
/// stand behind the `left_width` left ones.
ExprPtr shift_correlated(const ExprPtr& condition, int left_width);
/// The type of event or processing time of a value: that of the column that it is, else kNone.
TimeAttribute time_attribute_of(const ExprPtr& value, const Schema& schema);

/// A field of a ROW value.
ExprPtr field_of(ExprPtr row, const std::string& field);

}  // namespace tidegate::sql
