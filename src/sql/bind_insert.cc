// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/check.h"
#include "expr/bind.h"
#include "plan/relational.h"
#include "plan/sink.h"
#include "sql/binder.h"

namespace tidegate::sql {
namespace {

/// Whether a value goes into a column without being asked to: within a family of types.
bool fits(const LogicalType& from, const LogicalType& to) {
  const auto family = [](const LogicalType& type) {
    if (type.is_numeric()) return 1;
    if (type.is_character()) return 2;
    if (type.is_bytes()) return 3;
    if (type.is_timestamp() || type.kind() == TypeKind::kDate) return 4;
    return 10 + static_cast<int>(type.kind());
  };
  if (from.kind() == TypeKind::kNull) return true;
  if (family(from) != family(to)) return false;
  const auto& a = from.children();
  const auto& b = to.children();
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!fits(a[i].type, b[i].type)) return false;
  }
  return true;
}

}  // namespace

Result<plan::NodePtr> Binder::bind_insert(const Insert& insert) {
  const TableDefinition* table = catalog_.find_table(insert.table);
  if (table == nullptr) {
    if (catalog_.find_view(insert.table) != nullptr) {
      return error_here(insert.table.front().place, ErrorCode::kInvalidPlan,
                        "'{}' is a view; rows can be written to tables only",
                        to_string(insert.table));
    }
    return at(insert.table.front().place, catalog_.unknown_table(insert.table));
  }
  std::vector<Field> fields;
  std::vector<MetadataColumn> metadata;
  for (const TableColumn& column : table->columns) {
    if (column.kind == TableColumn::Kind::kComputed || column.is_virtual) continue;
    if (column.kind == TableColumn::Kind::kMetadata) {
      metadata.push_back({static_cast<int>(fields.size()), column.metadata_key});
    }
    fields.push_back({column.name, column.type});
  }
  auto schema = std::make_shared<Schema>(fields);
  for (const std::string& key : table->primary_key) {
    schema->primary_key.push_back(schema->index_of(key));
  }

  TG_ASSIGN_OR_RETURN(BoundQuery query, bind_query(*insert.query));
  const Place place = insert.query->place;
  // Which column of the query (or constant) each column of the table gets.
  std::vector<ExprPtr> values(fields.size());
  std::vector<int> targets;
  const auto target = [&](const Identifier& name) -> Result<int> {
    const int index = schema->index_of(name.text);
    if (index >= 0) return index;
    return error_here(name.place, ErrorCode::kUnknownName,
                      "table '{}' has no column '{}' that can be written", table->name, name.text);
  };
  for (const auto& [name, value] : insert.partition) {
    TG_ASSIGN_OR_RETURN(const int index, target(name));
    if (value == nullptr) continue;
    Scope none;
    ExpressionContext context{.scope = &none, .clause = "PARTITION"};
    TG_ASSIGN_OR_RETURN(values[static_cast<std::size_t>(index)], bind(value, context));
  }
  for (const Identifier& name : insert.columns) {
    TG_ASSIGN_OR_RETURN(const int index, target(name));
    targets.push_back(index);
  }
  if (insert.columns.empty()) {
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (values[i] == nullptr) targets.push_back(static_cast<int>(i));
    }
  }
  if (targets.size() != query.names.size()) {
    return at(place, Status(ErrorCode::kTypeMismatch,
                            fmt::format("the query has {} columns, but table '{}' takes {}: {}",
                                        query.names.size(), table->name, targets.size(),
                                        plan::column_names(*schema, targets)),
                            "Select as many columns, in the order of the table's."));
  }
  for (std::size_t i = 0; i < targets.size(); ++i) {
    values[static_cast<std::size_t>(targets[i])] = col(static_cast<int>(i));
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const LogicalType& to = fields[i].type;
    if (values[i] == nullptr) {
      if (!to.nullable()) {
        return error_here(place, ErrorCode::kTypeMismatch,
                          "column '{}' of table '{}' is NOT NULL and gets no value", fields[i].name,
                          table->name);
      }
      values[i] = lit_null(to);
      continue;
    }
    TG_ASSIGN_OR_RETURN(const LogicalType from,
                        type_of(values[i], *query.input.schema(), functions_));
    if (!fits(from, to)) {
      return at(place,
                Status(ErrorCode::kTypeMismatch,
                       fmt::format("column '{}' of table '{}' is {}, but the query gives {}",
                                   fields[i].name, table->name, to.to_string(), from.to_string()),
                       "Cast it in the query."));
    }
    // Lengths and NOT NULL are the sink's to check, by its settings.
    const bool same = from.same_but_nullability(to) || (from.is_character() && to.is_character()) ||
                      (from.is_bytes() && to.is_bytes());
    if (!same) values[i] = cast(values[i], to.with_nullable(true));
  }
  plan::Input input{std::make_shared<plan::ProjectNode>(query.input, std::move(values), schema)};

  Options options = table->options;
  for (const auto& [key, value] : insert.options) options.set(key, value);
  const std::string connector = options.get_string_or("connector", "");
  if (connector.empty()) {
    return at(insert.table.front().place,
              Status(ErrorCode::kMissingOption,
                     fmt::format("table '{}' does not say where its rows go", table->name),
                     "Add 'connector' = '...' to its WITH list."));
  }
  auto plain = options.values();
  plain.erase("connector");
  auto sink =
      std::make_shared<plan::SinkNode>(std::move(input), connector, Options(std::move(plain)));
  sink->name = table->name;
  sink->metadata = std::move(metadata);
  TG_ASSIGN_OR_RETURN(sink->partitioned_by, partition_columns(*table, *schema));
  plan::NodePtr made = std::move(sink);
  mark_place({made}, insert.table.front().place);
  return made;
}

}  // namespace tidegate::sql
