// SPDX-License-Identifier: Apache-2.0
//
// The JSON functions and their clauses, as plain calls with all defaults filled in:
//
//   JSON_VALUE(x, path, returning, on_empty, default, on_error, default)
//     returning: a type as text, 'STRING' when absent; on_empty, on_error: 'NULL', 'ERROR' or
//     'DEFAULT'; default: the value of DEFAULT, else NULL
//   JSON_QUERY(x, path, returning, wrapper, on_empty, on_error)
//     wrapper: 'WITHOUT', 'CONDITIONAL', 'UNCONDITIONAL'; on_empty, on_error: 'NULL', 'EMPTY
//     ARRAY', 'EMPTY OBJECT', 'ERROR'
//   JSON_EXISTS(x, path, on_error)           'FALSE', 'TRUE', 'UNKNOWN', 'ERROR'
//   JSON_OBJECT(nulls, k, v, ...)            nulls: 'NULL' (default) or 'ABSENT'
//   JSON_ARRAY(nulls, v, ...)                nulls: 'ABSENT' (default) or 'NULL'
//   JSON_OBJECTAGG(nulls, k, v)              as JSON_OBJECT
//   JSON_ARRAYAGG(nulls, v)                  as JSON_ARRAY
#include <utility>

#include "sql/parser_rules.h"

