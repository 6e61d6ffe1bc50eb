// SPDX-License-Identifier: Apache-2.0
//
// What stands in FROM: tables, joins and queries. Functions in FROM are in
// parser_table_functions.cc.
#include <utility>

#include "sql/parser_rules.h"

namespace tidegate::sql {

using enum Word;

namespace {

RelationPtr share(Relation relation) { return std::make_shared<Relation>(std::move(relation)); }

}  // namespace

/// Commas between tables bind weaker than JOIN.
Result<RelationPtr> Parser::parse_from() {
  const Level level(this);
  TG_RETURN_IF_ERROR(level.check());
  const std::size_t first = position();
  TG_ASSIGN_OR_RETURN(RelationPtr left, parse_joined());
  while (accept(',')) {
    Join join;
    join.kind = Join::Kind::kCross;
    join.left = std::move(left);
    const int tallest = std::exchange(tallest_, 0);
    TG_ASSIGN_OR_RETURN(join.right, parse_joined());
    tallest_ = std::max(tallest, tallest_);
    TG_RETURN_IF_ERROR(grow());
    Relation relation;
    relation.node = std::move(join);
    relation.place = place_from(first);
    left = share(std::move(relation));
  }
  return left;
}

Result<RelationPtr> Parser::parse_joined() {
  const std::size_t first = position();
  TG_ASSIGN_OR_RETURN(RelationPtr left, parse_table_factor());
  while (true) {
    TG_ASSIGN_OR_RETURN(std::optional<Join> join, parse_join_kind());
    if (!join) return left;
    join->left = std::move(left);
    const int tallest = std::exchange(tallest_, 0);
    TG_ASSIGN_OR_RETURN(join->right, parse_table_factor());
    TG_RETURN_IF_ERROR(parse_join_condition(&*join));
    tallest_ = std::max(tallest, tallest_);
    TG_RETURN_IF_ERROR(grow());
    Relation relation;
    relation.node = *std::move(join);
    relation.place = place_from(first);
    left = share(std::move(relation));
  }
}

/// [NATURAL] [INNER | LEFT [OUTER | SEMI | ANTI] | ...] JOIN; nothing when none begins here.
Result<std::optional<Join>> Parser::parse_join_kind() {
  using Kind = Join::Kind;
  Join join;
  const bool begins = at(kJoin) || at(kInner) || at(kLeft) || at(kRight) || at(kFull) ||
                      at(kCross) || at(kNatural) || at_words({kSemi, kJoin}) ||
                      at_words({kAnti, kJoin});
  if (!begins) return std::optional<Join>();
  join.natural = accept(kNatural);
  if (accept(kCross)) {
    join.kind = Kind::kCross;
  } else if (accept(kLeft)) {
    join.kind = accept(kSemi) ? Kind::kSemi : accept(kAnti) ? Kind::kAnti : Kind::kLeft;
    if (join.kind == Kind::kLeft) (void)accept(kOuter);
  } else if (accept(kRight)) {
    join.kind = Kind::kRight;
    (void)accept(kOuter);
  } else if (accept(kFull)) {
    join.kind = Kind::kFull;
    (void)accept(kOuter);
  } else if (accept(kSemi)) {
    join.kind = Kind::kSemi;
  } else if (accept(kAnti)) {
    join.kind = Kind::kAnti;
  } else {
    (void)accept(kInner);
  }
  TG_RETURN_IF_ERROR(expect(kJoin));
  return std::optional<Join>(std::move(join));
}

Status Parser::parse_join_condition(Join* join) {
  if (join->kind == Join::Kind::kCross || join->natural) return Status::ok();
  if (accept(kOn)) {
    TG_ASSIGN_OR_RETURN(join->on, parse_expression());
    return Status::ok();
  }
  if (accept(kUsing)) {
    TG_ASSIGN_OR_RETURN(join->columns, expect_name_list("a column name"));
    return Status::ok();
  }
  return expected("ON or USING");
}

Result<RelationPtr> Parser::parse_table_factor() {
  const std::size_t first = position();
  TG_ASSIGN_OR_RETURN(Relation relation, parse_table_primary());
  TG_RETURN_IF_ERROR(parse_table_suffixes(&relation, first));
  return share(std::move(relation));
}

Result<Relation> Parser::parse_table_primary() {
  const bool lateral = accept(kLateral);
  if (at('(')) {
    if (!at_query() && !lateral) return parse_bracketed_relation();
    const std::size_t first = position();
    DerivedTable derived;
    derived.lateral = lateral;
    TG_ASSIGN_OR_RETURN(derived.query, parse_bracketed_query());
    Relation relation;
    relation.node = std::move(derived);
    relation.place = place_from(first);
    return relation;
  }
  if (at(kUnnest)) return parse_unnest();
  if (at(kTable) && peek(1).is('(')) return parse_table_function(lateral);
  if (lateral) return parse_table_function(true);
  // A name in front of a bracket is a function: TUMBLE(...), f(x).
  std::size_t i = 0;
  while (at_name(i) && peek(i + 1).is('.')) i += 2;
  if (at_name(i) && peek(i + 1).is('(')) return parse_table_function(false);
  if (accept(kTable)) return parse_named_table();
  if (!at_name()) return expected("a table name, a query in brackets or a table function");
  return parse_named_table();
}

Result<Relation> Parser::parse_bracketed_relation() {
  TG_RETURN_IF_ERROR(expect('('));
  TG_ASSIGN_OR_RETURN(const RelationPtr inner, parse_from());
  if (!accept(')')) return expected(") or another join");
  return Relation(*inner);
}

Result<Relation> Parser::parse_named_table() {
  const std::size_t first = position();
  TableName table;
  TG_ASSIGN_OR_RETURN(table.name, expect_qualified_name("a table name"));
  if (at(TokenKind::kHintBegin)) {
    TG_ASSIGN_OR_RETURN(table.options, parse_table_options());
  }
  if (accept_words({kFor, kSystemTime})) {
    TG_RETURN_IF_ERROR(expect_words({kAs, kOf}));
    TG_ASSIGN_OR_RETURN(table.as_of, parse_expression());
  }
  Relation relation;
  relation.node = std::move(table);
  relation.place = place_from(first);
  return relation;
}

/// /*+ OPTIONS('key' = 'value') */ behind a table.
Result<OptionList> Parser::parse_table_options() {
  const std::size_t first = position();
  TG_ASSIGN_OR_RETURN(const auto hints, parse_hints());
  OptionList options;
  for (const Select::Hint& hint : hints) {
    if (hint.name != "OPTIONS") {
      return error_in(place_from(first), ErrorCode::kInvalidSyntax,
                      fmt::format("a table takes the hint OPTIONS, not {}", hint.name),
                      "Hints of queries stand behind SELECT.");
    }
    options.insert(options.end(), hint.options.begin(), hint.options.end());
  }
  return options;
}

Status Parser::parse_table_suffixes(Relation* relation, std::size_t first) {
  TG_RETURN_IF_ERROR(parse_alias(&relation->alias));
  auto* table = std::get_if<TableName>(&relation->node);
  if (table != nullptr && at(TokenKind::kHintBegin)) {
    TG_ASSIGN_OR_RETURN(table->options, parse_table_options());
  }
  if (at(kTablesample)) return not_supported("TABLESAMPLE");
  if ((at(kPivot) || at(kUnpivot)) && peek(1).is('(')) return not_supported("PIVOT");
  if (at(kMatchRecognize)) {
    Relation outer;
    TG_ASSIGN_OR_RETURN(MatchRecognize match, parse_match());
    match.table = share(std::move(*relation));
    outer.node = std::move(match);
    TG_RETURN_IF_ERROR(grow());
    TG_RETURN_IF_ERROR(parse_alias(&outer.alias));
    *relation = std::move(outer);
  }
  relation->place = place_from(first);
  return Status::ok();
}

/// [[AS] name [(columns)]]. Leaves an alias that is there alone when nothing follows: (a AS b).
Status Parser::parse_alias(TableAlias* alias) {
  const bool as = accept(kAs);
  const bool pivot = (at(kPivot) || at(kUnpivot)) && peek(1).is('(');
  const bool join = (at(kSemi) || at(kAnti)) && peek(1).is(kJoin);
  if (!as && (!at_name() || pivot || join)) return Status::ok();
  TG_ASSIGN_OR_RETURN(alias->name, expect_name("an alias of the table (a name)"));
  if (!as) mark_bare_alias();
  alias->columns.clear();
  if (at('(') && at_name(1)) {
    TG_ASSIGN_OR_RETURN(alias->columns, expect_name_list("a column name"));
  }
  return Status::ok();
}

}  // namespace tidegate::sql
