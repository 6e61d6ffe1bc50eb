// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "sql/parser_rules.h"

namespace tidegate::sql {

using enum Word;

namespace {

bool continues_query(const Token& token) {
  return token.is(kUnion) || token.is(kIntersect) || token.is(kExcept) || token.is(kMinus) ||
         token.is(kOrder) || token.is(kLimit) || token.is(kOffset) || token.is(kFetch) ||
         token.is(')');
}

/// True when clauses of an enclosing query can be added to this one.
bool is_bare(const Query& query) {
  return query.with.empty() && query.order_by.empty() && query.offset == nullptr &&
         query.limit == nullptr;
}

/// SELECT * FROM (query).
Select select_from(QueryPtr query, Place place) {
  auto relation = std::make_shared<Relation>();
  relation->node = DerivedTable{std::move(query), false};
  relation->place = place;
  auto star = std::make_shared<Expression>();
  star->node = Star{};
  star->place = place;
  Select select;
  select.items.push_back({std::move(star), {}});
  select.from = std::move(relation);
  return select;
}

}  // namespace

bool Parser::is_query(std::size_t start) const {
  // In ((SELECT ...) + 1) the inner bracket holds a query and the outer one does not.
  std::size_t at = start;
  int brackets = 0;
  while (token(at).is('(')) {
    if (++brackets > kMaxDepth) return false;
    ++at;
  }
  const Token& word = token(at);
  const bool table = word.is(kTable) && !token(at + 1).is('(');
  if (!word.is(kSelect) && !word.is(kWith) && !word.is(kValues) && !table) return false;
  for (std::size_t i = start + 1; i < at; ++i) {
    if (!continues_query(token(behind_bracket(i)))) return false;
  }
  return true;
}

Result<QueryPtr> Parser::parse_bracketed_query() {
  TG_RETURN_IF_ERROR(expect('('));
  TG_ASSIGN_OR_RETURN(QueryPtr query, parse_query());
  if (!accept(')')) return expected(") or another clause of the query");
  return query;
}

Result<QueryPtr> Parser::parse_query() {
  const Level level(this);
  TG_RETURN_IF_ERROR(level.check());
  const std::size_t first = position();
  auto query = std::make_shared<Query>();
  TG_RETURN_IF_ERROR(parse_with(query.get()));
  TG_ASSIGN_OR_RETURN(QueryPtr body, parse_set_operation(false));
  TG_RETURN_IF_ERROR(parse_query_tail(query.get()));
  if (is_bare(*query)) return body;
  query->place = place_from(first);
  if (is_bare(*body)) {
    query->body = body->body;
  } else {
    query->body = select_from(body, body->place);
  }
  return QueryPtr(std::move(query));
}

Status Parser::parse_with(Query* query) {
  if (!accept(kWith)) return Status::ok();
  if (at(kRecursive) && at_name(1)) return not_supported("WITH RECURSIVE");
  do {
    CommonTable table;
    TG_ASSIGN_OR_RETURN(table.name, expect_name("the name of a common table"));
    if (at('(')) {
      TG_ASSIGN_OR_RETURN(table.columns, expect_name_list("a column name"));
    }
    TG_RETURN_IF_ERROR(expect(kAs));
    if (!at('(')) return expected("( and a query");
    TG_ASSIGN_OR_RETURN(table.query, parse_bracketed_query());
    query->with.push_back(std::move(table));
  } while (accept(','));
  return Status::ok();
}

/// UNION and EXCEPT from left to right; INTERSECT binds tighter.
Result<QueryPtr> Parser::parse_set_operation(bool intersect_only) {
  const std::size_t first = position();
  TG_ASSIGN_OR_RETURN(QueryPtr left,
                      intersect_only ? parse_query_term() : parse_set_operation(true));
  while (true) {
    SetOperation operation;
    if (intersect_only) {
      if (!at(kIntersect)) return left;
      operation.kind = SetOperation::Kind::kIntersect;
    } else if (at(kUnion)) {
      operation.kind = SetOperation::Kind::kUnion;
    } else if (at(kExcept) || at(kMinus)) {
      operation.kind = SetOperation::Kind::kExcept;
    } else {
      return left;
    }
    advance();
    operation.all = accept(kAll);
    if (!operation.all) (void)accept(kDistinct);
    operation.left = std::move(left);
    const int tallest = std::exchange(tallest_, 0);
    TG_ASSIGN_OR_RETURN(operation.right,
                        intersect_only ? parse_query_term() : parse_set_operation(true));
    tallest_ = std::max(tallest, tallest_);
    TG_RETURN_IF_ERROR(grow());
    auto query = std::make_shared<Query>();
    query->body = std::move(operation);
    query->place = place_from(first);
    left = std::move(query);
  }
}

Result<QueryPtr> Parser::parse_query_term() {
  const std::size_t first = position();
  if (at('(')) return parse_bracketed_query();
  auto query = std::make_shared<Query>();
  if (at(kSelect)) {
    TG_ASSIGN_OR_RETURN(query->body, parse_select());
  } else if (at(kValues)) {
    TG_ASSIGN_OR_RETURN(query->body, parse_values());
  } else if (accept(kTable)) {
    Relation relation;
    TG_ASSIGN_OR_RETURN(relation, parse_named_table());
    Select select;
    select.items.push_back({make(first, Star{}), {}});
    select.from = std::make_shared<Relation>(std::move(relation));
    query->body = std::move(select);
  } else {
    return expected("a query (SELECT, VALUES, WITH or TABLE)");
  }
  query->place = place_from(first);
  return QueryPtr(std::move(query));
}

Status Parser::parse_query_tail(Query* query) {
  if (at(kOrder)) {
    TG_ASSIGN_OR_RETURN(query->order_by, parse_order_by());
  }
  while (at(kLimit) || at(kOffset) || at(kFetch)) TG_RETURN_IF_ERROR(parse_row_limit(query));
  return Status::ok();
}

Status Parser::parse_row_limit(Query* query) {
  if (at(kOffset)) {
    if (query->offset != nullptr) return expected("one OFFSET only");
    advance();
    TG_ASSIGN_OR_RETURN(query->offset, parse_expression());
    if (!accept(kRows)) (void)accept(kRow);
    return Status::ok();
  }
  if (query->limit != nullptr) return expected("one LIMIT or FETCH only");
  if (accept(kLimit)) {
    if (accept(kAll)) return Status::ok();
    TG_ASSIGN_OR_RETURN(query->limit, parse_expression());
    if (!accept(',')) return Status::ok();
    query->offset = query->limit;  // LIMIT start, count
    TG_ASSIGN_OR_RETURN(query->limit, parse_expression());
    return Status::ok();
  }
  TG_RETURN_IF_ERROR(expect(kFetch));
  if (!accept(kFirst) && !accept(kNext)) return expected("FIRST or NEXT");
  if (at(kRow) || at(kRows)) {
    query->limit = make_literal(position(), Literal::Kind::kNumber, "1");
  } else {
    TG_ASSIGN_OR_RETURN(query->limit, parse_expression());
  }
  if (!accept(kRows) && !accept(kRow)) return expected("ROWS");
  if (at(kWith)) return not_supported("FETCH ... WITH TIES");
  return expect(kOnly);
}

Result<Values> Parser::parse_values() {
  TG_RETURN_IF_ERROR(expect(kValues));
  Values out;
  do {
    if (at(kRow) && peek(1).is('(')) advance();
    std::vector<ExpressionPtr> row;
    if (at('(') && !at_query()) {
      // (1), (1, 2), or an expression that begins with a bracket: (1 + 2) * 3.
      TG_ASSIGN_OR_RETURN(ExpressionPtr value, parse_expression());
      const Call* call = std::get_if<Call>(&value->node);
      const bool is_row =
          call != nullptr && call->function == "ROW" && source().text[value->place.begin] == '(';
      row = is_row ? call->args : std::vector<ExpressionPtr>{std::move(value)};
    } else {
      TG_ASSIGN_OR_RETURN(ExpressionPtr value, parse_expression());
      row.push_back(std::move(value));
    }
    out.rows.push_back(std::move(row));
  } while (accept(','));
  return out;
}

Result<Select> Parser::parse_select() {
  TG_RETURN_IF_ERROR(expect(kSelect));
  Select select;
  if (at(TokenKind::kHintBegin)) {
    TG_ASSIGN_OR_RETURN(select.hints, parse_hints());
  }
  if (accept(kDistinct)) {
    select.distinct = true;
  } else {
    (void)accept(kAll);
  }
  TG_ASSIGN_OR_RETURN(select.items, parse_select_items());
  if (accept(kFrom)) {
    TG_ASSIGN_OR_RETURN(select.from, parse_from());
  }
  TG_RETURN_IF_ERROR(parse_select_clauses(&select));
  return select;
}

Result<std::vector<SelectItem>> Parser::parse_select_items() {
  std::vector<SelectItem> items;
  do {
    TG_ASSIGN_OR_RETURN(SelectItem item, parse_select_item());
    items.push_back(std::move(item));
  } while (accept(','));
  return items;
}

Result<SelectItem> Parser::parse_select_item() {
  SelectItem item;
  const std::size_t first = position();
  if (accept('*')) {
    item.value = make(first, Star{});
    return item;
  }
  TG_ASSIGN_OR_RETURN(item.value, parse_expression());
  if (accept(kAs)) {
    TG_ASSIGN_OR_RETURN(item.alias, expect_name("a column name"));
  } else if (at_name()) {
    TG_ASSIGN_OR_RETURN(item.alias, expect_name("a column name"));
    mark_bare_alias();
  }
  return item;
}

Status Parser::parse_select_clauses(Select* select) {
  if (accept(kWhere)) {
    TG_ASSIGN_OR_RETURN(select->where, parse_expression());
  }
  if (at(kGroup)) {
    TG_ASSIGN_OR_RETURN(select->group_by, parse_group_by());
  }
  if (accept(kHaving)) {
    TG_ASSIGN_OR_RETURN(select->having, parse_expression());
  }
  if (accept(kWindow)) {
    do {
      TG_ASSIGN_OR_RETURN(Identifier name, expect_name("the name of a window"));
      TG_RETURN_IF_ERROR(expect(kAs));
      TG_ASSIGN_OR_RETURN(auto spec, parse_window_spec());
      select->windows.emplace_back(std::move(name), std::move(spec));
    } while (accept(','));
  }
  if (accept(kQualify)) {
    TG_ASSIGN_OR_RETURN(select->qualify, parse_expression());
  }
  return Status::ok();
}

/// /*+ NAME('key' = 'value', name, ...), NAME */
Result<std::vector<Select::Hint>> Parser::parse_hints() {
  advance();
  std::vector<Select::Hint> hints;
  while (!at(TokenKind::kHintEnd)) {
    TG_ASSIGN_OR_RETURN(Select::Hint hint, parse_hint());
    hints.push_back(std::move(hint));
    (void)accept(',');
  }
  advance();
  return hints;
}

Result<Select::Hint> Parser::parse_hint() {
  Select::Hint hint;
  TG_ASSIGN_OR_RETURN(const Identifier name, expect_name("the name of a hint"));
  for (char c : name.text) hint.name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (!accept('(')) return hint;
  if (accept(')')) return hint;
  do {
    std::pair<std::string, std::string> option;
    if (peek().kind == TokenKind::kNumber) {
      option.first = text_of(peek());
      advance();
    } else if (at_string()) {
      TG_ASSIGN_OR_RETURN(option.first, expect_string("a key"));
    } else {
      TG_ASSIGN_OR_RETURN(const QualifiedName key, expect_qualified_name("a key or a table name"));
      option.first = to_string(key);
    }
    if (accept('=')) {
      TG_ASSIGN_OR_RETURN(option.second, expect_string("a value in quotes"));
    }
    hint.options.push_back(std::move(option));
  } while (accept(','));
  if (!accept(')')) return expected(", or )");
  return hint;
}

}  // namespace tidegate::sql
