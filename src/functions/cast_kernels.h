// SPDX-License-Identifier: Apache-2.0
//
// CAST between pairs of types. A kernel casts a whole column; when it is strict, a value that
// cannot be cast fails with kCastFailed and says which, else (TRY_CAST) it becomes NULL.
#pragma once

#include <functional>
#include <optional>

#include "expr/function_registry.h"
#include "types/column.h"

namespace tidegate {

struct CastKernel {
  std::function<Result<ArrayPtr>(const ArrayPtr& values, EvalContext& context)> cast;
  bool can_fail = false;
  bool uses_context = false;
};

/// The kernel of a pair of types, none when the pair cannot be cast. Nullability does not matter.
std::optional<CastKernel> find_cast(const LogicalType& from, const LogicalType& to, bool strict);

/// The parts of find_cast, by family.
std::optional<CastKernel> find_number_cast(const LogicalType& from, const LogicalType& to);
std::optional<CastKernel> find_cast_to_text(const LogicalType& from, const LogicalType& to);
std::optional<CastKernel> find_cast_from_text(const LogicalType& from, const LogicalType& to,
                                              bool strict);
std::optional<CastKernel> find_time_cast(const LogicalType& from, const LogicalType& to);
std::optional<CastKernel> find_nested_cast(const LogicalType& from, const LogicalType& to,
                                           bool strict);

/// kCastFailed: "cannot cast 'abc' to INT".
Status cast_failed(std::string_view value, const LogicalType& to);

}  // namespace tidegate