namespace tidegate::sql {

using enum Word;

Result<ExpressionPtr> Parser::parse_json_returning(std::string_view otherwise) {
  std::string type(otherwise);
  if (accept(kReturning)) {
    TG_ASSIGN_OR_RETURN(const LogicalType returning, parse_type());
    type = returning.to_string();
  }
  return make_symbol(std::move(type));
}

/// The words in front of ON EMPTY and ON ERROR, but for DEFAULT.
Result<std::string> Parser::parse_json_behaviour() {
  for (Word word : {kNull, kError, kTrue, kFalse, kUnknown}) {
    if (accept(word)) return std::string(word_text(word));
  }
  if (!accept(kEmpty)) return expected("NULL, ERROR, DEFAULT, EMPTY ARRAY or EMPTY OBJECT");
  if (accept(kObject)) return std::string("EMPTY OBJECT");
  (void)accept(kArray);
  return std::string("EMPTY ARRAY");
}

Result<ExpressionPtr> Parser::parse_json_value() {
  const std::size_t first = position();
  advance();
  TG_RETURN_IF_ERROR(expect('('));
  Call call;
  call.function = "JSON_VALUE";
  TG_ASSIGN_OR_RETURN(call.args, parse_expression_list());
  if (call.args.size() != 2) return expected("a value, a comma and a path");
  TG_ASSIGN_OR_RETURN(ExpressionPtr returning, parse_json_returning("STRING"));
  ExpressionPtr clauses[4];  // on empty, its default, on error, its default
  while (!at(')')) {
    std::string how = "DEFAULT";
    ExpressionPtr value;
    if (accept(kDefault)) {
      TG_ASSIGN_OR_RETURN(value, parse_expression());
    } else {
      const std::size_t here = position();
      TG_ASSIGN_OR_RETURN(how, parse_json_behaviour());
      if (how != "NULL" && how != "ERROR") {
        return error_in(place_from(here), ErrorCode::kInvalidSyntax,
                        "JSON_VALUE takes NULL, ERROR or DEFAULT ON EMPTY and ON ERROR");
      }
    }
    TG_RETURN_IF_ERROR(expect(kOn));
    const bool on_error = accept(kError);
    if (!on_error && !accept(kEmpty)) return expected("EMPTY or ERROR");
    const std::size_t at = on_error ? 2 : 0;
    if (clauses[at] != nullptr) return expected(") (this clause is there already)");
    clauses[at] = make_symbol(std::move(how));
    clauses[at + 1] = std::move(value);
  }
  TG_RETURN_IF_ERROR(expect(')'));
  call.args.push_back(std::move(returning));
  for (std::size_t i = 0; i < 4; ++i) {
    if (clauses[i] == nullptr && i % 2 == 0) clauses[i] = make_symbol("NULL");
    if (clauses[i] == nullptr) clauses[i] = make_literal(position() - 1, Literal::Kind::kNull);
    call.args.push_back(std::move(clauses[i]));
  }
  return make(first, std::move(call));
}

Result<ExpressionPtr> Parser::parse_json_query() {
  const std::size_t first = position();
  advance();
  TG_RETURN_IF_ERROR(expect('('));
  Call call;
  call.function = "JSON_QUERY";
  TG_ASSIGN_OR_RETURN(call.args, parse_expression_list());
  if (call.args.size() != 2) return expected("a value, a comma and a path");
  TG_ASSIGN_OR_RETURN(ExpressionPtr returning, parse_json_returning("STRING"));
  std::string wrapper = "WITHOUT";
  if (at(kWith) || at(kWithout)) {
    const bool with = accept(kWith);
    if (!with) advance();
    if (with) wrapper = accept(kConditional) ? "CONDITIONAL" : "UNCONDITIONAL";
    if (with) (void)accept(kUnconditional);
    (void)accept(kArray);
    TG_RETURN_IF_ERROR(expect(kWrapper));
  }
  std::string on_empty;
  std::string on_error;
  while (!at(')')) {
    const std::size_t here = position();
    TG_ASSIGN_OR_RETURN(std::string how, parse_json_behaviour());
    if (how != "NULL" && how != "ERROR" && !how.starts_with("EMPTY")) {
      return error_in(
          place_from(here), ErrorCode::kInvalidSyntax,
          "JSON_QUERY takes NULL, ERROR, EMPTY ARRAY or EMPTY OBJECT ON EMPTY and ON ERROR");
    }
    TG_RETURN_IF_ERROR(expect(kOn));
    const bool error = accept(kError);
    if (!error && !accept(kEmpty)) return expected("EMPTY or ERROR");
    std::string& clause = error ? on_error : on_empty;
    if (!clause.empty()) return expected(") (this clause is there already)");
    clause = std::move(how);
  }
  TG_RETURN_IF_ERROR(expect(')'));
  call.args.push_back(std::move(returning));
  call.args.push_back(make_symbol(std::move(wrapper)));
  call.args.push_back(make_symbol(on_empty.empty() ? "NULL" : std::move(on_empty)));
  call.args.push_back(make_symbol(on_error.empty() ? "NULL" : std::move(on_error)));
  return make(first, std::move(call));
}

Result<ExpressionPtr> Parser::parse_json_exists() {
  const std::size_t first = position();
  advance();
  TG_RETURN_IF_ERROR(expect('('));
  Call call;
  call.function = "JSON_EXISTS";
  TG_ASSIGN_OR_RETURN(call.args, parse_expression_list());
  if (call.args.size() != 2) return expected("a value, a comma and a path");
  std::string on_error = "FALSE";
  if (!at(')')) {
    bool known = false;
    for (Word word : {kTrue, kFalse, kUnknown, kError}) {
      if (known || !accept(word)) continue;
      on_error = word_text(word);
      known = true;
    }
    if (!known) return expected(") or TRUE, FALSE, UNKNOWN or ERROR ON ERROR");
    TG_RETURN_IF_ERROR(expect_words({kOn, kError}));
  }
  TG_RETURN_IF_ERROR(expect(')'));
  call.args.push_back(make_symbol(std::move(on_error)));
  return make(first, std::move(call));
}

Result<std::string> Parser::parse_null_clause(std::string_view otherwise) {
  if (accept_words({kNull, kOn, kNull})) return std::string("NULL");
  if (accept_words({kAbsent, kOn, kNull})) return std::string("ABSENT");
  return std::string(otherwise);
}

/// [KEY] k VALUE v, k : v, or k, v.
Status Parser::parse_json_entry(Call* call) {
  const bool names_column = peek(1).is(kValue) || peek(1).is(':') || peek(1).is(',') ||
                            peek(1).is('.') || peek(1).is(')');
  if (!names_column) (void)accept(kKey);
  TG_ASSIGN_OR_RETURN(ExpressionPtr part, parse_expression());
  call->args.push_back(std::move(part));
  if (!accept(kValue) && !accept(':') && !accept(',')) return expected("VALUE");
  TG_ASSIGN_OR_RETURN(part, parse_expression());
  call->args.push_back(std::move(part));
  return Status::ok();
}

Result<ExpressionPtr> Parser::parse_json_constructor() {
  const std::size_t first = position();
  const Word word = peek().word();
  const bool object = word == kJsonObject || word == kJsonObjectagg;
  Call call;
  call.function = word_text(word);
  advance();
  TG_RETURN_IF_ERROR(expect('('));
  call.args.push_back(nullptr);
  const auto at_null_clause = [&] {
    return (at(kNull) || at(kAbsent)) && peek(1).is(kOn) && peek(2).is(kNull);
  };
  if (!at(')') && !at_null_clause()) {
    do {
      if (object) {
        TG_RETURN_IF_ERROR(parse_json_entry(&call));
      } else {
        TG_ASSIGN_OR_RETURN(ExpressionPtr value, parse_expression());
        call.args.push_back(std::move(value));
      }
      if (at(kFormat)) return not_supported("FORMAT JSON", "Use the function JSON(...).");
    } while (accept(','));
  }
  if (at_words({kOrder, kBy})) {
    TG_ASSIGN_OR_RETURN(call.within_group, parse_order_by());
  }
  TG_ASSIGN_OR_RETURN(std::string nulls, parse_null_clause(object ? "NULL" : "ABSENT"));
  if (!accept(')')) return expected(", or )");
  call.args[0] = make_symbol(std::move(nulls));
  const bool aggregate = word == kJsonObjectagg || word == kJsonArrayagg;
  const std::size_t needed = word == kJsonObjectagg ? 3 : 2;
  if (aggregate && call.args.size() != needed) {
    return error_in(
        place_from(first), ErrorCode::kInvalidSyntax,
        object ? "JSON_OBJECTAGG takes one key and one value" : "JSON_ARRAYAGG takes one value");
  }
  TG_RETURN_IF_ERROR(parse_call_suffixes(&call));
  return make(first, std::move(call));
}

}  // namespace tidegate::sql
