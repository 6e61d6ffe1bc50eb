// SPDX-License-Identifier: Apache-2.0
#include "expr/expr_program.h"

#include <arrow/array/array_base.h>

#include <utility>

#include "base/check.h"
#include "types/key_encoding.h"
#include "types/value_format.h"

namespace tidegate {

namespace {

std::string literal_key(const BoundExpr& literal) {
  std::string key = literal.type.to_string();
  key += literal.value->IsNull(0) ? ":" : "=";
  append_value(literal.type, *literal.value, 0, TextForm::kData, key);
  if (literal.type.is_nested()) {
    // Their text may be that of other elements: 'a, b' and 'c' are [a, b, c] as well.
    EncodedKeys encoded;
    const bool is_encoded =
        KeyCodec({literal.type}).encode({&literal.value, 1}, 1, encoded).is_ok();
    TG_CHECK(is_encoded, "a literal of type {}", literal.type.to_string());
    key += '|';
    key += encoded.key(0);
  }
  return key;
}

/// Equal keys mean equal values on every row.
std::string node_key(const BoundExpr& expr, const std::vector<int>& args) {
  std::string key(1, static_cast<char>('0' + static_cast<int>(expr.kind)));
  switch (expr.kind) {
    case BoundExpr::Kind::kColumn:
      return key + std::to_string(expr.column);
    case BoundExpr::Kind::kLiteral:
      return key + literal_key(expr);
    default:
      key += expr.name + ':' + expr.type.to_string();
      for (int arg : args) key += ',' + std::to_string(arg);
      return key;
  }
}

}  // namespace

int ExprProgramBuilder::add(const BoundExprPtr& expr) {
  if (const auto found = by_address_.find(expr.get()); found != by_address_.end())
    return found->second;
  std::vector<int> args;
  for (const BoundExprPtr& arg : expr->args) args.push_back(add(arg));
  const auto next = static_cast<int>(program_.nodes.size());
  int id = next;
  if (expr->deterministic) id = by_key_.emplace(node_key(*expr, args), next).first->second;
  if (id == next) program_.nodes.push_back({expr, std::move(args)});
  by_address_.emplace(expr.get(), id);
  return id;
}

}  // namespace tidegate
