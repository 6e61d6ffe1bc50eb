// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "sql/parser_rules.h"

namespace tidegate::sql {

using enum Word;

Result<Statement> Parser::parse_alter() {
  if (peek(1).is(kTable)) return parse_alter_table();
  if (peek(1).is(kView)) return parse_alter_view();
  if (peek(1).is(kModel)) return parse_alter_model();
  TG_RETURN_IF_ERROR(expect(kAlter));
  for (Word word : {kDatabase, kFunction, kCatalog}) {
    if (at(word)) return not_supported(fmt::format("ALTER {}", word_text(word)));
  }
  if (at(kTemporary) || at(kMaterialized))
    return not_supported(fmt::format("ALTER {}", word_text(peek().word())));
  return expected("TABLE, VIEW or MODEL");
}

Result<Statement> Parser::parse_alter_view() {
  const std::size_t first = position();
  TG_RETURN_IF_ERROR(expect_words({kAlter, kView}));
  AlterTable alter;
  alter.view = true;
  TG_ASSIGN_OR_RETURN(alter.if_exists, parse_if_exists());
  TG_ASSIGN_OR_RETURN(alter.name, expect_qualified_name("the name of the view"));
  if (accept(kRename)) {
    TG_RETURN_IF_ERROR(expect(kTo));
    AlterTable::Rename rename;
    TG_ASSIGN_OR_RETURN(rename.to, expect_qualified_name("the new name"));
    alter.action = std::move(rename);
  } else if (accept(kAs)) {
    AlterTable::NewQuery query;
    TG_ASSIGN_OR_RETURN(query.query, parse_query());
    alter.action = std::move(query);
  } else {
    return expected("RENAME TO or AS");
  }
  return finish(first, std::move(alter));
}

Result<Statement> Parser::parse_alter_model() {
  const std::size_t first = position();
  TG_RETURN_IF_ERROR(expect_words({kAlter, kModel}));
  AlterTable alter;
  alter.model = true;
  TG_ASSIGN_OR_RETURN(alter.if_exists, parse_if_exists());
  TG_ASSIGN_OR_RETURN(alter.name, expect_qualified_name("the name of the model"));
  if (accept(kRename)) {
    TG_RETURN_IF_ERROR(expect(kTo));
    AlterTable::Rename rename;
    TG_ASSIGN_OR_RETURN(rename.to, expect_qualified_name("the new name"));
    alter.action = std::move(rename);
  } else if (accept(kSet)) {
    TG_RETURN_IF_ERROR(parse_alter_set(&alter));
  } else if (accept(kReset)) {
    TG_RETURN_IF_ERROR(parse_alter_reset(&alter));
  } else {
    return expected("RENAME TO, SET or RESET");
  }
  return finish(first, std::move(alter));
}

Result<Statement> Parser::parse_alter_table() {
  const std::size_t first = position();
  TG_RETURN_IF_ERROR(expect_words({kAlter, kTable}));
  AlterTable alter;
  TG_ASSIGN_OR_RETURN(alter.if_exists, parse_if_exists());
  TG_ASSIGN_OR_RETURN(alter.name, expect_qualified_name("a table name"));
  if (at(kPartition)) return not_supported("ALTER TABLE ... PARTITION");
  if (accept(kRename)) {
    TG_RETURN_IF_ERROR(parse_alter_rename(&alter));
  } else if (accept(kSet)) {
    TG_RETURN_IF_ERROR(parse_alter_set(&alter));
  } else if (accept(kReset)) {
    TG_RETURN_IF_ERROR(parse_alter_reset(&alter));
  } else if (at(kAdd) || at(kModify)) {
    TG_RETURN_IF_ERROR(parse_alter_add(&alter));
  } else if (accept(kDrop)) {
    TG_RETURN_IF_ERROR(parse_alter_drop(&alter));
  } else {
    return expected("ADD, MODIFY, DROP, RENAME, SET or RESET");
  }
  return finish(first, std::move(alter));
}

/// column.field: Flink changes parts of rows, too.
Status Parser::refuse_field() const {
  if (!at_name() || !peek(1).is('.')) return Status::ok();
  return not_supported("changing a field of a column");
}

/// RENAME a TO b, or RENAME TO t.
Status Parser::parse_alter_rename(AlterTable* alter) {
  if (accept(kTo)) {
    AlterTable::Rename rename;
    TG_ASSIGN_OR_RETURN(rename.to, expect_qualified_name("the new name"));
    alter->action = std::move(rename);
    return Status::ok();
  }
  TG_RETURN_IF_ERROR(refuse_field());
  AlterTable::RenameColumn rename;
  TG_ASSIGN_OR_RETURN(rename.from, expect_name("TO or a column name"));
  TG_RETURN_IF_ERROR(expect(kTo));
  TG_ASSIGN_OR_RETURN(rename.to, expect_name("the new name"));
  alter->action = std::move(rename);
  return Status::ok();
}

Status Parser::parse_alter_set(AlterTable* alter) {
  AlterTable::SetOptions set;
  TG_RETURN_IF_ERROR(expect('('));
  do {
    TG_ASSIGN_OR_RETURN(auto option, parse_option());
    set.options.push_back(std::move(option));
  } while (accept(','));
  if (!accept(')')) return expected(", or )");
  alter->action = std::move(set);
  return Status::ok();
}

Status Parser::parse_alter_reset(AlterTable* alter) {
  AlterTable::ResetOptions reset;
  TG_RETURN_IF_ERROR(expect('('));
  do {
    TG_ASSIGN_OR_RETURN(std::string key, expect_string("an option in quotes"));
    reset.keys.push_back(std::move(key));
  } while (accept(','));
  if (!accept(')')) return expected(", or )");
  alter->action = std::move(reset);
  return Status::ok();
}

/// ADD or MODIFY, of one element or a list in brackets.
Status Parser::parse_alter_add(AlterTable* alter) {
  AlterTable::AddColumns add;
  add.modify = at(kModify);
  advance();
  if (at(kPartition) || at_words({kIf, kNot, kExists}))
    return not_supported("ALTER TABLE ... ADD PARTITION");
  if (at(kDistribution)) return not_supported("ALTER TABLE ... DISTRIBUTION");
  if (accept('(')) {
    do {
      TG_RETURN_IF_ERROR(parse_alter_element(&add));
    } while (accept(','));
    if (!accept(')')) return expected(", or )");
  } else {
    TG_RETURN_IF_ERROR(parse_alter_element(&add));
  }
  alter->action = std::move(add);
  return Status::ok();
}

Status Parser::parse_alter_element(AlterTable::AddColumns* add) {
  TG_RETURN_IF_ERROR(refuse_field());
  CreateTable element;
  TG_RETURN_IF_ERROR(parse_table_element(&element));
  for (WatermarkDefinition& watermark : element.watermarks)
    add->watermarks.push_back(std::move(watermark));
  for (Identifier& key : element.primary_key) add->primary_key.push_back(std::move(key));
  if (element.columns.empty()) return Status::ok();
  AlterTable::AddColumns::Position place;
  place.first = accept(kFirst);
  if (!place.first && accept(kAfter)) {
    TG_ASSIGN_OR_RETURN(place.after, expect_name("a column name"));
  }
  const ColumnDefinition& column = element.columns[0];
  if (!column.type && column.computed == nullptr) {
    return error_in(column.name.place, ErrorCode::kInvalidSyntax,
                    fmt::format("column '{}' has no type", column.name.text));
  }
  add->columns.push_back(std::move(element.columns[0]));
  add->positions.push_back(std::move(place));
  return Status::ok();
}

Status Parser::parse_alter_drop(AlterTable* alter) {
  AlterTable::DropColumns drop;
  if (at(kPartition) || at_words({kIf, kExists}))
    return not_supported("ALTER TABLE ... DROP PARTITION");
  if (at(kDistribution)) return not_supported("ALTER TABLE ... DISTRIBUTION");
  if (accept_words({kPrimary, kKey})) {
    drop.primary_key = true;
  } else if (at(kConstraint) && at_name(1)) {
    advance();  // the only constraint of a table is its primary key, whatever its name
    advance();
    drop.primary_key = true;
  } else if (at(kWatermark)) {
    advance();
    drop.watermark = true;
  } else if (at('(')) {
    advance();
    do {
      TG_RETURN_IF_ERROR(refuse_field());
      TG_ASSIGN_OR_RETURN(Identifier column, expect_name("a column name"));
      drop.columns.push_back(std::move(column));
    } while (accept(','));
    if (!accept(')')) return expected(", or )");
  } else {
    TG_RETURN_IF_ERROR(refuse_field());
    TG_ASSIGN_OR_RETURN(Identifier column, expect_name("a column name"));
    drop.columns.push_back(std::move(column));
  }
  alter->action = std::move(drop);
  return Status::ok();
}

}  // namespace tidegate::sql
