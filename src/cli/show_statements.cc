// SPDX-License-Identifier: Apache-2.0
//
// Statements that show what a session holds.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "cli/sql_session.h"
#include "cli/text_table.h"
#include "expr/function_registry.h"
#include "sql/binder.h"

namespace tidegate {
namespace {

/// LIKE of SQL: % for any text, _ for any character.
bool like(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '%') {
    for (std::size_t i = 0; i <= text.size(); ++i) {
      if (like(text.substr(i), pattern.substr(1))) return true;
    }
    return false;
  }
  return !text.empty() && (pattern[0] == '_' || pattern[0] == text[0]) &&
         like(text.substr(1), pattern.substr(1));
}

}  // namespace

void SqlSession::print(const std::vector<std::string>& names,
                       const std::vector<std::vector<std::string>>& rows) const {
  std::vector<TextTable::Column> columns;
  for (const std::string& name : names) columns.push_back({name, {}, false, 0});
  TextTable table(std::move(columns));
  const auto cells_of = [](const std::vector<std::string>& row) {
    return std::vector<std::string_view>(row.begin(), row.end());
  };
  for (const auto& row : rows) table.measure(cells_of(row));
  std::string out;
  table.append_header(out);
  for (const auto& row : rows) table.append_row(cells_of(row), out);
  table.append_rule(out);
  std::fwrite(out.data(), 1, out.size(), stdout);
  std::fflush(stdout);
}

Status SqlSession::show(const sql::Show& show) {
  std::vector<std::vector<std::string>> rows;
  const auto add = [&](const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      if (!show.like || like(name, *show.like) != show.not_like) rows.push_back({name});
    }
  };
  if (show.what == "TABLES") {
    add(catalog_.tables());
    print({"table name"}, rows);
  } else if (show.what == "VIEWS") {
    add(catalog_.views());
    print({"view name"}, rows);
  } else if (show.what == "MODELS") {
    add(catalog_.models());
    print({"model name"}, rows);
  } else if (show.what == "CREATE MODEL") {
    const ModelDefinition* model = catalog_.find_model(show.name);
    if (model == nullptr) return catalog_.unknown_model(show.name);
    return standard_output()(sql::to_sql(*model) + "\n");
  } else if (show.what == "DATABASES") {
    add(catalog_.databases());
    print({"database name"}, rows);
  } else if (show.what == "CATALOGS") {
    add(catalog_.catalogs());
    print({"catalog name"}, rows);
  } else if (show.what == "CURRENT DATABASE") {
    add({catalog_.current_database()});
    print({"current database name"}, rows);
  } else if (show.what == "CURRENT CATALOG") {
    add({catalog_.current_catalog()});
    print({"current catalog name"}, rows);
  } else if (show.what == "FUNCTIONS") {
    std::vector<std::string> names;
    for (const ScalarFunction* function : builtin_functions().all())
      names.push_back(function->name);
    for (const AggregateFunction* function : builtin_functions().all_aggregates()) {
      names.push_back(function->name);
    }
    std::sort(names.begin(), names.end());
    add(names);
    print({"function name"}, rows);
  } else if (show.what == "COLUMNS") {
    return describe({show.name}, {std::make_shared<const std::string>(), ""});
  } else if (show.what == "CREATE TABLE") {
    const sql::TableDefinition* table = catalog_.find_table(show.name);
    if (table == nullptr) return catalog_.unknown_table(show.name);
    return standard_output()(sql::to_sql(*table) + "\n");
  } else if (show.what == "CREATE VIEW") {
    const sql::ViewDefinition* view = catalog_.find_view(show.name);
    if (view == nullptr) return catalog_.unknown_table(show.name);
    print({"result"}, {{fmt::format("CREATE VIEW {} AS {}", view->name, view->query_text)}});
  } else {
    return error(ErrorCode::kNotSupported, "SHOW {} is not supported", show.what);
  }
  return Status::ok();
}

Status SqlSession::describe(const sql::Describe& describe, const Script& script) {
  if (describe.model) return describe_model(describe);
  sql::Binder binder(catalog_, builtin_functions(), script.source());
  SchemaPtr schema;
  if (const sql::TableDefinition* table = catalog_.find_table(describe.name)) {
    TG_ASSIGN_OR_RETURN(schema, binder.table_schema(*table));
  } else if (const sql::ViewDefinition* view = catalog_.find_view(describe.name)) {
    TG_ASSIGN_OR_RETURN(const sql::BoundQuery query, binder.bind_query(*view->query));
    schema = query.input.schema();
  } else {
    return catalog_.unknown_table(describe.name);
  }
  std::vector<std::vector<std::string>> rows;
  for (int i = 0; i < schema->num_fields(); ++i) {
    const Field& field = schema->field(i);
    std::string type = field.type.with_nullable(true).to_string();
    if (field.time == TimeAttribute::kRowtime) type += " *ROWTIME*";
    if (field.time == TimeAttribute::kProctime) type += " *PROCTIME*";
    const bool is_key = std::find(schema->primary_key.begin(), schema->primary_key.end(), i) !=
                        schema->primary_key.end();
    rows.push_back(
        {field.name, type, field.type.nullable() ? "TRUE" : "FALSE", is_key ? "PRI" : ""});
  }
  print({"name", "type", "null", "key"}, rows);
  return Status::ok();
}

Status SqlSession::describe_model(const sql::Describe& describe) {
  const ModelDefinition* model = catalog_.find_model(describe.name);
  if (model == nullptr) return catalog_.unknown_model(describe.name);
  std::vector<std::vector<std::string>> rows;
  const auto add = [&](const std::vector<Field>& fields, const char* is_input) {
    for (const Field& field : fields) {
      rows.push_back({field.name, field.type.with_nullable(true).to_string(),
                      field.type.nullable() ? "TRUE" : "FALSE", is_input});
    }
  };
  add(model->inputs, "TRUE");
  add(model->outputs, "FALSE");
  print({"name", "type", "null", "is input"}, rows);
  return Status::ok();
}

}  // namespace tidegate
