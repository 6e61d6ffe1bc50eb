// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "types/column.h"
#include "types/decimal.h"
#include "types/logical_type.h"
#include "types/schema.h"

namespace tidegate {

class Expr;
using ExprPtr = std::shared_ptr<const Expr>;

/// An expression over the columns of a row, as it was written: functions by name, no types but
/// those of literals and casts. A value that never changes; subexpressions may be shared. bind()
/// (bind.h) finds the functions and types, CompiledExpr (compiled_expr.h) evaluates.
class Expr {
 public:
  enum class Kind : std::uint8_t {
    kColumn,
    kLiteral,
    kCall,
    kCast,     ///< one argument; fails on a value that does not fit
    kTryCast,  ///< the same, but NULL then
    kAnd,      ///< two or more arguments; those behind a false one are left unevaluated
    kOr,
    kCase,  ///< condition, result, condition, result, ..., result otherwise
  };

  Kind kind() const { return kind_; }
  /// kColumn: index in the schema.
  int column() const { return column_; }
  /// kCall: name as it was written.
  const std::string& function() const { return function_; }
  /// kLiteral: its type; kCast, kTryCast: the target.
  const LogicalType& type() const { return type_; }
  /// kLiteral: an array of one entry.
  const ArrayPtr& value() const { return value_; }
  const std::vector<ExprPtr>& args() const { return args_; }

  /// SQL, with $0, $1 for columns or their names in `schema`.
  std::string to_string(const Schema* schema = nullptr) const;

 private:
  friend struct ExprMaker;
  explicit Expr(Kind kind) : kind_(kind) {}

  Kind kind_;
  int column_ = -1;
  std::string function_;
  LogicalType type_;
  ArrayPtr value_;
  std::vector<ExprPtr> args_;
};

ExprPtr col(int index);

/// Literals have the types that Flink gives them: 'abc' is CHAR(3) NOT NULL, 1 is INT NOT NULL.
ExprPtr lit(std::int32_t value);
ExprPtr lit(std::int64_t value);
ExprPtr lit(double value);
ExprPtr lit(bool value);
ExprPtr lit(std::string_view value);
ExprPtr lit(const char* value);
/// Any other: `value` is an array of one entry of type.arrow_type().
ExprPtr lit(LogicalType type, ArrayPtr value);
/// NULL of a type; of type NULL when there is none to say.
ExprPtr lit_null(LogicalType type = LogicalType());
/// A value of a flat type from its text: lit_text("2020-10-10", LogicalType(TypeKind::kDate)),
/// lit_text("12.30", LogicalType::decimal(4, 2)). Intervals in their unit ("14" months, "1000" ms).
/// kCastFailed when the text is not one.
Result<ExprPtr> lit_text(std::string_view text, const LogicalType& type);

/// A function of the registry, operators by their sign: call("+", {col(0), lit(1)}).
ExprPtr call(std::string_view function, std::vector<ExprPtr> args);
ExprPtr cast(ExprPtr value, LogicalType type);
ExprPtr try_cast(ExprPtr value, LogicalType type);
ExprPtr logical_and(std::vector<ExprPtr> conditions);
ExprPtr logical_or(std::vector<ExprPtr> conditions);
/// CASE WHEN .. THEN .. ... ELSE .. END; without `otherwise`: NULL.
struct CaseBranch {
  ExprPtr condition;
  ExprPtr result;
};
ExprPtr case_when(const std::vector<CaseBranch>& branches, ExprPtr otherwise = nullptr);
/// The same expression over other arguments, as many.
ExprPtr with_args(const ExprPtr& expr, std::vector<ExprPtr> args);

}  // namespace tidegate
