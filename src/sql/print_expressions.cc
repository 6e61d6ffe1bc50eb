// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdlib>

#include "sql/lexer.h"
#include "sql/syntax_printer.h"

namespace tidegate::sql {

std::string print(const Expression& expression) {
  SyntaxPrinter printer;
  printer.expression(expression);
  return printer.take();
}

std::string print_name(const std::string& name) {
  bool plain = !name.empty() && !(name[0] >= '0' && name[0] <= '9') && name[0] != '$' &&
               find_word(name) == Word::kNone;
  for (char c : name) {
    plain = plain && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '$');
  }
  if (plain) return name;
  std::string out = "`";
  for (char c : name) {
    out += c;
    if (c == '`') out += c;
  }
  return out + '`';
}

std::string print_name(const QualifiedName& name) {
  std::string out;
  for (const Identifier& part : name) {
    if (!out.empty()) out += '.';
    out += print_name(part.text);
  }
  return out;
}

std::string print_string(const std::string& text) {
  std::string out = "'";
  for (char c : text) {
    out += c;
    if (c == '\'') out += c;
  }
  return out + '\'';
}

void SyntaxPrinter::expression(const Expression& value) {
  if (const auto* column = std::get_if<ColumnName>(&value.node)) return name(column->name);
  if (const auto* all = std::get_if<Star>(&value.node)) return star(*all);
  if (const auto* constant = std::get_if<Literal>(&value.node)) return literal(*constant);
  if (const auto* function = std::get_if<Call>(&value.node)) return call(*function);
  if (const auto* branches = std::get_if<Case>(&value.node)) return case_of(*branches);
  if (const auto* query = std::get_if<Subquery>(&value.node)) return subquery(*query);
  if (const auto* cast = std::get_if<Cast>(&value.node)) {
    text(cast->or_null ? "TRY_CAST(" : "CAST(");
    expression(*cast->value);
    text(" AS ");
    text(cast->type.to_string());
    return text(")");
  }
  if (const auto* element = std::get_if<ElementAccess>(&value.node)) {
    operand(*element->value);
    text("[");
    expression(*element->index);
    return text("]");
  }
  const auto& access = std::get<FieldAccess>(value.node);
  // Without brackets a name and a field would be read as one name.
  const bool bare = std::holds_alternative<ColumnName>(access.value->node);
  if (bare) text("(");
  operand(*access.value);
  if (bare) text(")");
  text(".");
  name(access.field);
}

/// In brackets if it is an operator, or a number whose point would meet another one.
void SyntaxPrinter::operand(const Expression& value) {
  const auto* operation = std::get_if<Call>(&value.node);
  const auto* query = std::get_if<Subquery>(&value.node);
  const bool brackets = (operation != nullptr && operation->is_operator) ||
                        std::holds_alternative<Literal>(value.node) ||
                        (query != nullptr && query->kind != Subquery::Kind::kScalar &&
                         query->kind != Subquery::Kind::kArray);
  const bool plain = std::holds_alternative<Literal>(value.node) &&
                     std::get<Literal>(value.node).kind != Literal::Kind::kDefault;
  if (brackets && !plain) text("(");
  expression(value);
  if (brackets && !plain) text(")");
}

void SyntaxPrinter::star(const Star& star) {
  if (star.value != nullptr) {
    text("(");
    expression(*star.value);
    return text(").*");
  }
  if (!star.qualifier.empty()) {
    name(star.qualifier);
    text(".");
  }
  text("*");
}

void SyntaxPrinter::literal(const Literal& literal) {
  switch (literal.kind) {
    case Literal::Kind::kNull:
      return text("NULL");
    case Literal::Kind::kTrue:
      return text("TRUE");
    case Literal::Kind::kFalse:
      return text("FALSE");
    case Literal::Kind::kNumber:
    case Literal::Kind::kSymbol:
      return text(literal.text);
    case Literal::Kind::kString:
      return string(literal.text);
    case Literal::Kind::kBinary:
      return text("X'" + literal.text + "'");
    case Literal::Kind::kDate:
      text("DATE ");
      return string(literal.text);
    case Literal::Kind::kTime:
      text("TIME ");
      return string(literal.text);
    case Literal::Kind::kTimestamp:
      text("TIMESTAMP ");
      return string(literal.text);
    case Literal::Kind::kInterval:
      return interval(literal);
    case Literal::Kind::kDefault:
      return text("DEFAULT");
  }
}

