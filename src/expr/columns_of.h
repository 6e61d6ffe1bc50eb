// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "expr/expr.h"

namespace tidegate {

/// Sets used[i] for each column that the expression reads.
void mark_columns(const ExprPtr& expr, std::vector<bool>& used);
/// True when the expression reads a column in [from, to).
bool reads_columns(const ExprPtr& expr, int from, int to);
/// The same expression with `replace(column)` in place of each of its columns.
ExprPtr map_columns(const ExprPtr& expr, const std::function<ExprPtr(const ExprPtr&)>& replace);
/// The same expression where column i stands at new_index[i].
ExprPtr remap_columns(const ExprPtr& expr, std::span<const int> new_index);
/// The same expression with columns[i] in place of column i.
ExprPtr substitute_columns(const ExprPtr& expr, std::span<const ExprPtr> columns);
/// The conditions that `condition` joins by AND; none for null.
std::vector<ExprPtr> conjuncts_of(const ExprPtr& condition);
/// All of them joined by AND; null when there are none.
ExprPtr conjunction_of(std::vector<ExprPtr> conditions);
/// Structurally equal.
bool same_expr(const ExprPtr& a, const ExprPtr& b);

}  // namespace tidegate
