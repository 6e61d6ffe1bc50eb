// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/options.h"
#include "models/model.h"
#include "sql/source_text.h"
#include "sql/syntax.h"
#include "tidegate/status.h"
#include "types/schema.h"

namespace tidegate::sql {

/// A column of a table as it was declared.
struct TableColumn {
  enum class Kind : std::uint8_t { kPhysical, kComputed, kMetadata };
  std::string name;
  Kind kind = Kind::kPhysical;
  LogicalType type;          ///< not of computed columns
  ExpressionPtr computed;    ///< kComputed
  std::string metadata_key;  ///< kMetadata
  bool is_virtual = false;   ///< kMetadata: cannot be written
  std::string comment = {};
};

/// A table of a connector.
struct TableDefinition {
  std::string name;  ///< as it was created: "clicks"
  std::vector<TableColumn> columns;
  std::vector<WatermarkDefinition> watermarks;  ///< at most one
  std::vector<std::string> primary_key;
  std::vector<std::string> partitioned_by;
  std::string comment;
  Options options;  ///< with 'connector'
  SharedText text;  ///< what computed columns and watermark point into
};

/// The statement that creates the table; values of secret options are not shown.
std::string to_sql(const TableDefinition& table);

/// Where the columns of PARTITIONED BY are among those that a connector reads or writes.
Result<std::vector<int>> partition_columns(const TableDefinition& table, const Schema& schema);

/// A query by name.
struct ViewDefinition {
  std::string name;
  std::vector<std::string> columns;  ///< empty: those of the query
  QueryPtr query;
  SharedText text;
  std::string query_text;  ///< for people
  std::string comment;
};

/// The statement that creates the model.
std::string to_sql(const ModelDefinition& model);

/// Tables, views and models by name. Catalogs and databases are names only: `c.d.t`, `d.t` and `t`
/// are the same table when c and d are in use.
class Catalog {
 public:
  /// Applies a statement that creates, changes or drops something; kUnknownName for what is not
  /// there, kInvalidArgument for what is there already.
  Status apply(const CreateTable& statement, const SharedText& text);
  Status apply(const CreateView& statement, const SharedText& text);
  Status apply(const CreateOther& statement);
  Status apply(const AlterTable& statement, const SharedText& text);
  Status apply(const Drop& statement);
  Status apply(const Use& statement);

  const TableDefinition* find_table(const QualifiedName& name) const;
  const ViewDefinition* find_view(const QualifiedName& name) const;
  /// kUnknownName, with the nearest name.
  Status unknown_table(const QualifiedName& name) const;

  const ModelDefinition* find_model(const QualifiedName& name) const;
  Status unknown_model(const QualifiedName& name) const;

  std::vector<std::string> tables() const;  ///< sorted, with views
  std::vector<std::string> views() const;
  std::vector<std::string> models() const;
  const std::string& current_catalog() const { return catalog_; }
  const std::string& current_database() const { return database_; }
  std::vector<std::string> catalogs() const;
  std::vector<std::string> databases() const;

 private:
  std::string full_name(const QualifiedName& name) const;
  Status check_free(const std::string& full_name, const std::string& name, bool or_replace) const;
  // catalog_models.cc
  Status create_model(const CreateOther& statement);
  Status alter_model(const AlterTable& statement);
  Status drop_model(const Drop& statement);
  Status add_like(const LikeClause& like, TableDefinition& table) const;

  std::string catalog_ = "default_catalog";
  std::string database_ = "default_database";
  std::map<std::string, std::vector<std::string>> databases_ = {
      {"default_catalog", {"default_database"}}};
  std::map<std::string, TableDefinition> tables_;  // by full name
  std::map<std::string, ViewDefinition> views_;
  std::map<std::string, ModelDefinition> models_;
};

}  // namespace tidegate::sql
