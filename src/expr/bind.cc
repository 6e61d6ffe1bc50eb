// SPDX-License-Identifier: Apache-2.0
#include "expr/bind.h"

#include <arrow/array/array_base.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"
#include "expr/type_rules.h"

namespace tidegate {

namespace {

/// Binding, rewriting and evaluating recurse.
constexpr int kMaxDepth = 500;

std::vector<LogicalType> types_of(const std::vector<BoundExprPtr>& args) {
  std::vector<LogicalType> types;
  for (const BoundExprPtr& arg : args) types.push_back(arg->type);
  return types;
}

std::vector<ArrayPtr> constants_of(const std::vector<BoundExprPtr>& args) {
  std::vector<ArrayPtr> constants;
  for (const BoundExprPtr& arg : args) constants.push_back(arg->value);
  return constants;
}

void inherit(BoundExpr& expr) {
  for (const BoundExprPtr& arg : expr.args) {
    expr.can_fail = expr.can_fail || arg->can_fail;
    expr.deterministic = expr.deterministic && arg->deterministic;
  }
}

/// A call of literals as a literal. One that fails stays a call: it may stand where nobody asks.
BoundExprPtr fold(BoundExprPtr call) {
  if (call->function.uses_context || !call->deterministic) return call;
  std::vector<Argument> arguments;
  for (const BoundExprPtr& arg : call->args) {
    if (arg->kind != BoundExpr::Kind::kLiteral) return call;
    arguments.push_back({arg->value, true});
  }
  EvalContext context;
  Result<ArrayPtr> value = call->function.evaluate(arguments, 1, context);
  if (!value.is_ok()) return call;
  auto literal = std::make_shared<BoundExpr>();
  literal->kind = BoundExpr::Kind::kLiteral;
  literal->type = call->type;
  literal->value = *std::move(value);
  return literal;
}

class Binder {
 public:
  Binder(const Schema& schema, const FunctionRegistry& registry)
      : schema_(schema), registry_(registry) {}

  /// Binds each shared part once: what COALESCE and NULLIF make of themselves shares a lot.
  Result<BoundExprPtr> bind(const ExprPtr& expr) {
    if (const auto found = bound_.find(expr.get()); found != bound_.end()) return found->second;
    if (depth_ >= kMaxDepth)
      return error(ErrorCode::kLimitExceeded, "an expression nests more than {} deep", kMaxDepth);
    ++depth_;
    Result<BoundExprPtr> bound = bind_new(*expr);
    --depth_;
    if (bound.is_ok()) {
      bound_.emplace(expr.get(), *bound);
      kept_.push_back(expr);
    }
    return bound;
  }

  Result<BoundExprPtr> cast(const char* function, BoundExprPtr value, const LogicalType& type) {
    TG_ASSIGN_OR_RETURN(const ScalarFunction* cast, registry_.find(function));
    const LogicalType types[] = {value->type, type};
    TG_ASSIGN_OR_RETURN(BoundFunction bound, cast->bind(types));
    auto call = std::make_shared<BoundExpr>();
    call->kind = BoundExpr::Kind::kCall;
    call->type = bound.result_type;
    call->name = std::string(function) + " " + type.to_string();
    call->can_fail = bound.can_fail;
    call->function = std::move(bound);
    call->args.push_back(std::move(value));
    inherit(*call);
    return fold(std::move(call));
  }

  Result<BoundExprPtr> implicit_cast(BoundExprPtr value, const LogicalType& type) {
    if (value->type.same_but_nullability(type)) return value;
    return cast("CAST", std::move(value), type);
  }

