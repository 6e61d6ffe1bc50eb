// SPDX-License-Identifier: Apache-2.0
//
// Calls, with the special syntax that parser_calls.cc and parser_json.cc take away put back.
#include <fmt/format.h>

#include "sql/lexer.h"
#include "sql/syntax_printer.h"

namespace tidegate::sql {
namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

/// The text of a keyword argument; empty when the argument is none.
std::string symbol(const Call& call, std::size_t i) {
  if (i >= call.args.size()) return {};
  const auto* literal = std::get_if<Literal>(&call.args[i]->node);
  return literal != nullptr && literal->kind == Literal::Kind::kSymbol ? literal->text
                                                                       : std::string();
}

/// Keywords that call a function when a bracket follows, as any other name does.
bool is_plain_function(Word word) {
  switch (word) {
    case Word::kNone:
    case Word::kLeft:
    case Word::kRight:
    case Word::kIf:
    case Word::kReplace:
    case Word::kTruncate:
    case Word::kGrouping:
    case Word::kFirst:
    case Word::kLast:
    case Word::kNext:
    case Word::kSubstring:
    case Word::kOverlay:
    case Word::kCeil:
    case Word::kFloor:
    case Word::kDate:
      return true;
    default:
      return false;
  }
}

/// Functions without brackets.
bool is_bare_function(Word word) {
  return word == Word::kCurrentDate || word == Word::kCurrentTime ||
         word == Word::kCurrentTimestamp || word == Word::kLocaltime ||
         word == Word::kLocaltimestamp || word == Word::kCurrentUser ||
         word == Word::kCurrentCatalog;
}

/// True for the outer + of a + b - c: brackets around the inner one would only make a long chain a
/// deep one.
bool continues_chain(const Call& call) {
  const auto* left = std::get_if<Call>(&call.args[0]->node);
  if (left == nullptr || !left->is_operator || left->args.size() != 2) return false;
  const auto level = [](const std::string& sign) {
    return sign == "+" || sign == "-"                  ? 1
           : sign == "*" || sign == "/" || sign == "%" ? 2
           : sign == "||"                              ? 3
                                                       : 0;
  };
  return call.args.size() == 2 && level(call.function) > 0 &&
         level(call.function) == level(left->function);
}

/// The name of a function: parts with dots between.
std::string function_name(const std::string& function) {
  if (is_plain_function(find_word(function)) && find_word(function) != Word::kNone) return function;
  std::string out;
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = function.find('.', begin);
    out += print_name(function.substr(begin, end - begin));
    if (end == std::string::npos) return out;
    out += '.';
    begin = end + 1;
  }
}

}  // namespace

void SyntaxPrinter::call(const Call& call) {
  if (call.is_operator) return operator_call(call);
  if (!call.match_semantics.empty()) text(call.match_semantics + " ");
  const Word word = find_word(call.function);
  if (call.args.empty() && is_bare_function(word)) {
    text(word_text(word));
  } else if (!special_call(call) && !json_call(call)) {
    text(function_name(call.function));
    text("(");
    arguments(call);
    text(")");
  }
  call_suffixes(call);
}

void SyntaxPrinter::operator_call(const Call& call) {
  const std::string& sign = call.function;
  const auto arg = [&](std::size_t i) { operand(*call.args[i]); };
  if (call.args.size() == 1 && (sign == "NOT" || sign == "-" || sign == "+")) {
    text(sign == "NOT" ? "NOT " : sign);
    return arg(0);
  }
  if (sign == "OVERLAPS") {
    text("(");
    expressions({call.args[0], call.args[1]});
    text(") OVERLAPS (");
    expressions({call.args[2], call.args[3]});
    return text(")");
  }
  if (sign == "IN") {
    arg(0);
    text(" IN (");
    expressions({call.args.begin() + 1, call.args.end()});
    return text(")");
  }
  if (continues_chain(call)) {
    expression(*call.args[0]);
  } else {
    arg(0);
  }
  if (sign.starts_with("BETWEEN")) {
    text(fmt::format(" {} ", sign));
    arg(1);
    text(" AND ");
    return arg(2);
  }
  if (sign == "LIKE" || sign == "SIMILAR TO") {
    text(fmt::format(" {} ", sign));
    arg(1);
    if (call.args.size() == 2) return;
    text(" ESCAPE ");
    return arg(2);
  }
  if (call.args.size() == 1) return text(" " + sign);
  if (sign == "IS JSON") return text(fmt::format(" {} {}", sign, symbol(call, 1)));
  for (std::size_t i = 1; i < call.args.size(); ++i) {
    text(fmt::format(" {} ", sign));
    arg(i);
  }
}

