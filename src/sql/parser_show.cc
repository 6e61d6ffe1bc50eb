// SPDX-License-Identifier: Apache-2.0
//
// SHOW, DESCRIBE and USE.
#include <utility>

#include "sql/parser_rules.h"

namespace tidegate::sql {

using enum Word;

Result<Statement> Parser::parse_use() {
  const std::size_t first = position();
  TG_RETURN_IF_ERROR(expect(kUse));
  Use use;
  if (at(kCatalog) && at_name(1)) {
    advance();
    use.what = "CATALOG";
    TG_ASSIGN_OR_RETURN(Identifier name, expect_name("a catalog name"));
    use.name.push_back(std::move(name));
  } else if (at(kModules) && at_name(1)) {
    advance();
    use.what = "MODULES";
    do {
      TG_ASSIGN_OR_RETURN(Identifier name, expect_name("a module name"));
      use.name.push_back(std::move(name));
    } while (accept(','));
  } else {
    TG_ASSIGN_OR_RETURN(use.name, expect_qualified_name("a database name"));
  }
  return finish(first, std::move(use));
}

Result<Statement> Parser::parse_show() {
  const std::size_t first = position();
  TG_RETURN_IF_ERROR(expect(kShow));
  if (at(kCreate)) return parse_show_create();
  Show show;
  if (accept(kCurrent)) {
    const bool catalog = accept(kCatalog);
    if (!catalog && !accept(kDatabase)) return expected("CATALOG or DATABASE");
    show.what = catalog ? "CURRENT CATALOG" : "CURRENT DATABASE";
    return finish(first, std::move(show));
  }
  if (accept(kUser)) {
    TG_RETURN_IF_ERROR(expect(kFunctions));
    show.what = "USER FUNCTIONS";
  } else if (accept(kFull)) {
    TG_RETURN_IF_ERROR(expect(kModules));
    show.what = "FULL MODULES";
  }
  for (Word word : {kTables, kViews, kFunctions, kColumns, kDatabases, kCatalogs, kModules, kModels,
                    kProcedures, kPartitions, kJars, kJobs}) {
    if (show.what.empty() && accept(word)) show.what = word_text(word);
  }
  if (show.what.empty()) {
    if (at(kMaterialized)) return not_supported("SHOW MATERIALIZED TABLES");
    return expected("TABLES, VIEWS, FUNCTIONS, COLUMNS, DATABASES, CATALOGS, CREATE TABLE ...");
  }
  TG_RETURN_IF_ERROR(parse_show_source(&show));
  TG_RETURN_IF_ERROR(parse_show_like(&show));
  return finish(first, std::move(show));
}

Result<Statement> Parser::parse_show_create() {
  const std::size_t first = position() - 1;
  TG_RETURN_IF_ERROR(expect(kCreate));
  Show show;
  for (Word word : {kTable, kView, kCatalog, kModel, kFunction, kDatabase}) {
    if (show.what.empty() && accept(word)) show.what = fmt::format("CREATE {}", word_text(word));
  }
  if (show.what.empty()) {
    if (at(kMaterialized)) return not_supported("SHOW CREATE MATERIALIZED TABLE");
    return expected("TABLE, VIEW, CATALOG or MODEL");
  }
  TG_ASSIGN_OR_RETURN(show.name, expect_qualified_name("a name"));
  return finish(first, std::move(show));
}

/// FROM or IN where, or the table of SHOW PARTITIONS.
Status Parser::parse_show_source(Show* show) {
  const bool columns = show->what == "COLUMNS";
  if (show->what == "PARTITIONS") {
    TG_ASSIGN_OR_RETURN(show->name, expect_qualified_name("a table name"));
    if (at(kPartition)) return not_supported("SHOW PARTITIONS ... PARTITION (...)");
    return Status::ok();
  }
  if (accept(kFrom) || accept(kIn)) {
    TG_ASSIGN_OR_RETURN(show->name,
                        expect_qualified_name(columns ? "a table name" : "a database name"));
    return Status::ok();
  }
  return columns ? expected("FROM and a table name") : Status::ok();
}

Status Parser::parse_show_like(Show* show) {
  show->not_like = accept(kNot);
  show->ignore_case = at(kIlike);
  if (accept(kLike) || accept(kIlike)) {
    TG_ASSIGN_OR_RETURN(show->like, expect_string("a pattern in quotes"));
    return Status::ok();
  }
  return show->not_like ? expected("LIKE") : Status::ok();
}

Result<Statement> Parser::parse_describe() {
  const std::size_t first = position();
  advance();
  for (Word word : {kCatalog, kDatabase, kFunction, kJob}) {
    if (at(word) && (at_name(1) || peek(1).kind == TokenKind::kString))
      return not_supported(fmt::format("DESCRIBE {}", word_text(word)));
  }
  if (at(kExtended) && at_name(1)) advance();
  Describe describe;
  if (at(kModel) && at_name(1)) {
    advance();
    describe.model = true;
  } else {
    (void)accept(kTable);
  }
  TG_ASSIGN_OR_RETURN(describe.name,
                      expect_qualified_name(describe.model ? "a model name" : "a table name"));
  return finish(first, std::move(describe));
}

}  // namespace tidegate::sql
