// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "expr/expr.h"
#include "expr/function_registry.h"
#include "types/schema.h"

namespace tidegate {

struct BoundExpr;
using BoundExprPtr = std::shared_ptr<const BoundExpr>;

/// An expression whose types and functions are known. Implicit casts are calls like others,
/// constant parts are literals already.
struct BoundExpr {
  enum class Kind : std::uint8_t { kColumn, kLiteral, kCall, kAnd, kOr, kCase };

  Kind kind = Kind::kLiteral;
  LogicalType type;
  int column = -1;              ///< kColumn
  ArrayPtr value = {};          ///< kLiteral: one entry
  std::string name = {};        ///< kCall: function, for errors and for finding equal calls
  BoundFunction function = {};  ///< kCall
  std::vector<BoundExprPtr> args = {};
  /// Over the whole subtree.
  bool can_fail = false;
  bool deterministic = true;
};

/// Finds the functions and types of an expression over rows of `schema`: casts arguments as Flink
/// does (INT + BIGINT), folds constants, rewrites COALESCE and the like. Errors (kUnknownName,
/// kTypeMismatch, ...) name the part of the expression.
Result<BoundExprPtr> bind(const ExprPtr& expr, const Schema& schema,
                          const FunctionRegistry& registry);

/// `expr` as a value of `type`, with a cast unless it is one already but for nullability.
Result<BoundExprPtr> bind_cast(BoundExprPtr expr, const LogicalType& type,
                               const FunctionRegistry& registry);

/// The type of an expression over rows of `schema`.
Result<LogicalType> type_of(const ExprPtr& expr, const Schema& schema,
                            const FunctionRegistry& registry);

}  // namespace tidegate
