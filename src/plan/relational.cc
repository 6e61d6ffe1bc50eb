// SPDX-License-Identifier: Apache-2.0
#include "plan/relational.h"

#include <fmt/format.h>

#include <utility>

#include "expr/columns_of.h"

namespace tidegate::plan {
namespace {

SchemaPtr with_fields(const SchemaPtr& base, const std::vector<Field>& more) {
  std::vector<Field> fields = base->fields();
  fields.insert(fields.end(), more.begin(), more.end());
  return std::make_shared<Schema>(std::move(fields));
}

SchemaPtr nullable_columns(const SchemaPtr& base, const std::vector<int>& columns) {
  std::vector<Field> fields = base->fields();
  for (int column : columns) {
    Field& field = fields[static_cast<std::size_t>(column)];
    field.type = field.type.with_nullable(true);
  }
  return std::make_shared<Schema>(std::move(fields));
}

}  // namespace

ProjectNode::ProjectNode(Input input, std::vector<ExprPtr> columns, SchemaPtr output)
    : Node({std::move(input)}), columns(std::move(columns)) {
  schema = std::move(output);
}

std::string ProjectNode::details() const {
  std::string text;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) text += ", ";
    const std::string value = columns[i]->to_string(inputs[0].schema().get());
    const std::string& name = schema->field(static_cast<int>(i)).name;
    text += value == name ? value : fmt::format("{} AS {}", value, name);
  }
  return text;
}

void ProjectNode::mark_columns_read(int, std::vector<bool>& used) const {
  for (const ExprPtr& column : columns) mark_columns(column, used);
}

void ProjectNode::remap_columns(int, const std::vector<int>& new_index) {
  for (ExprPtr& column : columns) column = tidegate::remap_columns(column, new_index);
}

FilterNode::FilterNode(Input input, ExprPtr condition)
    : Node({std::move(input)}), condition(std::move(condition)) {
  schema = inputs[0].schema();
}

std::string FilterNode::details() const { return condition->to_string(schema.get()); }

std::string sort_text(const Schema& schema, const std::vector<SortKey>& keys) {
  std::string text;
  for (const SortKey& key : keys) {
    if (!text.empty()) text += ", ";
    text += schema.field(key.column).name;
    if (key.descending) text += " DESC";
    if (key.nulls_first == key.descending) text += key.nulls_first ? " NULLS FIRST" : " NULLS LAST";
  }
  return text;
}

SortNode::SortNode(Input input, std::vector<SortKey> keys, std::int64_t offset, std::int64_t limit)
    : Node({std::move(input)}), keys(std::move(keys)), offset(offset), limit(limit) {
  schema = inputs[0].schema();
}

std::string SortNode::details() const {
  std::string text = sort_text(*schema, keys);
  if (offset > 0) text += fmt::format("{}offset={}", text.empty() ? "" : ", ", offset);
  if (limit >= 0) text += fmt::format("{}limit={}", text.empty() ? "" : ", ", limit);
  return text;
}

ValuesNode::ValuesNode(SchemaPtr schema, Batch rows) : Node({}), rows(std::move(rows)) {
  this->schema = std::move(schema);
}

std::string ValuesNode::details() const { return fmt::format("rows={}", rows.num_rows()); }

SetOperationNode::SetOperationNode(Input left, Input right, Operation operation, bool all)
    : Node({std::move(left), std::move(right)}), operation(operation), all(all) {
  schema = inputs[0].schema();
}

UnnestNode::UnnestNode(Input input, int column, bool outer, bool ordinality, SchemaPtr output)
    : Node({std::move(input)}), column(column), outer(outer), ordinality(ordinality) {
  schema = std::move(output);
}

std::string UnnestNode::details() const {
  return fmt::format("{}{}{}", inputs[0].schema()->field(column).name, outer ? ", outer" : "",
                     ordinality ? ", with ordinality" : "");
}

ExpandNode::ExpandNode(Input input, std::vector<int> keys, std::vector<std::vector<bool>> sets)
    : Node({std::move(input)}), keys(std::move(keys)), sets(std::move(sets)) {
  schema = with_fields(nullable_columns(inputs[0].schema(), this->keys),
                       {{"grouping_id", LogicalType(TypeKind::kBigInt, false)}});
}

std::string ExpandNode::details() const {
  std::string text;
  for (const std::vector<bool>& set : sets) {
    std::vector<int> in_set;
    for (std::size_t i = 0; i < set.size(); ++i) {
      if (set[i]) in_set.push_back(keys[i]);
    }
    if (!text.empty()) text += ", ";
    text += fmt::format("({})", column_names(*inputs[0].schema(), in_set));
  }
  return fmt::format("sets=[{}]", text);
}

}  // namespace tidegate::plan
