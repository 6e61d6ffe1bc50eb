// SPDX-License-Identifier: Apache-2.0
#include "expr/columns_of.h"

#include <arrow/array/array_base.h>

#include <utility>

namespace tidegate {

void mark_columns(const ExprPtr& expr, std::vector<bool>& used) {
  if (expr->kind() == Expr::Kind::kColumn) used[static_cast<std::size_t>(expr->column())] = true;
  for (const ExprPtr& arg : expr->args()) mark_columns(arg, used);
}

bool reads_columns(const ExprPtr& expr, int from, int to) {
  if (expr->kind() == Expr::Kind::kColumn) return expr->column() >= from && expr->column() < to;
  for (const ExprPtr& arg : expr->args()) {
    if (reads_columns(arg, from, to)) return true;
  }
  return false;
}

ExprPtr map_columns(const ExprPtr& expr, const std::function<ExprPtr(const ExprPtr&)>& replace) {
  if (expr->kind() == Expr::Kind::kColumn) return replace(expr);
  if (expr->args().empty()) return expr;
  bool changed = false;
  std::vector<ExprPtr> args;
  args.reserve(expr->args().size());
  for (const ExprPtr& arg : expr->args()) {
    args.push_back(map_columns(arg, replace));
    changed = changed || args.back() != arg;
  }
  return changed ? with_args(expr, std::move(args)) : expr;
}

ExprPtr remap_columns(const ExprPtr& expr, std::span<const int> new_index) {
  return map_columns(expr, [&](const ExprPtr& column) {
    const int index = new_index[static_cast<std::size_t>(column->column())];
    return index == column->column() ? column : col(index);
  });
}

ExprPtr substitute_columns(const ExprPtr& expr, std::span<const ExprPtr> columns) {
  return map_columns(expr, [&](const ExprPtr& column) {
    return columns[static_cast<std::size_t>(column->column())];
  });
}

std::vector<ExprPtr> conjuncts_of(const ExprPtr& condition) {
  std::vector<ExprPtr> found;
  if (condition == nullptr) return found;
  if (condition->kind() != Expr::Kind::kAnd) return {condition};
  for (const ExprPtr& arg : condition->args()) {
    for (ExprPtr& each : conjuncts_of(arg)) found.push_back(std::move(each));
  }
  return found;
}

ExprPtr conjunction_of(std::vector<ExprPtr> conditions) {
  if (conditions.empty()) return nullptr;
  if (conditions.size() == 1) return std::move(conditions[0]);
  return logical_and(std::move(conditions));
}

bool same_expr(const ExprPtr& a, const ExprPtr& b) {
  if (a == b) return true;
  if (a->kind() != b->kind() || a->args().size() != b->args().size()) return false;
  switch (a->kind()) {
    case Expr::Kind::kColumn:
      return a->column() == b->column();
    case Expr::Kind::kLiteral:
      return a->type() == b->type() && a->value()->Equals(*b->value());
    case Expr::Kind::kCall:
      if (a->function() != b->function()) return false;
      break;
    case Expr::Kind::kCast:
    case Expr::Kind::kTryCast:
      if (!(a->type() == b->type())) return false;
      break;
    default:
      break;
  }
  for (std::size_t i = 0; i < a->args().size(); ++i) {
    if (!same_expr(a->args()[i], b->args()[i])) return false;
  }
  return true;
}

}  // namespace tidegate
