// SPDX-License-Identifier: Apache-2.0
#include "expr/compiled_expr.h"

#include <utility>

#include "base/check.h"
#include "expr/expr_frame.h"

namespace tidegate {

CompiledProjection::CompiledProjection(std::unique_ptr<const ExprProgram> program,
                                       std::vector<LogicalType> types)
    : program_(std::move(program)), types_(std::move(types)) {}
CompiledProjection::CompiledProjection(CompiledProjection&&) noexcept = default;
CompiledProjection& CompiledProjection::operator=(CompiledProjection&&) noexcept = default;
CompiledProjection::~CompiledProjection() = default;

Result<CompiledProjection> CompiledProjection::compile(std::span<const BoundExprPtr> exprs) {
  ExprProgramBuilder builder;
  std::vector<LogicalType> types;
  for (const BoundExprPtr& expr : exprs) {
    builder.add_output(expr);
    types.push_back(expr->type);
  }
  return CompiledProjection(std::make_unique<const ExprProgram>(builder.finish()),
                            std::move(types));
}

Result<CompiledProjection> CompiledProjection::compile(std::span<const ExprPtr> exprs,
                                                       const Schema& schema,
                                                       const FunctionRegistry& registry) {
  std::vector<BoundExprPtr> bound;
  for (const ExprPtr& expr : exprs) {
    TG_ASSIGN_OR_RETURN(bound.emplace_back(), bind(expr, schema, registry));
  }
  return compile(bound);
}

Result<std::vector<ArrayPtr>> CompiledProjection::evaluate(const Batch& batch,
                                                           EvalContext& context) const {
  context.now_ms.reset();
  ExprFrame frame(*program_, batch, context);
  std::vector<ArrayPtr> columns;
  columns.reserve(program_->outputs.size());
  for (int output : program_->outputs) {
    TG_ASSIGN_OR_RETURN(columns.emplace_back(), frame.column(output));
  }
  return columns;
}

Result<CompiledExpr> CompiledExpr::compile(const ExprPtr& expr, const Schema& schema,
                                           const FunctionRegistry& registry) {
  TG_ASSIGN_OR_RETURN(CompiledProjection projection,
                      CompiledProjection::compile({&expr, 1}, schema, registry));
  return CompiledExpr(std::move(projection));
}

Result<ArrayPtr> CompiledExpr::evaluate(const Batch& batch, EvalContext& context) const {
  TG_ASSIGN_OR_RETURN(std::vector<ArrayPtr> columns, projection_.evaluate(batch, context));
  return std::move(columns[0]);
}

Result<CompiledFilter> CompiledFilter::compile(const ExprPtr& condition, const Schema& schema,
                                               const FunctionRegistry& registry) {
  TG_ASSIGN_OR_RETURN(BoundExprPtr bound, bind(condition, schema, registry));
  const LogicalType boolean(TypeKind::kBoolean);
  if (bound->type.kind() == TypeKind::kNull) {
    TG_ASSIGN_OR_RETURN(bound, bind_cast(std::move(bound), boolean, registry));
  }
  if (bound->type.kind() != TypeKind::kBoolean)
    return error(ErrorCode::kTypeMismatch, "the condition {} is of type {}, not BOOLEAN",
                 condition->to_string(&schema), bound->type.to_string());
  TG_ASSIGN_OR_RETURN(CompiledProjection projection, CompiledProjection::compile({&bound, 1}));
  return CompiledFilter(std::move(projection));
}

Status CompiledFilter::select(const Batch& batch, EvalContext& context,
                              std::vector<std::int32_t>& rows) const {
  context.now_ms.reset();
  ExprFrame frame(*projection_.program_, batch, context);
  TG_ASSIGN_OR_RETURN(const BooleanBits bits, frame.bits(projection_.program_->outputs[0]));
  bits.rows_true(rows);
  return Status::ok();
}

}  // namespace tidegate
