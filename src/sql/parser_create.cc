// SPDX-License-Identifier: Apache-2.0
//
// CREATE TABLE and the parts that other statements share with it.
#include <utility>

#include "sql/parser_rules.h"

namespace tidegate::sql {

using enum Word;

Result<bool> Parser::parse_if_not_exists() {
  if (!at(kIf)) return false;
  TG_RETURN_IF_ERROR(expect_words({kIf, kNot, kExists}));
  return true;
}

Result<bool> Parser::parse_if_exists() {
  if (!at(kIf) || peek(1).kind != TokenKind::kWord) return false;
  TG_RETURN_IF_ERROR(expect_words({kIf, kExists}));
  return true;
}

Result<CreateTable> Parser::parse_create_table() {
  CreateTable table;
  TG_ASSIGN_OR_RETURN(table.if_not_exists, parse_if_not_exists());
  TG_ASSIGN_OR_RETURN(table.name, expect_qualified_name("a table name"));
  if (accept('(')) TG_RETURN_IF_ERROR(parse_table_elements(&table));
  const std::size_t behind_columns = position();
  TG_RETURN_IF_ERROR(parse_table_clauses(&table));
  if (accept(kAs)) {
    TG_ASSIGN_OR_RETURN(table.as, parse_query());
  }
  // Columns without types: those of CREATE TABLE t (b, a) AS SELECT, in another order.
  for (const ColumnDefinition& column : table.columns) {
    if (column.type || column.computed != nullptr || table.as != nullptr) continue;
    return error_in(column.name.place, ErrorCode::kInvalidSyntax,
                    fmt::format("column '{}' has no type", column.name.text));
  }
  if (position() == behind_columns && table.columns.empty())
    return expected("( and columns, WITH, LIKE or AS");
  return table;
}

Status Parser::parse_table_elements(CreateTable* table) {
  if (accept(')')) return Status::ok();
  do {
    TG_RETURN_IF_ERROR(parse_table_element(table));
  } while (accept(','));
  if (!accept(')')) return expected(", or )");
  return Status::ok();
}

Status Parser::parse_table_element(CreateTable* table) {
  if (at(kWatermark) && (peek(1).is(kFor) || peek(2).is(kAs))) {
    TG_ASSIGN_OR_RETURN(WatermarkDefinition watermark, parse_watermark());
    table->watermarks.push_back(std::move(watermark));
    return Status::ok();
  }
  if (at(kConstraint) && at_name(1) && (peek(2).is(kPrimary) || peek(2).is(kUnique))) {
    advance();
    advance();
  }
  if (at(kUnique) && peek(1).is('(')) return not_supported("a UNIQUE constraint");
  if (at(kPrimary) && peek(1).is(kKey)) {
    if (!table->primary_key.empty()) return expected("one PRIMARY KEY only");
    advance();
    advance();
    TG_ASSIGN_OR_RETURN(table->primary_key, expect_name_list("a column name"));
    return parse_primary_key_tail();
  }
  TG_ASSIGN_OR_RETURN(ColumnDefinition column, parse_column());
  if (column.primary_key) {
    if (!table->primary_key.empty()) {
      return error_in(column.name.place, ErrorCode::kInvalidSyntax,
                      "there is a PRIMARY KEY already; a key of several columns is written "
                      "PRIMARY KEY (a, b) NOT ENFORCED");
    }
    table->primary_key.push_back(column.name);
  }
  table->columns.push_back(std::move(column));
  return Status::ok();
}

Status Parser::parse_primary_key_tail() {
  if (accept_words({kNot, kEnforced})) return Status::ok();
  if (at(kNot) || (peek().kind == TokenKind::kWord && !at(kEnforced) && !at(kComment)))
    return expected("NOT ENFORCED");
  return not_supported("a PRIMARY KEY that is enforced", "Write PRIMARY KEY (...) NOT ENFORCED.");
}

/// name type [METADATA ...], or name AS expression.
Result<ColumnDefinition> Parser::parse_column() {
  ColumnDefinition column;
  TG_ASSIGN_OR_RETURN(column.name, expect_name("a column name"));
  if (accept(kAs)) {
    TG_ASSIGN_OR_RETURN(column.computed, parse_expression());
  } else if (!at(',') && !at(')')) {
    TG_ASSIGN_OR_RETURN(column.type, parse_type());
    TG_RETURN_IF_ERROR(parse_metadata(&column));
    const bool named =
        at(kConstraint) && at_name(1) && (peek(2).is(kPrimary) || peek(2).is(kUnique));
    if (named) {
      advance();
      advance();
    }
    if (accept_words({kPrimary, kKey})) {
      column.primary_key = true;
      TG_RETURN_IF_ERROR(parse_primary_key_tail());
    } else if (at(kUnique)) {
      return not_supported("a UNIQUE constraint");
    }
    // NOT NULL may also follow the key.
    if (accept_words({kNot, kNull})) column.type = column.type->with_nullable(false);
  }
  if (accept(kComment)) {
    TG_ASSIGN_OR_RETURN(column.comment, expect_string("a comment in quotes"));
  }
  return column;
}

Status Parser::parse_metadata(ColumnDefinition* column) {
  if (!accept(kMetadata)) return Status::ok();
  column->metadata = true;
  if (accept(kFrom)) {
    TG_ASSIGN_OR_RETURN(column->metadata_key, expect_string("a metadata key in quotes"));
  }
  column->is_virtual = accept(kVirtual);
  return Status::ok();
}

Result<WatermarkDefinition> Parser::parse_watermark() {
  const std::size_t first = position();
  TG_RETURN_IF_ERROR(expect_words({kWatermark, kFor}));
  WatermarkDefinition watermark;
  TG_ASSIGN_OR_RETURN(watermark.column, expect_qualified_name("a column name"));
  TG_RETURN_IF_ERROR(expect(kAs));
  TG_ASSIGN_OR_RETURN(watermark.value, parse_expression());
  watermark.place = place_from(first);
  return watermark;
}

/// COMMENT, DISTRIBUTED, PARTITIONED BY, WITH and LIKE, each at most once.
Status Parser::parse_table_clauses(CreateTable* table) {
  bool has_options = false;
  while (true) {
    if (at(kComment) && table->comment.empty()) {
      advance();
      TG_ASSIGN_OR_RETURN(table->comment, expect_string("a comment in quotes"));
    } else if (at(kDistributed)) {
      TG_RETURN_IF_ERROR(parse_distribution());
    } else if (at(kPartitioned) && table->partitioned_by.empty()) {
      TG_RETURN_IF_ERROR(expect_words({kPartitioned, kBy}));
      TG_ASSIGN_OR_RETURN(table->partitioned_by, expect_name_list("a column name"));
    } else if (at(kWith) && !has_options) {
      has_options = true;
      TG_ASSIGN_OR_RETURN(table->options, parse_options());
    } else if (at(kLike) && !table->like) {
      TG_ASSIGN_OR_RETURN(table->like, parse_like());
    } else if (at(kUsing)) {
      return not_supported("CREATE TABLE ... USING");
    } else {
      return Status::ok();
    }
  }
}

/// How rows are spread over files or partitions is up to connectors; read, and not kept.
Status Parser::parse_distribution() {
  TG_RETURN_IF_ERROR(expect(kDistributed));
  if (accept(kBy)) {
    if (!at('(')) advance();  // HASH, RANGE
    TG_RETURN_IF_ERROR(expect_name_list("a column name").status());
    if (!at(kInto)) return Status::ok();
  }
  TG_RETURN_IF_ERROR(expect(kInto));
  TG_RETURN_IF_ERROR(expect_integer("a number of buckets").status());
  return expect(kBuckets);
}

Result<LikeClause> Parser::parse_like() {
  TG_RETURN_IF_ERROR(expect(kLike));
  LikeClause like;
  TG_ASSIGN_OR_RETURN(like.table, expect_qualified_name("a table name"));
  if (!accept('(')) return like;
  while (!accept(')')) {
    LikeClause::Feature feature;
    for (Word how : {kIncluding, kExcluding, kOverwriting}) {
      if (feature.how.empty() && accept(how)) feature.how = word_text(how);
    }
    if (feature.how.empty()) return expected("INCLUDING, EXCLUDING, OVERWRITING or )");
    for (Word what : {kAll, kConstraints, kDistribution, kGenerated, kMetadata, kOptions,
                      kPartitions, kWatermarks}) {
      if (feature.what.empty() && accept(what)) feature.what = word_text(what);
    }
    if (feature.what.empty())
      return expected("ALL, CONSTRAINTS, GENERATED, METADATA, OPTIONS, PARTITIONS or WATERMARKS");
    like.features.push_back(std::move(feature));
  }
  return like;
}

/// WITH ('key' = 'value', ...); empty when there is none.
Result<OptionList> Parser::parse_options() {
  OptionList options;
  if (!accept(kWith)) return options;
  TG_RETURN_IF_ERROR(expect('('));
  if (accept(')')) return options;
  do {
    TG_ASSIGN_OR_RETURN(auto option, parse_option());
    options.push_back(std::move(option));
  } while (accept(','));
  if (!accept(')')) return expected(", or )");
  return options;
}

Result<std::pair<std::string, std::string>> Parser::parse_option() {
  std::pair<std::string, std::string> option;
  TG_ASSIGN_OR_RETURN(option.first, expect_string("an option in quotes, 'key' = 'value'"));
  TG_RETURN_IF_ERROR(expect('='));
  TG_ASSIGN_OR_RETURN(option.second, expect_string("a value in quotes"));
  return option;
}

}  // namespace tidegate::sql