bool SyntaxPrinter::special_call(const Call& call) {
  const std::string name = upper(call.function);
  const auto part = [&](std::string_view before, std::size_t i) {
    text(before);
    expression(*call.args[i]);
  };
  if (name == "ROW" || name == "ARRAY" || name == "MAP") {
    const bool row = name == "ROW";
    text(name);
    text(row ? "(" : "[");
    expressions(call.args);
    text(row ? ")" : "]");
    return true;
  }
  if (name == "EXTRACT" && !symbol(call, 0).empty()) {
    text("EXTRACT(" + symbol(call, 0));
    part(" FROM ", 1);
  } else if (name == "TRIM" && !symbol(call, 0).empty()) {
    text("TRIM(" + symbol(call, 0));
    part(" ", 1);
    part(" FROM ", 2);
  } else if ((name == "CEIL" || name == "FLOOR") && !symbol(call, 1).empty()) {
    part(name + "(", 0);
    text(" TO " + symbol(call, 1));
  } else if (name == "POSITION" && call.args.size() >= 2) {
    text("POSITION(");
    operand(*call.args[0]);
    part(" IN ", 1);
    if (call.args.size() > 2) part(" FROM ", 2);
  } else if (name == "TIMESTAMPADD" || name == "TIMESTAMPDIFF") {
    if (symbol(call, 0).empty()) return false;
    text(name + "(" + symbol(call, 0));
    part(", ", 1);
    part(", ", 2);
  } else {
    return false;
  }
  text(")");
  return true;
}

void SyntaxPrinter::json_null_clause(const Call& call, std::string_view otherwise) {
  const std::string nulls = symbol(call, 0);
  if (nulls == otherwise) return;
  text(call.args.size() > 1 ? " " : "");
  text(nulls + " ON NULL");
}

bool SyntaxPrinter::json_call(const Call& call) {
  const std::string name = upper(call.function);
  const auto returning = [&] {
    expressions({call.args[0], call.args[1]});
    if (symbol(call, 2) != "STRING") text(" RETURNING " + symbol(call, 2));
  };
  const auto clause = [&](const std::string& how, const Expression& fallback,
                          std::string_view when) {
    if (how == "NULL") return;
    text(" " + how);
    if (how == "DEFAULT") {
      text(" ");
      expression(fallback);
    }
    text(when);
  };
  const bool object = name == "JSON_OBJECT" || name == "JSON_OBJECTAGG";
  if (name == "JSON_VALUE" && call.args.size() == 7) {
    text("JSON_VALUE(");
    returning();
    clause(symbol(call, 3), *call.args[4], " ON EMPTY");
    clause(symbol(call, 5), *call.args[6], " ON ERROR");
  } else if (name == "JSON_QUERY" && call.args.size() == 6) {
    text("JSON_QUERY(");
    returning();
    const std::string wrapper = symbol(call, 3);
    if (wrapper != "WITHOUT") text(fmt::format(" WITH {} ARRAY WRAPPER", wrapper));
    clause(symbol(call, 4), *call.args[4], " ON EMPTY");
    clause(symbol(call, 5), *call.args[5], " ON ERROR");
  } else if (name == "JSON_EXISTS" && !symbol(call, 2).empty()) {
    text("JSON_EXISTS(");
    expressions({call.args[0], call.args[1]});
    if (symbol(call, 2) != "FALSE") text(fmt::format(" {} ON ERROR", symbol(call, 2)));
  } else if (object && !symbol(call, 0).empty()) {
    text(name + "(");
    for (std::size_t i = 1; i + 1 < call.args.size(); i += 2) {
      text(i > 1 ? ", KEY " : "KEY ");
      expression(*call.args[i]);
      text(" VALUE ");
      expression(*call.args[i + 1]);
    }
    json_null_clause(call, "NULL");
  } else if ((name == "JSON_ARRAY" || name == "JSON_ARRAYAGG") && !symbol(call, 0).empty()) {
    text(name + "(");
    expressions({call.args.begin() + 1, call.args.end()});
    json_null_clause(call, "ABSENT");
  } else {
    return false;
  }
  text(")");
  return true;
}

void SyntaxPrinter::arguments(const Call& call) {
  if (call.distinct) text("DISTINCT ");
  std::size_t i = 0;
  list(call.args, [&](const ExpressionPtr& value) {
    if (i < call.names.size() && call.names[i]) {
      name(*call.names[i]);
      text(" => ");
    }
    ++i;
    expression(*value);
  });
}

void SyntaxPrinter::call_suffixes(const Call& call) {
  if (!call.within_group.empty()) {
    text(" WITHIN GROUP (");
    order_by(call.within_group);
    text(")");
  }
  if (call.filter != nullptr) {
    text(" FILTER (WHERE ");
    expression(*call.filter);
    text(")");
  }
  if (call.ignore_nulls) text(" IGNORE NULLS");
  if (call.over == nullptr) return;
  text(" OVER ");
  window(*call.over);
}

}  // namespace tidegate::sql
