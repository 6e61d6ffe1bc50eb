// SPDX-License-Identifier: Apache-2.0
#include "sql/parser.h"

#include <fmt/format.h>

#include "sql/parser_rules.h"

namespace tidegate::sql {

Result<std::vector<Statement>> parse_script(const SourceText& source) {
  return Parser(source).parse_statements();
}

Result<ExpressionPtr> parse_expression(const SourceText& source) {
  return Parser(source).parse_whole_expression();
}

namespace {

/// Some 5 MB of text: whoever writes more means to write data.
constexpr std::size_t kMaxTokens = 1'000'000;

/// Of the statement at the cursor.
Status check_length(const TokenCursor& at) {
  std::size_t end = at.position();
  while (at.token(end).kind != TokenKind::kEnd && at.token(end).kind != TokenKind::kError &&
         !at.token(end).is(';')) {
    ++end;
  }
  const std::size_t length = end - at.position();
  if (length <= kMaxTokens) return Status::ok();
  return at.error_here(
      ErrorCode::kLimitExceeded,
      fmt::format("the statement has {} words and signs, more than {}", length, kMaxTokens),
      "Put the data into a table, or the query into several ones.");
}

}  // namespace

Result<std::vector<Statement>> Parser::parse_statements() {
  std::vector<Statement> statements;
  while (true) {
    while (accept(';')) {
    }
    if (at_end()) return statements;
    TG_RETURN_IF_ERROR(check_length(*this));
    TG_ASSIGN_OR_RETURN(Statement statement, parse_statement());
    if (!at_statement_end()) return expected("; or another clause of the statement");
    statements.push_back(std::move(statement));
  }
}

Result<ExpressionPtr> Parser::parse_whole_expression() {
  TG_ASSIGN_OR_RETURN(ExpressionPtr value, parse_expression());
  if (!at_end()) return expected("an operator or the end of the expression");
  return value;
}

}  // namespace tidegate::sql
