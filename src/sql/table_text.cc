// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <vector>

#include "base/options.h"
#include "sql/catalog.h"
#include "sql/print_syntax.h"

namespace tidegate::sql {
namespace {

std::string names_text(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", print_name(name));
  }
  return text;
}

std::string column_text(const TableColumn& column) {
  std::string text = print_name(column.name);
  switch (column.kind) {
    case TableColumn::Kind::kPhysical:
      text += " " + column.type.to_string();
      break;
    case TableColumn::Kind::kComputed:
      text += " AS " + print(*column.computed);
      break;
    case TableColumn::Kind::kMetadata:
      text += fmt::format(" {} METADATA FROM {}{}", column.type.to_string(),
                          print_string(column.metadata_key), column.is_virtual ? " VIRTUAL" : "");
      break;
  }
  if (!column.comment.empty()) text += " COMMENT " + print_string(column.comment);
  return text;
}

}  // namespace

std::string to_sql(const TableDefinition& table) {
  std::vector<std::string> parts;
  for (const TableColumn& column : table.columns) parts.push_back(column_text(column));
  for (const WatermarkDefinition& watermark : table.watermarks) {
    parts.push_back(fmt::format("WATERMARK FOR {} AS {}", print_name(watermark.column.back().text),
                                print(*watermark.value)));
  }
  if (!table.primary_key.empty()) {
    parts.push_back(fmt::format("PRIMARY KEY ({}) NOT ENFORCED", names_text(table.primary_key)));
  }
  std::string text =
      fmt::format("CREATE TABLE {} (\n  {}\n)", print_name(table.name), fmt::join(parts, ",\n  "));
  if (!table.comment.empty()) text += "\nCOMMENT " + print_string(table.comment);
  if (!table.partitioned_by.empty()) {
    text += fmt::format("\nPARTITIONED BY ({})", names_text(table.partitioned_by));
  }
  std::vector<std::string> options;
  for (const auto& [key, value] : table.options.values()) {
    options.push_back(fmt::format("{} = {}", print_string(key),
                                  print_string(is_secret_name(key) ? "***" : value)));
  }
  if (!options.empty()) text += fmt::format("\nWITH (\n  {}\n)", fmt::join(options, ",\n  "));
  return text;
}

}  // namespace tidegate::sql
