// SPDX-License-Identifier: Apache-2.0
//
// Which statement this is; INSERT, statement sets, EXPLAIN and settings.
#include <utility>

#include "sql/parser_rules.h"
#include "sql/words.h"

namespace tidegate::sql {

using enum Word;

namespace {

/// Statements that Flink has and this engine does not, by their first words.
struct Refused {
  Word first;
  Word second;  ///< kNone: any
  std::string_view name;
};
constexpr Refused kRefused[] = {
    {kAdd, kJar, "ADD JAR"},
    {kRemove, kJar, "REMOVE JAR"},
    {kLoad, kNone, "LOAD MODULE"},
    {kUnload, kNone, "UNLOAD MODULE"},
    {kAnalyze, kNone, "ANALYZE TABLE"},
    {kCall, kNone, "CALL"},
    {kTruncate, kNone, "TRUNCATE TABLE"},
    {kReplace, kTable, "REPLACE TABLE"},
    {kUpdate, kNone, "UPDATE"},
    {kDelete, kNone, "DELETE"},
    {kCompile, kNone, "COMPILE PLAN"},
    {kStop, kJob, "STOP JOB"},
};

}  // namespace

Result<Statement> Parser::parse_statement() {
  const std::size_t first = position();
  if (at(kSelect) || at(kWith) || at(kValues) || at('(') ||
      (at(kTable) && peek(1).kind != TokenKind::kEnd)) {
    TG_ASSIGN_OR_RETURN(QueryPtr query, parse_query());
    return finish(first, SelectStatement{std::move(query)});
  }
  if (at(kInsert)) return parse_insert_statement();
  if (at(kCreate)) return parse_create();
  if (at(kDrop)) return parse_drop();
  if (at(kAlter)) return parse_alter();
  if (at(kSet)) return parse_set();
  return parse_other_statement();
}

Result<Statement> Parser::parse_other_statement() {
  if (at(kExecute)) return parse_execute();
  if (at(kBegin)) return parse_begin();
  if (at(kExplain)) return parse_explain();
  if (at(kReset)) return parse_reset();
  if (at(kUse)) return parse_use();
  if (at(kShow)) return parse_show();
  if (at(kDescribe) || at(kDesc)) return parse_describe();
  TG_RETURN_IF_ERROR(refuse_statement());
  return expected("a statement (SELECT, INSERT, CREATE, SET, ...)");
}

Status Parser::refuse_statement() const {
  for (const Refused& refused : kRefused) {
    if (at(refused.first) && (refused.second == kNone || peek(1).is(refused.second)))
      return not_supported(refused.name);
  }
  for (Word word : {kQuit, kExit, kClear, kHelp}) {
    if (at(word) && peek(1).kind != TokenKind::kWord)
      return not_supported(word_text(word), "This is a command of the shell, not of scripts.");
  }
  return Status::ok();
}

Result<Statement> Parser::parse_insert_statement() {
  const std::size_t first = position();
  TG_ASSIGN_OR_RETURN(Insert insert, parse_insert());
  return finish(first, std::move(insert));
}

Result<Insert> Parser::parse_insert() {
  TG_RETURN_IF_ERROR(expect(kInsert));
  Insert insert;
  insert.overwrite = accept(kOverwrite);
  if (!insert.overwrite && !accept(kInto)) return expected("INTO or OVERWRITE");
  (void)accept(kTable);
  TG_ASSIGN_OR_RETURN(insert.table, expect_qualified_name("a table name"));
  TG_RETURN_IF_ERROR(parse_insert_target(&insert));
  if (!at(kSelect) && !at(kValues) && !at(kWith) && !at('(') && !at(kTable))
    return expected("a query (SELECT, VALUES, WITH or TABLE) or a list of columns");
  TG_ASSIGN_OR_RETURN(insert.query, parse_query());
  // What a sink with a key does anyway: of rows with one key, the last one that is still there.
  if (at_words({kOn, kConflict})) {
    if (upper(text_of(peek(2))) != "DO" || upper(text_of(peek(3))) != "DEDUPLICATE")
      return not_supported("INSERT ... ON CONFLICT with anything but DO DEDUPLICATE");
    for (int word = 0; word < 4; ++word) advance();
  }
  return insert;
}

/// [/*+ OPTIONS(...) */] [PARTITION (a = 1, b)] [(columns)]
Status Parser::parse_insert_target(Insert* insert) {
  if (at(TokenKind::kHintBegin)) {
    TG_ASSIGN_OR_RETURN(insert->options, parse_table_options());
  }
  if (accept(kPartition)) {
    TG_RETURN_IF_ERROR(expect('('));
    do {
      TG_ASSIGN_OR_RETURN(Identifier column, expect_name("a column name"));
      ExpressionPtr value;
      if (accept('=')) {
        TG_ASSIGN_OR_RETURN(value, parse_expression());
      }
      insert->partition.emplace_back(std::move(column), std::move(value));
    } while (accept(','));
    if (!accept(')')) return expected(", or )");
  }
  if (!at('(') || at_query()) return Status::ok();
  if (at_name(1) && peek(2).is('.')) return not_supported("inserting into fields of a column");
  TG_ASSIGN_OR_RETURN(insert->columns, expect_name_list("a column name"));
  return Status::ok();
}

/// INSERT ...; INSERT ...; END
Result<StatementSet> Parser::parse_inserts_until_end() {
  StatementSet set;
  while (true) {
    while (accept(';')) {
    }
    if (accept(kEnd)) return set;
    if (!at(kInsert)) return expected("INSERT or END");
    TG_ASSIGN_OR_RETURN(Insert insert, parse_insert());
    set.inserts.push_back(std::move(insert));
    if (!at(';') && !at(kEnd)) return expected("; or another clause of the query");
  }
}

Result<Statement> Parser::parse_execute() {
  const std::size_t first = position();
  TG_RETURN_IF_ERROR(expect(kExecute));
  if (accept(kStatement)) {
    TG_RETURN_IF_ERROR(expect_words({kSet, kBegin}));
    TG_ASSIGN_OR_RETURN(StatementSet set, parse_inserts_until_end());
    return finish(first, std::move(set));
  }
  if (at(kPlan)) return not_supported("EXECUTE PLAN");
  // EXECUTE INSERT ..., EXECUTE SELECT ...: the statement itself.
  if (!at(kInsert) && !at(kSelect) && !at(kWith) && !at(kValues) && !at('('))
    return expected("STATEMENT SET, INSERT or a query");
  return parse_statement();
}

Result<Statement> Parser::parse_begin() {
  const std::size_t first = position();
  TG_RETURN_IF_ERROR(expect_words({kBegin, kStatement, kSet}));
  if (!at(';')) return expected(";");
  TG_ASSIGN_OR_RETURN(StatementSet set, parse_inserts_until_end());
  return finish(first, std::move(set));
}

Result<Statement> Parser::parse_explain() {
  const Level level(this);
  TG_RETURN_IF_ERROR(level.check());
  const std::size_t first = position();
  TG_RETURN_IF_ERROR(expect(kExplain));
  Explain explain;
  if (accept(kPlan)) {
    TG_RETURN_IF_ERROR(expect(kFor));
  } else {
    do {
      for (Word word : {kEstimatedCost, kChangelogMode, kJsonExecutionPlan, kPlanAdvice}) {
        if (accept(word)) explain.details.emplace_back(word_text(word));
      }
    } while (accept(','));
  }
  const std::size_t inner = position();
  Statement statement;
  if (accept_words({kStatement, kSet, kBegin})) {
    TG_ASSIGN_OR_RETURN(StatementSet set, parse_inserts_until_end());
    TG_ASSIGN_OR_RETURN(statement, finish(inner, std::move(set)));
  } else {
    const bool explainable = at(kSelect) || at(kWith) || at(kValues) || at('(') || at(kTable) ||
                             at(kInsert) || at(kExecute) || at(kCreate);
    if (!explainable)
      return expected("PLAN FOR, CHANGELOG_MODE, JSON_EXECUTION_PLAN, a query or INSERT");
    TG_ASSIGN_OR_RETURN(statement, parse_statement());
  }
  explain.statement = std::make_shared<Statement>(std::move(statement));
  return finish(first, std::move(explain));
}

Result<std::string> Parser::raw_text(bool stop_at_equal) {
  const std::size_t begin = peek().begin;
  std::size_t end = begin;
  while (!at_statement_end() && !(stop_at_equal && at('='))) {
    if (at(TokenKind::kError)) return expected("a value");
    end = peek().end;
    advance();
  }
  if (begin == end) return expected(stop_at_equal ? "a key" : "a value");
  return std::string(source().text.substr(begin, end - begin));
}

Result<Statement> Parser::parse_set() {
  const std::size_t first = position();
  TG_RETURN_IF_ERROR(expect(kSet));
  SetOption set;
  if (at_statement_end()) return finish(first, std::move(set));
  const std::size_t key = position();
  if (at_string()) {
    TG_ASSIGN_OR_RETURN(set.key, expect_string("a key"));
  } else {
    TG_ASSIGN_OR_RETURN(set.key, raw_text(true));
  }
  set.key_place = place_from(key);
  if (!accept('=')) return expected("= and a value in quotes");
  set.has_value = true;
  if (at_string()) {
    TG_ASSIGN_OR_RETURN(set.value, expect_string("a value"));
  } else {
    TG_ASSIGN_OR_RETURN(set.value, raw_text(false));
  }
  return finish(first, std::move(set));
}

Result<Statement> Parser::parse_reset() {
  const std::size_t first = position();
  TG_RETURN_IF_ERROR(expect(kReset));
  ResetOption reset;
  if (at_string()) {
    TG_ASSIGN_OR_RETURN(reset.key, expect_string("a key"));
  } else if (!at_statement_end()) {
    TG_ASSIGN_OR_RETURN(reset.key, raw_text(false));
  }
  return finish(first, std::move(reset));
}

}  // namespace tidegate::sql
