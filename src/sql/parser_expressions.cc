// SPDX-License-Identifier: Apache-2.0
//
// Operators, by precedence climbing. How tightly they bind follows Calcite: OR, AND, NOT, IS,
// comparisons, LIKE and BETWEEN and IN, + and -, then * / % and ||, and signs tightest.
#include <utility>

#include "sql/parser_rules.h"

namespace tidegate::sql {

using enum Word;

namespace {

enum Binding : int {
  kLowest = 0,
  kIsBinding,
  kComparisonBinding,
  kPredicateBinding,
  kDistinctBinding,
  kAdditiveBinding,
  kMultiplicativeBinding,
};

std::string comparison_sign(const Token& token) {
  if (token.is('=')) return "=";
  if (token.is('<')) return "<";
  if (token.is('>')) return ">";
  if (token.is(Sign::kLessEqual)) return "<=";
  if (token.is(Sign::kGreaterEqual)) return ">=";
  if (token.is(Sign::kLessGreater) || token.is(Sign::kExclamationEqual)) return "<>";
  return {};
}

/// The sign of + - * / % ||; empty for others.
std::string arithmetic_sign(const Token& token, int* binding) {
  *binding = kAdditiveBinding;
  if (token.is('+')) return "+";
  if (token.is('-')) return "-";
  *binding = kMultiplicativeBinding;
  if (token.is('*')) return "*";
  if (token.is('/')) return "/";
  if (token.is('%')) return "%";
  if (token.is(Sign::kConcat)) return "||";
  return {};
}

/// The parts of (a, b); null for other expressions.
const std::vector<ExpressionPtr>* row_parts(const ExpressionPtr& value) {
  const Call* call = std::get_if<Call>(&value->node);
  return call != nullptr && call->function == "ROW" ? &call->args : nullptr;
}

}  // namespace

Status Parser::too_deep() const {
  return error_here(ErrorCode::kLimitExceeded,
                    fmt::format("this nests more than {} levels deep", kMaxDepth),
                    "Split the statement, for example with views.");
}

Status Parser::grow() {
  if (++tallest_ <= kMaxHeight) return Status::ok();
  return error_here(
      ErrorCode::kLimitExceeded,
      fmt::format("more than {} operators follow each other or nest here", kMaxHeight),
      "Put brackets around groups of operands, or split the statement.");
}

Result<ExpressionPtr> Parser::parse_expression() {
  const Level level(this);
  TG_RETURN_IF_ERROR(level.check());
  return parse_disjunction();
}

Result<ExpressionPtr> Parser::parse_disjunction() {
  const std::size_t first = position();
  TG_ASSIGN_OR_RETURN(ExpressionPtr part, parse_conjunction());
  if (!at(kOr)) return part;
  std::vector<ExpressionPtr> parts{std::move(part)};
  int tallest = tallest_;
  while (accept(kOr)) {
    tallest_ = 0;
    TG_ASSIGN_OR_RETURN(part, parse_conjunction());
    parts.push_back(std::move(part));
    tallest = std::max(tallest, tallest_);
  }
  tallest_ = tallest;
  TG_RETURN_IF_ERROR(grow());
  return make_operator(first, "OR", std::move(parts));
}

Result<ExpressionPtr> Parser::parse_conjunction() {
  const std::size_t first = position();
  TG_ASSIGN_OR_RETURN(ExpressionPtr part, parse_binary(kLowest));
  if (!at(kAnd)) return part;
  std::vector<ExpressionPtr> parts{std::move(part)};
  int tallest = tallest_;
  while (accept(kAnd)) {
    tallest_ = 0;
    TG_ASSIGN_OR_RETURN(part, parse_binary(kLowest));
    parts.push_back(std::move(part));
    tallest = std::max(tallest, tallest_);
  }
  tallest_ = tallest;
  TG_RETURN_IF_ERROR(grow());
  return make_operator(first, "AND", std::move(parts));
}

Result<ExpressionPtr> Parser::parse_binary(int least) {
  const std::size_t first = position();
  TG_ASSIGN_OR_RETURN(ExpressionPtr left, parse_prefix());
  while (true) {
    TG_ASSIGN_OR_RETURN(ExpressionPtr longer, parse_operator(first, left, least));
    if (longer == nullptr) return left;
    left = std::move(longer);
    TG_RETURN_IF_ERROR(grow());
  }
}

Result<ExpressionPtr> Parser::parse_right_operand(int least) {
  const int tallest = std::exchange(tallest_, 0);
  TG_ASSIGN_OR_RETURN(ExpressionPtr operand, parse_binary(least));
  tallest_ = std::max(tallest_, tallest);
  return operand;
}

Result<ExpressionPtr> Parser::parse_operator(std::size_t first, const ExpressionPtr& left,
                                             int least) {
  int binding = 0;
  if (std::string sign = arithmetic_sign(peek(), &binding); !sign.empty()) {
    if (binding < least) return ExpressionPtr();
    advance();
    TG_ASSIGN_OR_RETURN(ExpressionPtr right, parse_right_operand(binding + 1));
    return make_operator(first, std::move(sign), {left, std::move(right)});
  }
  if (at(kIs)) {
    const bool distinct = peek(1).is(kDistinct) || (peek(1).is(kNot) && peek(2).is(kDistinct));
    if ((distinct ? kDistinctBinding : kIsBinding) < least) return ExpressionPtr();
    return parse_is(first, left);
  }
  if (std::string sign = comparison_sign(peek()); !sign.empty()) {
    if (kComparisonBinding < least) return ExpressionPtr();
    return parse_comparison(first, left, std::move(sign));
  }
  if (at(kOverlaps) && row_parts(left) != nullptr)
    return kComparisonBinding < least ? ExpressionPtr() : parse_overlaps(first, left);
  const Token& predicate = at(kNot) ? peek(1) : peek();
  if (predicate.is(kIn) || predicate.is(kBetween) || predicate.is(kLike) ||
      predicate.is(kSimilar)) {
    return kPredicateBinding < least ? ExpressionPtr() : parse_predicate(first, left);
  }
  if (at(kNot) && kPredicateBinding >= least && !predicate.is(kNull)) {
    advance();
    return expected("IN, BETWEEN, LIKE or SIMILAR TO");
  }
  return ExpressionPtr();
}

Result<ExpressionPtr> Parser::parse_is(std::size_t first, const ExpressionPtr& left) {
  TG_RETURN_IF_ERROR(expect(kIs));
  const bool negated = accept(kNot);
  const std::string prefix = negated ? "IS NOT " : "IS ";
  for (Word word : {kNull, kTrue, kFalse, kUnknown}) {
    if (accept(word)) return make_operator(first, prefix + std::string(word_text(word)), {left});
  }
  if (accept(kDistinct)) {
    TG_RETURN_IF_ERROR(expect(kFrom));
    TG_ASSIGN_OR_RETURN(ExpressionPtr right, parse_right_operand(kDistinctBinding + 1));
    return make_operator(first, prefix + "DISTINCT FROM", {left, std::move(right)});
  }
  if (!accept(kJson)) return expected("NULL, TRUE, FALSE, UNKNOWN, DISTINCT FROM or JSON");
  std::vector<ExpressionPtr> args{left};
  for (Word word : {kObject, kArray, kScalar, kValue}) {
    if (!accept(word)) continue;
    args.push_back(make_symbol(std::string(word_text(word))));
    break;
  }
  ExpressionPtr json = make_operator(first, "IS JSON", std::move(args));
  return negated ? make_operator(first, "NOT", {std::move(json)}) : json;
}

Result<ExpressionPtr> Parser::parse_comparison(std::size_t first, const ExpressionPtr& left,
                                               std::string sign) {
  advance();
  if (at('=') && sign == "=") return expected("a value (equality is written with one =)");
  const bool all = peek().is(kAll);
  const bool quantified = (all || at(kAny) || at(kSome)) && peek(1).is('(');
  if (!quantified) {
    TG_ASSIGN_OR_RETURN(ExpressionPtr right, parse_right_operand(kComparisonBinding + 1));
    return make_operator(first, std::move(sign), {left, std::move(right)});
  }
  advance();
  if (!at_query()) return not_supported("ANY, SOME or ALL of a list", "Use IN or OR.");
  TG_ASSIGN_OR_RETURN(QueryPtr query, parse_bracketed_query());
  Subquery subquery;
  subquery.kind = Subquery::Kind::kQuantified;
  subquery.value = left;
  subquery.comparison = std::move(sign);
  subquery.all = all;
  subquery.query = std::move(query);
  return make(first, std::move(subquery));
}

Result<ExpressionPtr> Parser::parse_predicate(std::size_t first, const ExpressionPtr& left) {
  const bool negated = accept(kNot);
  const auto finished = [&](ExpressionPtr value) -> ExpressionPtr {
    return negated ? make_operator(first, "NOT", {std::move(value)}) : value;
  };
  if (at(kIn)) {
    TG_ASSIGN_OR_RETURN(ExpressionPtr value, parse_in(first, left));
    return finished(std::move(value));
  }
  if (accept(kBetween)) {
    const bool symmetric = accept(kSymmetric);
    if (!symmetric) (void)accept(kAsymmetric);
    TG_ASSIGN_OR_RETURN(ExpressionPtr low, parse_right_operand(kPredicateBinding + 1));
    TG_RETURN_IF_ERROR(expect(kAnd));
    TG_ASSIGN_OR_RETURN(ExpressionPtr high, parse_right_operand(kPredicateBinding + 1));
    return finished(make_operator(first, symmetric ? "BETWEEN SYMMETRIC" : "BETWEEN",
                                  {left, std::move(low), std::move(high)}));
  }
  const bool similar = accept(kSimilar);
  TG_RETURN_IF_ERROR(expect(similar ? kTo : kLike));
  TG_ASSIGN_OR_RETURN(ExpressionPtr pattern, parse_right_operand(kPredicateBinding + 1));
  std::vector<ExpressionPtr> args{left, std::move(pattern)};
  if (accept(kEscape)) {
    TG_ASSIGN_OR_RETURN(ExpressionPtr escape, parse_right_operand(kPredicateBinding + 1));
    args.push_back(std::move(escape));
  }
  return finished(make_operator(first, similar ? "SIMILAR TO" : "LIKE", std::move(args)));
}

Result<ExpressionPtr> Parser::parse_in(std::size_t first, const ExpressionPtr& left) {
  TG_RETURN_IF_ERROR(expect(kIn));
  if (!at('(')) return expected("( and a list of values or a query");
  if (at_query()) {
    Subquery subquery;
    subquery.kind = Subquery::Kind::kIn;
    subquery.value = left;
    TG_ASSIGN_OR_RETURN(subquery.query, parse_bracketed_query());
    return make(first, std::move(subquery));
  }
  advance();
  std::vector<ExpressionPtr> args{left};
  do {
    TG_ASSIGN_OR_RETURN(ExpressionPtr value, parse_expression());
    args.push_back(std::move(value));
  } while (accept(','));
  if (!accept(')')) return expected(", or )");
  return make_operator(first, "IN", std::move(args));
}

Result<ExpressionPtr> Parser::parse_overlaps(std::size_t first, const ExpressionPtr& left) {
  TG_RETURN_IF_ERROR(expect(kOverlaps));
  if (at(kPeriod) && peek(1).is('(')) advance();
  TG_ASSIGN_OR_RETURN(ExpressionPtr right, parse_right_operand(kComparisonBinding + 1));
  const std::vector<ExpressionPtr>* a = row_parts(left);
  const std::vector<ExpressionPtr>* b = row_parts(right);
  if (a == nullptr || b == nullptr || a->size() != 2 || b->size() != 2) {
    return error_in(place_from(first), ErrorCode::kInvalidSyntax,
                    "OVERLAPS compares two periods: (start, end) OVERLAPS (start, end)");
  }
  return make_operator(first, "OVERLAPS", {(*a)[0], (*a)[1], (*b)[0], (*b)[1]});
}

Result<ExpressionPtr> Parser::parse_prefix() {
  const std::size_t first = position();
  const bool is_not = at(kNot);
  if (!is_not && !at('-') && !at('+')) return parse_postfix();
  const Level level(this);
  TG_RETURN_IF_ERROR(level.check());
  const std::string sign = is_not ? "NOT" : at('-') ? "-" : "+";
  advance();
  TG_ASSIGN_OR_RETURN(ExpressionPtr operand, is_not ? parse_binary(kLowest) : parse_prefix());
  TG_RETURN_IF_ERROR(grow());
  return make_operator(first, sign, {std::move(operand)});
}

Result<ExpressionPtr> Parser::parse_postfix() {
  const std::size_t first = position();
  TG_ASSIGN_OR_RETURN(ExpressionPtr value, parse_primary());
  while (true) {
    if (accept('[')) {
      TG_ASSIGN_OR_RETURN(ExpressionPtr index, parse_expression());
      TG_RETURN_IF_ERROR(expect(']'));
      value = make(first, ElementAccess{std::move(value), std::move(index)});
    } else if (at('.') && peek(1).is('*')) {
      advance();
      advance();
      value = make(first, Star{{}, std::move(value)});
    } else if (accept('.')) {
      TG_ASSIGN_OR_RETURN(Identifier field, expect_name("a field name"));
      value = make(first, FieldAccess{std::move(value), std::move(field)});
    } else {
      return value;
    }
    TG_RETURN_IF_ERROR(grow());
  }
}

ExpressionPtr Parser::make_call(std::size_t first, std::string function,
                                std::vector<ExpressionPtr> args) const {
  Call call;
  call.function = std::move(function);
  call.args = std::move(args);
  return make(first, std::move(call));
}

ExpressionPtr Parser::make_operator(std::size_t first, std::string function,
                                    std::vector<ExpressionPtr> args) const {
  Call call;
  call.function = std::move(function);
  call.args = std::move(args);
  call.is_operator = true;
  return make(first, std::move(call));
}

ExpressionPtr Parser::make_symbol(std::string text) const {
  return make_literal(position() > 0 ? position() - 1 : 0, Literal::Kind::kSymbol, std::move(text));
}

ExpressionPtr Parser::make_literal(std::size_t first, Literal::Kind kind, std::string text) const {
  Literal literal;
  literal.kind = kind;
  literal.text = std::move(text);
  return make(first, std::move(literal));
}

}  // namespace tidegate::sql
