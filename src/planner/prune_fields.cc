// SPDX-License-Identifier: Apache-2.0
//
// Of ROW columns only the fields that somebody reads are asked for, where the format finds fields
// by their names, so that the others need not be decoded.
#include <arrow/array/array_binary.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "plan/source.h"
#include "planner/rewrite.h"
#include "planner/rules.h"

namespace tidegate {
namespace {

/// Per ROW column the fields that are read; none: all of it.
using FieldUse = std::map<int, std::optional<std::set<std::string>>>;

/// The name in FIELD(column, 'name').
std::optional<std::string> field_name(const Expr& call) {
  if (call.kind() != Expr::Kind::kCall || call.function() != "FIELD" || call.args().size() != 2 ||
      call.args()[0]->kind() != Expr::Kind::kColumn ||
      call.args()[1]->kind() != Expr::Kind::kLiteral || !call.args()[1]->type().is_character()) {
    return std::nullopt;
  }
  const auto& value = static_cast<const arrow::StringArray&>(*call.args()[1]->value());
  if (value.IsNull(0)) return std::nullopt;
  return value.GetString(0);
}

void note_use(const ExprPtr& expr, FieldUse& use) {
  if (const std::optional<std::string> name = field_name(*expr)) {
    const auto found = use.find(expr->args()[0]->column());
    if (found != use.end() && found->second) found->second->insert(*name);
    return;
  }
  if (expr->kind() == Expr::Kind::kColumn) {
    const auto found = use.find(expr->column());
    if (found != use.end()) found->second = std::nullopt;
  }
  for (const ExprPtr& arg : expr->args()) note_use(arg, use);
}

using Readers = std::unordered_map<const plan::Node*, std::vector<plan::Node*>>;

/// What projections and filters read of the rows of `node`; false when there is another reader.
/// Filters, which hand on the rows as they are, are collected.
bool note_readers(const plan::Node& node, const Readers& readers, FieldUse& use,
                  std::vector<plan::FilterNode*>& filters) {
  const auto found = readers.find(&node);
  if (found == readers.end()) return false;
  for (plan::Node* reader : found->second) {
    if (const auto* project = dynamic_cast<const plan::ProjectNode*>(reader)) {
      for (const ExprPtr& column : project->columns) note_use(column, use);
    } else if (auto* filter = dynamic_cast<plan::FilterNode*>(reader)) {
      note_use(filter->condition, use);
      filters.push_back(filter);
      if (!note_readers(*filter, readers, use, filters)) return false;
    } else {
      return false;
    }
  }
  return true;
}

LogicalType narrower(const LogicalType& row, const std::set<std::string>& fields) {
  std::vector<LogicalType::Child> kept;
  for (const LogicalType::Child& child : row.children()) {
    if (fields.contains(child.name)) kept.push_back(child);
  }
  return LogicalType::row(std::move(kept), row.nullable());
}

SchemaPtr with_types(const Schema& schema, const std::map<int, LogicalType>& types) {
  std::vector<Field> fields = schema.fields();
  for (const auto& [column, type] : types) fields[static_cast<std::size_t>(column)].type = type;
  auto out = std::make_shared<Schema>(std::move(fields));
  out->rowtime = schema.rowtime;
  out->primary_key = schema.primary_key;
  return out;
}

bool finds_fields_by_name(const plan::SourceNode& source, const LoweringOptions& options) {
  return source.instance == nullptr && !options.sources.contains(source.name) &&
         !source.watermark.extract && source.options.get_string_or("format", "") == "json";
}

void prune(plan::SourceNode& source, const Readers& readers) {
  FieldUse use;
  for (int i = 0; i < source.schema->num_fields(); ++i) {
    if (source.schema->field(i).type.kind() == TypeKind::kRow) use[i].emplace();
  }
  std::vector<plan::FilterNode*> filters;
  if (use.empty() || !note_readers(source, readers, use, filters)) return;
  if (source.event_time != nullptr) note_use(source.event_time, use);
  std::map<int, LogicalType> types;
  std::map<int, LogicalType> table_types;
  for (const auto& [column, fields] : use) {
    const LogicalType& row = source.schema->field(column).type;
    // A row without fields could not be told from NULL.
    if (!fields || fields->empty() || fields->size() >= row.children().size()) continue;
    const LogicalType type = narrower(row, *fields);
    // A name that is not spelled like its field: leave that to the function.
    if (type.children().size() != fields->size()) continue;
    types.emplace(column, type);
    table_types.emplace(source.projection[static_cast<std::size_t>(column)], type);
  }
  if (types.empty()) return;
  source.schema = with_types(*source.schema, types);
  source.table = with_types(*source.table, table_types);
  for (plan::FilterNode* filter : filters) filter->schema = with_types(*filter->schema, types);
}

}  // namespace

Status prune_fields(const std::vector<plan::NodePtr>& roots, const LoweringOptions& options) {
  Readers readers;
  const std::vector<plan::Node*> order = plan::topological_order(roots);
  for (plan::Node* node : order) {
    for (const plan::Input& input : node->inputs) readers[input.node.get()].push_back(node);
  }
  for (plan::Node* node : order) {
    auto* source = dynamic_cast<plan::SourceNode*>(node);
    if (source != nullptr && finds_fields_by_name(*source, options)) prune(*source, readers);
  }
  return Status::ok();
}

}  // namespace tidegate