/// In the coarsest unit that holds it.
void SyntaxPrinter::interval(const Literal& literal) {
  const std::int64_t value = literal.interval;
  struct Unit {
    std::int64_t amount;
    const char* name;
  };
  if (literal.interval_in_months) {
    if (value != 0 && value % 12 == 0) return text(fmt::format("INTERVAL '{}' YEAR", value / 12));
    return text(fmt::format("INTERVAL '{}' MONTH", value));
  }
  constexpr Unit kUnits[] = {
      {86400000, "DAY"}, {3600000, "HOUR"}, {60000, "MINUTE"}, {1000, "SECOND"}};
  for (const Unit& unit : kUnits) {
    if (value % unit.amount != 0 || (value == 0 && unit.amount != 1000)) continue;
    return text(fmt::format("INTERVAL '{}' {}", value / unit.amount, unit.name));
  }
  text(fmt::format("INTERVAL '{}{}.{:03}' SECOND", value < 0 ? "-" : "", std::abs(value / 1000),
                   std::abs(value % 1000)));
}

void SyntaxPrinter::case_of(const Case& value) {
  text("CASE");
  if (value.operand != nullptr) {
    text(" ");
    expression(*value.operand);
  }
  for (const auto& [condition, result] : value.branches) {
    text(" WHEN ");
    expression(*condition);
    text(" THEN ");
    expression(*result);
  }
  if (value.otherwise != nullptr) {
    text(" ELSE ");
    expression(*value.otherwise);
  }
  text(" END");
}

void SyntaxPrinter::subquery(const Subquery& value) {
  switch (value.kind) {
    case Subquery::Kind::kScalar:
      break;
    case Subquery::Kind::kExists:
      text("EXISTS ");
      break;
    case Subquery::Kind::kArray:
      text("ARRAY");
      break;
    case Subquery::Kind::kIn:
      operand(*value.value);
      text(" IN ");
      break;
    case Subquery::Kind::kQuantified:
      operand(*value.value);
      text(fmt::format(" {} {} ", value.comparison, value.all ? "ALL" : "ANY"));
      break;
  }
  text("(");
  query(*value.query);
  text(")");
}

void SyntaxPrinter::expressions(const std::vector<ExpressionPtr>& values) {
  list(values, [&](const ExpressionPtr& value) { expression(*value); });
}

void SyntaxPrinter::names(const std::vector<Identifier>& names) {
  text("(");
  list(names, [&](const Identifier& part) { name(part); });
  text(")");
}

void SyntaxPrinter::order_by(const std::vector<SortItem>& items) {
  text("ORDER BY ");
  list(items, [&](const SortItem& item) { sort_item(item); });
}

void SyntaxPrinter::sort_item(const SortItem& item) {
  expression(*item.value);
  if (item.descending) text(" DESC");
  if (item.nulls_first) text(*item.nulls_first ? " NULLS FIRST" : " NULLS LAST");
}

void SyntaxPrinter::window(const WindowSpec& spec) {
  const bool only_name =
      spec.base && spec.partition_by.empty() && spec.order_by.empty() && !spec.frame.has_value();
  if (only_name) return name(*spec.base);
  text("(");
  window_content(spec);
  text(")");
}

void SyntaxPrinter::window_content(const WindowSpec& spec) {
  const std::size_t begin = out_.size();
  const auto blank = [&] {
    if (out_.size() > begin) text(" ");
  };
  if (spec.base) name(*spec.base);
  if (!spec.partition_by.empty()) {
    blank();
    text("PARTITION BY ");
    expressions(spec.partition_by);
  }
  if (!spec.order_by.empty()) {
    blank();
    order_by(spec.order_by);
  }
  if (!spec.frame) return;
  blank();
  text(spec.frame->rows ? "ROWS BETWEEN " : "RANGE BETWEEN ");
  bound(spec.frame->from);
  text(" AND ");
  bound(spec.frame->to);
}

void SyntaxPrinter::bound(const FrameBound& bound) {
  switch (bound.kind) {
    case FrameBound::Kind::kUnboundedPreceding:
      return text("UNBOUNDED PRECEDING");
    case FrameBound::Kind::kUnboundedFollowing:
      return text("UNBOUNDED FOLLOWING");
    case FrameBound::Kind::kCurrentRow:
      return text("CURRENT ROW");
    case FrameBound::Kind::kPreceding:
    case FrameBound::Kind::kFollowing:
      break;
  }
  operand(*bound.distance);
  text(bound.kind == FrameBound::Kind::kPreceding ? " PRECEDING" : " FOLLOWING");
}

}  // namespace tidegate::sql
