// SPDX-License-Identifier: Apache-2.0
#include "sql/catalog.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"

namespace tidegate::sql {
namespace {

TableColumn column_of(const ColumnDefinition& definition) {
  TableColumn column;
  column.name = definition.name.text;
  column.comment = definition.comment;
  if (definition.computed != nullptr) {
    column.kind = TableColumn::Kind::kComputed;
    column.computed = definition.computed;
    return column;
  }
  column.type = definition.type.value_or(LogicalType());
  if (definition.metadata) {
    column.kind = TableColumn::Kind::kMetadata;
    column.metadata_key = definition.metadata_key.value_or(column.name);
    column.is_virtual = definition.is_virtual;
  }
  return column;
}

std::vector<std::string> texts_of(const std::vector<Identifier>& names) {
  std::vector<std::string> texts;
  for (const Identifier& name : names) texts.push_back(name.text);
  return texts;
}

TableColumn* find_column(TableDefinition& table, const std::string& name) {
  for (TableColumn& column : table.columns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

/// The columns, watermark and key that a statement adds to a table.
Status add_columns(const std::vector<ColumnDefinition>& columns,
                   const std::vector<WatermarkDefinition>& watermarks,
                   const std::vector<Identifier>& primary_key, TableDefinition& table) {
  std::set<std::string> names;
  for (const TableColumn& column : table.columns) names.insert(column.name);
  for (const ColumnDefinition& definition : columns) {
    if (!names.insert(definition.name.text).second) {
      return error(ErrorCode::kInvalidArgument, "table '{}' has two columns '{}'", table.name,
                   definition.name.text);
    }
    table.columns.push_back(column_of(definition));
    if (definition.primary_key) table.primary_key.push_back(definition.name.text);
  }
  if (!watermarks.empty()) table.watermarks = watermarks;
  for (const Identifier& key : primary_key) table.primary_key.push_back(key.text);
  return Status::ok();
}

/// MODIFY: the columns are there, and stay at their places.
Status modify_columns(const AlterTable::AddColumns& change, TableDefinition& table) {
  TableDefinition defined;
  defined.name = table.name;
  TG_RETURN_IF_ERROR(add_columns(change.columns, change.watermarks, change.primary_key, defined));
  for (TableColumn& column : defined.columns) {
    TableColumn* old = find_column(table, column.name);
    if (old == nullptr) {
      return error(ErrorCode::kUnknownName, "table '{}' has no column '{}'", table.name,
                   column.name);
    }
    *old = std::move(column);
  }
  if (!defined.watermarks.empty()) table.watermarks = std::move(defined.watermarks);
  if (!defined.primary_key.empty()) table.primary_key = std::move(defined.primary_key);
  return Status::ok();
}

/// Moves the columns that say FIRST or AFTER.
Status place_columns(const AlterTable::AddColumns& change, TableDefinition& table) {
  for (std::size_t i = 0; i < change.columns.size(); ++i) {
    const AlterTable::AddColumns::Position& position = change.positions[i];
    if (!position.first && !position.after) continue;
    const auto named = [&table](const std::string& name) {
      return std::find_if(table.columns.begin(), table.columns.end(),
                          [&](const TableColumn& column) { return column.name == name; });
    };
    const auto at = named(change.columns[i].name.text);
    TableColumn column = std::move(*at);
    table.columns.erase(at);
    const auto before = position.first ? table.columns.begin() : named(position.after->text);
    if (!position.first && before == table.columns.end()) {
      return error(ErrorCode::kUnknownName, "table '{}' has no column '{}'", table.name,
                   position.after->text);
    }
    table.columns.insert(position.first ? before : before + 1, std::move(column));
  }
  return Status::ok();
}

/// Columns of the primary key are there and never null.
Status check_table(TableDefinition& table) {
  if (table.watermarks.size() > 1) {
    return error(ErrorCode::kInvalidArgument, "table '{}' declares {} watermarks; one is possible",
                 table.name, table.watermarks.size());
  }
  for (const std::string& key : table.primary_key) {
    TableColumn* column = find_column(table, key);
    if (column == nullptr) {
      return error(ErrorCode::kUnknownName,
                   "the primary key of table '{}' names '{}', which is not "
                   "a column of it",
                   table.name, key);
    }
    if (column->kind == TableColumn::Kind::kPhysical) {
      column->type = column->type.with_nullable(false);
    }
  }
  for (const std::string& name : table.partitioned_by) {
    if (find_column(table, name) == nullptr) {
      return error(ErrorCode::kUnknownName,
                   "table '{}' is partitioned by '{}', which is not a "
                   "column of it",
                   table.name, name);
    }
  }
  return Status::ok();
}

template <typename Map>
std::vector<std::string> names_in(const Map& map, const std::string& prefix) {
  std::vector<std::string> names;
  for (const auto& [full, entry] : map) {
    if (full.starts_with(prefix)) names.push_back(full.substr(prefix.size()));
  }
  return names;
}

}  // namespace

std::string Catalog::full_name(const QualifiedName& name) const {
  const std::size_t n = name.size();
  return fmt::format("{}.{}.{}", n > 2 ? name[n - 3].text : catalog_,
                     n > 1 ? name[n - 2].text : database_, name[n - 1].text);
}

Status Catalog::check_free(const std::string& full_name, const std::string& name,
                           bool or_replace) const {
  if (or_replace || (!tables_.contains(full_name) && !views_.contains(full_name))) {
    return Status::ok();
  }
  return Status(
      ErrorCode::kInvalidArgument,
      fmt::format("{} '{}' exists already", tables_.contains(full_name) ? "table" : "view", name),
      "Drop it first, or write CREATE ... IF NOT EXISTS.");
}

Status Catalog::add_like(const LikeClause& like, TableDefinition& table) const {
  const TableDefinition* from = find_table(like.table);
  if (from == nullptr) return unknown_table(like.table);
  // INCLUDING ALL but for options, of which ours overwrite, unless said otherwise.
  std::map<std::string, std::string> how;
  for (const LikeClause::Feature& feature : like.features) how[feature.what] = feature.how;
  const auto takes = [&](const std::string& what) {
    if (const auto found = how.find(what); found != how.end()) return found->second != "EXCLUDING";
    const auto all = how.find("ALL");
    return all == how.end() || all->second != "EXCLUDING";
  };
  std::vector<TableColumn> columns;
  for (const TableColumn& column : from->columns) {
    if (column.kind == TableColumn::Kind::kComputed && !takes("GENERATED")) continue;
    if (column.kind == TableColumn::Kind::kMetadata && !takes("METADATA")) continue;
    if (find_column(table, column.name) == nullptr) columns.push_back(column);
  }
  table.columns.insert(table.columns.begin(), columns.begin(), columns.end());
  if (table.watermarks.empty() && takes("WATERMARKS")) table.watermarks = from->watermarks;
  if (table.primary_key.empty() && takes("CONSTRAINTS")) table.primary_key = from->primary_key;
  if (table.partitioned_by.empty() && takes("PARTITIONS")) {
    table.partitioned_by = from->partitioned_by;
  }
  if (takes("OPTIONS")) {
    for (const auto& [key, value] : from->options.values()) {
      if (!table.options.has(key)) table.options.set(key, value);
    }
  }
  return Status::ok();
}

Result<std::vector<int>> partition_columns(const TableDefinition& table, const Schema& schema) {
  std::vector<int> columns;
  for (const std::string& name : table.partitioned_by) {
    columns.push_back(schema.index_of(name));
    if (columns.back() >= 0) continue;
    return error(ErrorCode::kInvalidPlan,
                 "table '{}' is partitioned by '{}', which is not a physical column", table.name,
                 name);
  }
  return columns;
}

Status Catalog::apply(const CreateTable& statement, const SharedText& text) {
  const std::string full = full_name(statement.name);
  if (statement.if_not_exists && (tables_.contains(full) || views_.contains(full))) {
    return Status::ok();
  }
  TG_RETURN_IF_ERROR(check_free(full, to_string(statement.name), statement.or_replace));
  TableDefinition table;
  table.name = statement.name.back().text;
  table.partitioned_by = texts_of(statement.partitioned_by);
  table.comment = statement.comment;
  table.text = text;
  for (const auto& [key, value] : statement.options) table.options.set(key, value);
  TG_RETURN_IF_ERROR(
      add_columns(statement.columns, statement.watermarks, statement.primary_key, table));
  if (statement.like) TG_RETURN_IF_ERROR(add_like(*statement.like, table));
  TG_RETURN_IF_ERROR(check_table(table));
  views_.erase(full);
  tables_[full] = std::move(table);
  return Status::ok();
}

Status Catalog::apply(const CreateView& statement, const SharedText& text) {
  const std::string full = full_name(statement.name);
  if (statement.if_not_exists && (tables_.contains(full) || views_.contains(full))) {
    return Status::ok();
  }
  TG_RETURN_IF_ERROR(check_free(full, to_string(statement.name), statement.or_replace));
  ViewDefinition view;
  view.name = statement.name.back().text;
  view.columns = texts_of(statement.columns);
  view.query = statement.query;
  view.text = text;
  view.query_text = statement.text;
  view.comment = statement.comment;
  tables_.erase(full);
  views_[full] = std::move(view);
  return Status::ok();
}

Status Catalog::apply(const CreateOther& statement) {
  if (statement.kind == "DATABASE") {
    const std::string& in =
        statement.name.size() > 1 ? statement.name[statement.name.size() - 2].text : catalog_;
    databases_[in].push_back(statement.name.back().text);
    return Status::ok();
  }
  if (statement.kind == "CATALOG") {
    databases_[statement.name.back().text].push_back("default");
    return Status::ok();
  }
  if (statement.kind == "MODEL") return create_model(statement);
  return error(ErrorCode::kNotSupported, "CREATE {} is not supported yet", statement.kind);
}

Status Catalog::apply(const AlterTable& statement, const SharedText& text) {
  if (statement.model) return alter_model(statement);
  const std::string full = full_name(statement.name);
  if (const auto* rename = std::get_if<AlterTable::Rename>(&statement.action)) {
    const std::string to = full_name(rename->to);
    TG_RETURN_IF_ERROR(check_free(to, to_string(rename->to), false));
    if (auto node = tables_.extract(full); !node.empty()) {
      node.mapped().name = rename->to.back().text;
      node.key() = to;
      tables_.insert(std::move(node));
      return Status::ok();
    }
    if (auto node = views_.extract(full); !node.empty()) {
      node.mapped().name = rename->to.back().text;
      node.key() = to;
      views_.insert(std::move(node));
      return Status::ok();
    }
    return statement.if_exists ? Status::ok() : unknown_table(statement.name);
  }
  if (const auto* replace = std::get_if<AlterTable::NewQuery>(&statement.action)) {
    const auto view = views_.find(full);
    if (view == views_.end()) return unknown_table(statement.name);
    view->second.query = replace->query;
    view->second.text = text;
    return Status::ok();
  }
  const auto found = tables_.find(full);
  if (found == tables_.end()) {
    return statement.if_exists ? Status::ok() : unknown_table(statement.name);
  }
  TableDefinition table = found->second;
  if (const auto* set = std::get_if<AlterTable::SetOptions>(&statement.action)) {
    for (const auto& [key, value] : set->options) table.options.set(key, value);
  } else if (const auto* reset = std::get_if<AlterTable::ResetOptions>(&statement.action)) {
    auto values = table.options.values();
    for (const std::string& key : reset->keys) values.erase(key);
    table.options = Options(std::move(values));
  } else if (const auto* add = std::get_if<AlterTable::AddColumns>(&statement.action)) {
    TG_RETURN_IF_ERROR(add->modify
                           ? modify_columns(*add, table)
                           : add_columns(add->columns, add->watermarks, add->primary_key, table));
    TG_RETURN_IF_ERROR(place_columns(*add, table));
    table.text = text;
  } else if (const auto* drop = std::get_if<AlterTable::DropColumns>(&statement.action)) {
    for (const Identifier& name : drop->columns) {
      if (find_column(table, name.text) == nullptr) {
        return error(ErrorCode::kUnknownName, "table '{}' has no column '{}'", table.name,
                     name.text);
      }
      std::erase_if(table.columns, [&](const TableColumn& c) { return c.name == name.text; });
    }
    if (drop->primary_key) table.primary_key.clear();
    if (drop->watermark) table.watermarks.clear();
  } else if (const auto* rename = std::get_if<AlterTable::RenameColumn>(&statement.action)) {
    TableColumn* column = find_column(table, rename->from.text);
    if (column == nullptr) {
      return error(ErrorCode::kUnknownName, "table '{}' has no column '{}'", table.name,
                   rename->from.text);
    }
    column->name = rename->to.text;
    for (std::vector<std::string>* names : {&table.primary_key, &table.partitioned_by})
      std::replace(names->begin(), names->end(), rename->from.text, rename->to.text);
  }
  TG_RETURN_IF_ERROR(check_table(table));
  found->second = std::move(table);
  return Status::ok();
}

Status Catalog::apply(const Drop& statement) {
  if (statement.kind == "MODEL") return drop_model(statement);
  if (statement.kind != "TABLE" && statement.kind != "VIEW") {
    if (statement.if_exists) return Status::ok();
    if (statement.kind == "DATABASE" || statement.kind == "CATALOG") return Status::ok();
    return error(ErrorCode::kUnknownName, "there is no {} '{}'", statement.kind,
                 to_string(statement.name));
  }
  const std::string full = full_name(statement.name);
  const bool was_there =
      statement.kind == "TABLE" ? tables_.erase(full) > 0 : views_.erase(full) > 0;
  return was_there || statement.if_exists ? Status::ok() : unknown_table(statement.name);
}

Status Catalog::apply(const Use& statement) {
  if (statement.what == "MODULES") return Status::ok();
  std::string catalog = catalog_;
  std::string database;
  if (statement.what == "CATALOG") {
    catalog = statement.name.back().text;
    const auto found = databases_.find(catalog);
    if (found != databases_.end() && !found->second.empty()) database = found->second.front();
  } else {
    if (statement.name.size() > 1) catalog = statement.name[statement.name.size() - 2].text;
    database = statement.name.back().text;
  }
  const auto known = databases_.find(catalog);
  if (known == databases_.end()) {
    return error(ErrorCode::kUnknownName, "there is no catalog '{}'", catalog);
  }
  if (std::find(known->second.begin(), known->second.end(), database) == known->second.end()) {
    return error(ErrorCode::kUnknownName, "there is no database '{}' in catalog '{}'", database,
                 catalog);
  }
  catalog_ = catalog;
  database_ = database;
  return Status::ok();
}

const TableDefinition* Catalog::find_table(const QualifiedName& name) const {
  const auto found = tables_.find(full_name(name));
  return found == tables_.end() ? nullptr : &found->second;
}

const ViewDefinition* Catalog::find_view(const QualifiedName& name) const {
  const auto found = views_.find(full_name(name));
  return found == views_.end() ? nullptr : &found->second;
}

Status Catalog::unknown_table(const QualifiedName& name) const {
  const std::string near = nearest_name(name.back().text, tables());
  return Status(ErrorCode::kUnknownName,
                fmt::format("there is no table or view '{}'", to_string(name)),
                near.empty() ? "Create it with CREATE TABLE or CREATE VIEW."
                             : fmt::format("Did you mean '{}'?", near));
}

std::vector<std::string> Catalog::tables() const {
  const std::string prefix = fmt::format("{}.{}.", catalog_, database_);
  std::vector<std::string> names = names_in(tables_, prefix);
  for (std::string& view : names_in(views_, prefix)) names.push_back(std::move(view));
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> Catalog::views() const {
  return names_in(views_, fmt::format("{}.{}.", catalog_, database_));
}

std::vector<std::string> Catalog::catalogs() const {
  std::vector<std::string> names;
  for (const auto& [name, databases] : databases_) names.push_back(name);
  return names;
}

std::vector<std::string> Catalog::databases() const {
  const auto found = databases_.find(catalog_);
  return found == databases_.end() ? std::vector<std::string>{} : found->second;
}

}  // namespace tidegate::sql