 private:
  Result<BoundExprPtr> bind_new(const Expr& expr) {
    switch (expr.kind()) {
      case Expr::Kind::kColumn:
        return bind_column(expr.column());
      case Expr::Kind::kLiteral: {
        auto literal = std::make_shared<BoundExpr>();
        literal->type = expr.type();
        literal->value = expr.value();
        return literal;
      }
      case Expr::Kind::kCall:
        return bind_call(expr);
      case Expr::Kind::kCast:
      case Expr::Kind::kTryCast: {
        TG_ASSIGN_OR_RETURN(BoundExprPtr value, bind(expr.args()[0]));
        const bool strict = expr.kind() == Expr::Kind::kCast;
        Result<BoundExprPtr> bound =
            strict && value->type.same_but_nullability(expr.type())
                ? std::move(value)
                : cast(strict ? "CAST" : "TRY_CAST", std::move(value), expr.type());
        return in_context(expr, std::move(bound));
      }
      case Expr::Kind::kAnd:
      case Expr::Kind::kOr:
        return bind_logic(expr);
      case Expr::Kind::kCase:
        return bind_case(expr);
    }
    return error(ErrorCode::kInternal, "an expression of unknown kind");
  }

  Result<BoundExprPtr> bind_column(int index) {
    if (index < 0 || index >= schema_.num_fields())
      return error(ErrorCode::kInvalidArgument, "there is no column {} in {}", index,
                   schema_.to_string());
    auto column = std::make_shared<BoundExpr>();
    column->kind = BoundExpr::Kind::kColumn;
    column->type = schema_.field(index).type;
    column->column = index;
    return column;
  }

  Result<BoundExprPtr> bind_call(const Expr& expr) {
    TG_ASSIGN_OR_RETURN(const ScalarFunction* function, registry_.find(expr.function()));
    if (function->rewrite != nullptr) {
      Result<ExprPtr> rewritten = function->rewrite(expr.args());
      if (!rewritten.is_ok()) return in_context(expr, std::move(rewritten).status());
      return bind(*rewritten);
    }
    std::vector<BoundExprPtr> args;
    for (const ExprPtr& arg : expr.args()) {
      TG_ASSIGN_OR_RETURN(args.emplace_back(), bind(arg));
    }
    return in_context(expr, bind_function(*function, std::move(args)));
  }

  static Result<BoundFunction> bind_types(const ScalarFunction& function,
                                          const std::vector<BoundExprPtr>& args) {
    if (function.bind_with_constants != nullptr)
      return function.bind_with_constants(types_of(args), constants_of(args));
    return function.bind(types_of(args));
  }

  Result<BoundExprPtr> bind_function(const ScalarFunction& function,
                                     std::vector<BoundExprPtr> args) {
    TG_ASSIGN_OR_RETURN(BoundFunction bound, bind_types(function, args));
    TG_CHECK(bound.argument_types.empty() || bound.argument_types.size() == args.size(),
             "{} wants {} argument types for {} arguments", function.name,
             bound.argument_types.size(), args.size());
    bool constants_changed = false;
    for (std::size_t i = 0; i < bound.argument_types.size(); ++i) {
      const ArrayPtr before = args[i]->value;
      TG_ASSIGN_OR_RETURN(args[i], implicit_cast(std::move(args[i]), bound.argument_types[i]));
      constants_changed = constants_changed || args[i]->value != before;
    }
    // What a function prepares from constants it prepares from those that it gets.
    if (constants_changed && function.bind_with_constants != nullptr) {
      TG_ASSIGN_OR_RETURN(bound, bind_types(function, args));
    }
    auto call = std::make_shared<BoundExpr>();
    call->kind = BoundExpr::Kind::kCall;
    call->type = bound.result_type;
    call->name = function.name;
    call->can_fail = bound.can_fail;
    call->deterministic = function.deterministic;
    call->function = std::move(bound);
    call->args = std::move(args);
    inherit(*call);
    return fold(std::move(call));
  }

