// SPDX-License-Identifier: Apache-2.0
//
// CREATE of everything but tables, and DROP.
#include <utility>

#include "sql/parser_rules.h"

namespace tidegate::sql {

using enum Word;

Result<Statement> Parser::parse_create() {
  const std::size_t first = position();
  TG_RETURN_IF_ERROR(expect(kCreate));
  const bool or_replace = accept(kOr);
  if (or_replace) TG_RETURN_IF_ERROR(expect(kReplace));
  const bool temporary = accept(kTemporary);
  if (accept(kSystem) && !at(kFunction)) return expected("FUNCTION");
  if (accept(kTable)) {
    TG_ASSIGN_OR_RETURN(CreateTable table, parse_create_table());
    table.temporary = temporary;
    table.or_replace = or_replace;
    return finish(first, std::move(table));
  }
  if (accept(kView)) {
    TG_ASSIGN_OR_RETURN(CreateView view, parse_create_view());
    view.temporary = temporary;
    view.or_replace = or_replace;
    return finish(first, std::move(view));
  }
  CreateOther other;
  if (accept(kFunction)) {
    TG_ASSIGN_OR_RETURN(other, parse_create_function());
  } else if (accept(kModel)) {
    TG_ASSIGN_OR_RETURN(other, parse_create_model());
  } else if (accept(kCatalog)) {
    TG_ASSIGN_OR_RETURN(other, parse_create_space(kCatalog));
  } else if (accept(kDatabase)) {
    TG_ASSIGN_OR_RETURN(other, parse_create_space(kDatabase));
  } else if (at(kMaterialized)) {
    return not_supported("CREATE MATERIALIZED TABLE");
  } else {
    return expected("TABLE, VIEW, FUNCTION, CATALOG, DATABASE or MODEL");
  }
  other.temporary = temporary;
  other.or_replace = or_replace;
  return finish(first, std::move(other));
}

Result<CreateView> Parser::parse_create_view() {
  CreateView view;
  TG_ASSIGN_OR_RETURN(view.if_not_exists, parse_if_not_exists());
  TG_ASSIGN_OR_RETURN(view.name, expect_qualified_name("the name of the view"));
  if (at('(')) {
    TG_ASSIGN_OR_RETURN(view.columns, expect_name_list("a column name"));
  }
  if (accept(kComment)) {
    TG_ASSIGN_OR_RETURN(view.comment, expect_string("a comment in quotes"));
  }
  TG_RETURN_IF_ERROR(expect(kAs));
  const std::size_t first = position();
  TG_ASSIGN_OR_RETURN(view.query, parse_query());
  const Place place = place_from(first);
  view.text = source().text.substr(place.begin, place.end - place.begin);
  return view;
}

Result<CreateOther> Parser::parse_create_function() {
  CreateOther function;
  function.kind = "FUNCTION";
  TG_ASSIGN_OR_RETURN(function.if_not_exists, parse_if_not_exists());
  TG_ASSIGN_OR_RETURN(function.name, expect_qualified_name("the name of the function"));
  TG_RETURN_IF_ERROR(expect(kAs));
  TG_ASSIGN_OR_RETURN(function.value, expect_string("the name of a class in quotes"));
  if (accept(kLanguage)) {
    TG_ASSIGN_OR_RETURN(const Identifier language, expect_name("JAVA, SCALA or PYTHON (a name)"));
    function.language = language.text;
  }
  if (accept(kUsing)) {
    do {
      if (!accept(kJar) && !accept(kArtifact)) return expected("JAR or ARTIFACT");
      TG_RETURN_IF_ERROR(expect_string("the path of a file in quotes").status());
    } while (accept(','));
  }
  TG_ASSIGN_OR_RETURN(function.options, parse_options());
  return function;
}

Result<CreateOther> Parser::parse_create_model() {
  CreateOther model;
  model.kind = "MODEL";
  TG_ASSIGN_OR_RETURN(model.if_not_exists, parse_if_not_exists());
  TG_ASSIGN_OR_RETURN(model.name, expect_qualified_name("the name of the model"));
  for (auto [word, columns] : {std::pair(kInput, &model.inputs), {kOutput, &model.outputs}}) {
    if (!accept(word)) continue;
    TG_RETURN_IF_ERROR(expect('('));
    do {
      TG_ASSIGN_OR_RETURN(ColumnDefinition column, parse_column());
      columns->push_back(std::move(column));
    } while (accept(','));
    if (!accept(')')) return expected(", or )");
  }
  if (accept(kComment)) {
    TG_ASSIGN_OR_RETURN(model.comment, expect_string("a comment in quotes"));
  }
  TG_ASSIGN_OR_RETURN(model.options, parse_options());
  if (at(kAs)) return not_supported("CREATE MODEL ... AS");
  return model;
}

/// CREATE CATALOG and CREATE DATABASE.
Result<CreateOther> Parser::parse_create_space(Word kind) {
  CreateOther space;
  space.kind = word_text(kind);
  TG_ASSIGN_OR_RETURN(space.if_not_exists, parse_if_not_exists());
  TG_ASSIGN_OR_RETURN(space.name, expect_qualified_name("a name"));
  if (accept(kComment)) {
    TG_ASSIGN_OR_RETURN(space.comment, expect_string("a comment in quotes"));
  }
  TG_ASSIGN_OR_RETURN(space.options, parse_options());
  return space;
}

Result<Statement> Parser::parse_drop() {
  const std::size_t first = position();
  TG_RETURN_IF_ERROR(expect(kDrop));
  Drop drop;
  drop.temporary = accept(kTemporary);
  if (accept(kSystem) && !at(kFunction)) return expected("FUNCTION");
  for (Word word : {kTable, kView, kFunction, kCatalog, kDatabase, kModel}) {
    if (drop.kind.empty() && accept(word)) drop.kind = word_text(word);
  }
  if (drop.kind.empty()) {
    if (at(kMaterialized)) return not_supported("DROP MATERIALIZED TABLE");
    return expected("TABLE, VIEW, FUNCTION, CATALOG, DATABASE or MODEL");
  }
  TG_ASSIGN_OR_RETURN(drop.if_exists, parse_if_exists());
  TG_ASSIGN_OR_RETURN(drop.name, expect_qualified_name("a name"));
  if (drop.kind == "DATABASE") {
    drop.cascade = accept(kCascade);
    if (!drop.cascade) (void)accept(kRestrict);
  }
  return finish(first, std::move(drop));
}

}  // namespace tidegate::sql
