// SPDX-License-Identifier: Apache-2.0
//
// What functions need to bind to the types of their arguments.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "expr/expr.h"
#include "expr/function_registry.h"

namespace tidegate {

/// kTypeMismatch: "SUM takes one number, not (STRING)".
Status argument_mismatch(std::string_view function, std::string_view takes,
                         std::span<const LogicalType> arguments);

using Bind = std::function<Result<BoundFunction>(std::span<const LogicalType>)>;
using Evaluate = std::function<Result<ArrayPtr>(std::span<const Argument> arguments,
                                                std::int64_t num_rows, EvalContext& context)>;

/// A function with fixed parameters. An argument fits a parameter of its own family (text, bytes,
/// whole numbers; any number fits DOUBLE) and NULL fits everywhere; it is cast to the parameter.
struct FixedSignature {
  std::string name = {};
  std::string takes;  ///< for errors: "a string and a number"
  std::vector<LogicalType> parameters;
  std::size_t required = static_cast<std::size_t>(-1);  ///< parameters without a default; -1: all
  bool variadic = false;                                ///< the last one may be repeated
  LogicalType result;                                   ///< nullable when an argument is
  bool may_be_null = false;  ///< the result may be NULL though no argument is
  bool can_fail = false;
  bool uses_context = false;
};
Bind bind_fixed(FixedSignature signature, Evaluate evaluate);

/// The types of parameters.
inline LogicalType text_type() { return LogicalType::string(); }
inline LogicalType integer_type() { return LogicalType(TypeKind::kBigInt); }
inline LogicalType double_type() { return LogicalType(TypeKind::kDouble); }
inline LogicalType boolean_type() { return LogicalType(TypeKind::kBoolean); }

/// Fails with kTypeMismatch for a rewriting function that does not have from `least` to `most`
/// arguments.
Status check_argument_count(std::string_view function, std::span<const ExprPtr> arguments,
                            std::size_t least, std::size_t most);

}  // namespace tidegate
