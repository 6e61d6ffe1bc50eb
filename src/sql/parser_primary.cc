// SPDX-License-Identifier: Apache-2.0
//
// Names, brackets, CASE, CAST and types: expressions without operators.
#include <algorithm>
#include <utility>

#include "sql/parser_rules.h"

namespace tidegate::sql {

using enum Word;

namespace {

/// Types of Flink that there are no values of here.
bool is_foreign_type(std::string_view name) {
  constexpr std::string_view kNames[] = {"VARIANT", "RAW", "STRUCTURED", "BITMAP", "SYMBOL"};
  const auto same = [](char a, char b) { return a == b || (a >= 'a' && a - 'a' + 'A' == b); };
  for (std::string_view other : kNames) {
    if (std::equal(name.begin(), name.end(), other.begin(), other.end(), same)) return true;
  }
  return false;
}

}  // namespace

Result<ExpressionPtr> Parser::parse_primary() {
  const std::size_t first = position();
  const Token& token = peek();
  switch (token.kind) {
    case TokenKind::kNumber:
      advance();
      return make_literal(first, Literal::Kind::kNumber, std::string(text_of(token)));
    case TokenKind::kString:
    case TokenKind::kUnicodeString:
    case TokenKind::kBinaryString:
      return parse_string_literal();
    case TokenKind::kWord:
      return parse_word();
    case TokenKind::kQuotedName:
      return parse_name_or_call();
    default:
      break;
  }
  if (at('(')) return parse_bracketed();
  if (at('?')) return not_supported("a parameter '?'");
  return expected("an expression");
}

Result<ExpressionPtr> Parser::parse_bracketed() {
  const std::size_t first = position();
  if (at_query()) {
    Subquery subquery;
    TG_ASSIGN_OR_RETURN(subquery.query, parse_bracketed_query());
    return make(first, std::move(subquery));
  }
  TG_RETURN_IF_ERROR(expect('('));
  std::vector<ExpressionPtr> parts;
  do {
    TG_ASSIGN_OR_RETURN(ExpressionPtr part, parse_expression());
    parts.push_back(std::move(part));
  } while (accept(','));
  if (!accept(')')) return expected(", or )");
  if (parts.size() == 1) return parts[0];
  return make_call(first, "ROW", std::move(parts));
}

Result<ExpressionPtr> Parser::parse_word() {
  const std::size_t first = position();
  const Word word = peek().word();
  const Token& next = peek(1);
  const bool string_follows =
      next.kind == TokenKind::kString || next.kind == TokenKind::kUnicodeString;
  switch (word) {
    case kNull:
      advance();
      return make_literal(first, Literal::Kind::kNull);
    case kTrue:
      advance();
      return make_literal(first, Literal::Kind::kTrue);
    case kFalse:
      advance();
      return make_literal(first, Literal::Kind::kFalse);
    case kDefault:
      advance();
      return make_literal(first, Literal::Kind::kDefault);
    case kInterval:
      return parse_interval();
    case kCase:
      return parse_case();
    case kDate:
      if (string_follows) return parse_typed_literal(Literal::Kind::kDate);
      break;
    case kTime:
      if (string_follows) return parse_typed_literal(Literal::Kind::kTime);
      break;
    case kTimestamp:
      if (string_follows) return parse_typed_literal(Literal::Kind::kTimestamp);
      if (next.is(kWith) && peek(2).is(kLocal)) {
        return not_supported("a literal TIMESTAMP WITH LOCAL TIME ZONE",
                             "Cast a TIMESTAMP literal or use TO_TIMESTAMP_LTZ.");
      }
      break;
    case kCurrentDate:
    case kCurrentTime:
    case kCurrentTimestamp:
    case kLocaltime:
    case kLocaltimestamp:
    case kCurrentUser:
    case kCurrentCatalog:
      advance();
      if (accept('(')) TG_RETURN_IF_ERROR(expect(')'));
      return make_call(first, std::string(word_text(word)), {});
    case kExists: {
      advance();
      if (!at_query()) return expected("( and a query");
      Subquery subquery;
      subquery.kind = Subquery::Kind::kExists;
      TG_ASSIGN_OR_RETURN(subquery.query, parse_bracketed_query());
      return make(first, std::move(subquery));
    }
    case kLeft:
    case kRight:
      if (!next.is('(')) break;
      advance();
      return parse_call(first, std::string(text_of(token(first))));
    default:
      break;
  }
  TG_ASSIGN_OR_RETURN(ExpressionPtr special, parse_special_call());
  if (special != nullptr) return special;
  return parse_name_or_call();
}

Result<ExpressionPtr> Parser::parse_name_or_call() {
  const std::size_t first = position();
  QualifiedName name;
  TG_ASSIGN_OR_RETURN(Identifier part, expect_name("an expression"));
  name.push_back(std::move(part));
  while (at('.')) {
    if (peek(1).is('*')) {
      advance();
      advance();
      return make(first, Star{std::move(name), nullptr});
    }
    advance();
    TG_ASSIGN_OR_RETURN(part, expect_name("a field name"));
    name.push_back(std::move(part));
  }
  if (at('(')) return parse_call(first, to_string(name));
  return make(first, ColumnName{std::move(name)});
}

Result<ExpressionPtr> Parser::parse_case() {
  const std::size_t first = position();
  TG_RETURN_IF_ERROR(expect(kCase));
  Case out;
  if (!at(kWhen)) {
    TG_ASSIGN_OR_RETURN(out.operand, parse_expression());
  }
  if (!at(kWhen)) return expected("WHEN");
  while (accept(kWhen)) {
    std::vector<ExpressionPtr> conditions;
    do {
      TG_ASSIGN_OR_RETURN(conditions.emplace_back(), parse_expression());
    } while (out.operand != nullptr && accept(','));  // CASE x WHEN 1, 2 THEN
    TG_RETURN_IF_ERROR(expect(kThen));
    TG_ASSIGN_OR_RETURN(const ExpressionPtr value, parse_expression());
    for (ExpressionPtr& condition : conditions)
      out.branches.emplace_back(std::move(condition), value);
  }
  if (accept(kElse)) {
    TG_ASSIGN_OR_RETURN(out.otherwise, parse_expression());
  }
  if (!accept(kEnd)) return expected("WHEN, ELSE or END");
  return make(first, std::move(out));
}

Result<ExpressionPtr> Parser::parse_cast() {
  const std::size_t first = position();
  Cast out;
  out.or_null = at(kTryCast);
  advance();
  TG_RETURN_IF_ERROR(expect('('));
  TG_ASSIGN_OR_RETURN(out.value, parse_expression());
  TG_RETURN_IF_ERROR(expect(kAs));
  TG_ASSIGN_OR_RETURN(out.type, parse_type());
  TG_RETURN_IF_ERROR(expect(')'));
  return make(first, std::move(out));
}

// --- types -------------------------------------------------------------------------------------

Result<LogicalType> Parser::parse_type() {
  const std::size_t first = position();
  TG_RETURN_IF_ERROR(skip_type());
  std::string text;  // without comments, which LogicalType does not read
  for (std::size_t i = first; i < position(); ++i) {
    const bool close = token(i).is(')') || token(i).is(',') || token(i).is('>');
    const bool open = i > first && (token(i - 1).is('(') || token(i - 1).is('<'));
    if (i > first && !close && !open && !token(i).is('(') && !token(i).is('<')) text += ' ';
    text += text_of(token(i));
  }
  Result<LogicalType> type = LogicalType::parse(text);
  if (type.is_ok()) return type;
  const Status status = type.status();
  if (status.code() == ErrorCode::kUnknownName) {
    for (std::size_t i = first; i < position(); ++i) {
      if (is_foreign_type(text_of(token(i))))
        return error_in(place_from(first), ErrorCode::kNotSupported,
                        fmt::format("the type {} is not supported", text_of(token(i))));
    }
  }
  const bool own_remedy = status.remedy() != error_info(status.code()).remedy;
  return error_in(place_from(first), status.code(), status.message(),
                  own_remedy ? std::string(status.remedy()) : std::string());
}

/// Where a type ends; what it means is LogicalType's business.
Status Parser::skip_type() {
  TG_RETURN_IF_ERROR(skip_type_name());
  while (true) {
    if (at_words({kNot, kNull})) {
      advance();
      advance();
    } else if (at_words({kNull, kOn})) {
      return Status::ok();  // JSON_VALUE(... RETURNING type NULL ON EMPTY)
    } else if (!accept(kNull) && !accept(kArray) && !accept(kMultiset)) {
      return Status::ok();
    }
  }
}

Status Parser::skip_type_name() {
  const bool reserved_type = at(kInterval) || at(kNull);
  if (peek().kind != TokenKind::kWord || (is_reserved(peek().word()) && !reserved_type))
    return expected("a type");
  const Word word = peek().word();
  advance();
  if (at('.')) return not_supported("a user-defined type");
  if (word == kDouble) (void)accept(kPrecision);
  (void)accept(kVarying);
  if (word == kInterval) {
    while (!unit_here().empty() || at(kTo)) {
      advance();
      if (at('(')) TG_RETURN_IF_ERROR(skip_type_brackets());
    }
    return Status::ok();
  }
  if (at('(') || at('<') || at(Sign::kLessGreater)) TG_RETURN_IF_ERROR(skip_type_brackets());
  if (word != kTime && word != kTimestamp) return Status::ok();
  // "TIMESTAMP(3) WITH (...)" does not occur: a column is followed by a comma or a bracket.
  if (!at(kWith) && !at(kWithout)) return Status::ok();
  advance();
  (void)accept(kLocal);
  return expect_words({kTime, kZone});
}

Status Parser::skip_type_brackets() {
  int round = 0;
  int angle = 0;
  do {
    if (at_statement_end() || peek().kind == TokenKind::kError) return expected(") or >");
    if (at('(')) ++round;
    if (at(')')) --round;
    if (at('<')) ++angle;
    if (at('>')) --angle;
    advance();
  } while (round > 0 || angle > 0);
  return Status::ok();
}

}  // namespace tidegate::sql