  Result<BoundExprPtr> bind_condition(const Expr& parent, const ExprPtr& condition) {
    TG_ASSIGN_OR_RETURN(BoundExprPtr bound, bind(condition));
    if (bound->type.kind() == TypeKind::kNull)
      return implicit_cast(std::move(bound), LogicalType(TypeKind::kBoolean));
    if (bound->type.kind() == TypeKind::kBoolean) return bound;
    return in_context(parent,
                      error(ErrorCode::kTypeMismatch, "{} is of type {}, a condition is BOOLEAN",
                            condition->to_string(&schema_), bound->type.to_string()));
  }

  Result<BoundExprPtr> bind_logic(const Expr& expr) {
    auto logic = std::make_shared<BoundExpr>();
    logic->kind = expr.kind() == Expr::Kind::kAnd ? BoundExpr::Kind::kAnd : BoundExpr::Kind::kOr;
    for (const ExprPtr& arg : expr.args()) {
      TG_ASSIGN_OR_RETURN(BoundExprPtr bound, bind_condition(expr, arg));
      // (a AND b) AND c is one AND of three.
      if (bound->kind == logic->kind) {
        logic->args.insert(logic->args.end(), bound->args.begin(), bound->args.end());
      } else {
        logic->args.push_back(std::move(bound));
      }
    }
    logic->type = LogicalType(TypeKind::kBoolean, any_nullable(types_of(logic->args)));
    inherit(*logic);
    return logic;
  }

  Result<BoundExprPtr> bind_case(const Expr& expr) {
    auto bound = std::make_shared<BoundExpr>();
    bound->kind = BoundExpr::Kind::kCase;
    std::vector<LogicalType> results;
    for (std::size_t i = 0; i < expr.args().size(); ++i) {
      const bool is_condition = i % 2 == 0 && i + 1 < expr.args().size();
      TG_ASSIGN_OR_RETURN(BoundExprPtr arg, is_condition ? bind_condition(expr, expr.args()[i])
                                                         : bind(expr.args()[i]));
      if (!is_condition) results.push_back(arg->type);
      bound->args.push_back(std::move(arg));
    }
    const std::optional<LogicalType> common = common_type(results);
    if (!common) {
      std::string types;
      for (const LogicalType& type : results)
        types += (types.empty() ? "" : ", ") + type.to_string();
      return in_context(expr, error(ErrorCode::kTypeMismatch,
                                    "the results are of types {} with none in common", types));
    }
    for (std::size_t i = 0; i < bound->args.size(); ++i) {
      if (i % 2 == 0 && i + 1 < bound->args.size()) continue;
      TG_ASSIGN_OR_RETURN(bound->args[i], implicit_cast(std::move(bound->args[i]), *common));
    }
    bound->type = *common;
    inherit(*bound);
    return bound;
  }

  /// Errors say in which part of the expression they are.
  Result<BoundExprPtr> in_context(const Expr& expr, Result<BoundExprPtr> bound) {
    if (bound.is_ok()) return bound;
    constexpr std::size_t kShown = 120;
    std::string text = expr.to_string(&schema_);
    if (text.size() > kShown) text = text.substr(0, kShown) + "...";
    return std::move(bound).status().with_context(text);
  }

  const Schema& schema_;
  const FunctionRegistry& registry_;
  int depth_ = 0;
  std::map<const Expr*, BoundExprPtr> bound_;
  std::vector<ExprPtr> kept_;  // what rewriting made, so that no address in bound_ is used again
};

}  // namespace

Result<BoundExprPtr> bind(const ExprPtr& expr, const Schema& schema,
                          const FunctionRegistry& registry) {
  return Binder(schema, registry).bind(expr);
}

Result<BoundExprPtr> bind_cast(BoundExprPtr expr, const LogicalType& type,
                               const FunctionRegistry& registry) {
  const Schema no_columns;
  return Binder(no_columns, registry).implicit_cast(std::move(expr), type);
}

Result<LogicalType> type_of(const ExprPtr& expr, const Schema& schema,
                            const FunctionRegistry& registry) {
  TG_ASSIGN_OR_RETURN(const BoundExprPtr bound, bind(expr, schema, registry));
  return bound->type;
}

}  // namespace tidegate
