// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "expr/expr.h"
#include "expr/function_registry.h"

namespace tidegate {

/// The number of calls, columns and literals, but at most `most`.
int count_parts(const ExprPtr& expr, int most);
/// False when a second evaluation may answer something else. Unknown functions are taken as such.
bool is_deterministic(const ExprPtr& expr, const FunctionRegistry* functions);
/// The columns that it reads, rising.
std::vector<int> columns_read(const ExprPtr& expr);

/// What a condition without columns answers, if that is known now: nullopt inside for NULL.
struct KnownCondition {
  bool is_known = false;
  std::optional<bool> value;
};
KnownCondition known_condition(const ExprPtr& expr, const FunctionRegistry* functions);

/// True when the condition cannot be true where all of these columns are null.
bool rejects_nulls(const ExprPtr& condition, const Schema& schema, int from, int to,
                   const FunctionRegistry* functions);

}  // namespace tidegate
