// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "expr/bind.h"
#include "types/batch.h"

namespace tidegate {

struct ExprProgram;  // expr/expr_program.h

/// Expressions over the columns of a batch, made ready to be evaluated again and again, a batch at
/// a time. What several of them have in common is evaluated once; constants are not spread out; the
/// parts of AND, OR and CASE that can fail see only the rows that reach them. Immutable: several
/// threads may evaluate, each with an EvalContext of its own.
class CompiledProjection {
 public:
  static Result<CompiledProjection> compile(std::span<const BoundExprPtr> exprs);
  /// Binds and compiles.
  static Result<CompiledProjection> compile(std::span<const ExprPtr> exprs, const Schema& schema,
                                            const FunctionRegistry& registry);

  /// One type per expression.
  const std::vector<LogicalType>& types() const { return types_; }
  /// One array per expression, of batch.num_rows() entries.
  Result<std::vector<ArrayPtr>> evaluate(const Batch& batch, EvalContext& context) const;

  CompiledProjection(CompiledProjection&&) noexcept;
  CompiledProjection& operator=(CompiledProjection&&) noexcept;
  ~CompiledProjection();

 private:
  friend class CompiledFilter;
  CompiledProjection(std::unique_ptr<const ExprProgram> program, std::vector<LogicalType> types);

  std::unique_ptr<const ExprProgram> program_;
  std::vector<LogicalType> types_;
};

/// One expression.
class CompiledExpr {
 public:
  static Result<CompiledExpr> compile(const ExprPtr& expr, const Schema& schema,
                                      const FunctionRegistry& registry);

  const LogicalType& type() const { return projection_.types()[0]; }
  Result<ArrayPtr> evaluate(const Batch& batch, EvalContext& context) const;

 private:
  explicit CompiledExpr(CompiledProjection projection) : projection_(std::move(projection)) {}
  CompiledProjection projection_;
};

/// A condition on rows.
class CompiledFilter {
 public:
  /// kTypeMismatch when the expression is not BOOLEAN.
  static Result<CompiledFilter> compile(const ExprPtr& condition, const Schema& schema,
                                        const FunctionRegistry& registry);

  /// The rows where the condition is true, in order, for Batch::take(); replaces what is in `rows`.
  Status select(const Batch& batch, EvalContext& context, std::vector<std::int32_t>& rows) const;

 private:
  explicit CompiledFilter(CompiledProjection projection) : projection_(std::move(projection)) {}
  CompiledProjection projection_;
};

}  // namespace tidegate
