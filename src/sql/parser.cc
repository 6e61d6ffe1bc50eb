// SPDX-License-Identifier: Apache-2.0
#include "sql/parser.h"

#include "sql/parser_rules.h"

namespace tidegate::sql {

Result<std::vector<Statement>> parse_script(const SourceText& source) {
  return Parser(source).parse_statements();
}

Result<ExpressionPtr> parse_expression(const SourceText& source) {
  return Parser(source).parse_whole_expression();
}

Result<std::vector<Statement>> Parser::parse_statements() {
  std::vector<Statement> statements;
  while (true) {
    while (accept(';')) {
    }
    if (at_end()) return statements;
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
