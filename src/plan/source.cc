// SPDX-License-Identifier: Apache-2.0
#include "plan/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "expr/columns_of.h"

namespace tidegate::plan {

SourceNode::SourceNode(std::string connector, Options options, SchemaPtr table)
    : Node({}),
      connector(std::move(connector)),
      options(std::move(options)),
      table(std::move(table)),
      projection(static_cast<std::size_t>(this->table->num_fields())) {
  std::iota(projection.begin(), projection.end(), 0);
  schema = this->table;
}

std::string SourceNode::details() const {
  std::string text = identity();
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    static constexpr const char* kSigns[] = {"=", "<", "<=", ">", ">="};
    const auto& [column, compare, value] = conditions[i];
    text += fmt::format("{}{} {} ", i == 0 ? ", where=[" : ", ", column,
                        kSigns[static_cast<std::size_t>(compare)]);
    const auto* number = std::get_if<std::int64_t>(&value);
    text += number != nullptr ? std::to_string(*number)
                              : fmt::format("'{}'", std::get<std::string>(value));
  }
  return conditions.empty() ? text : text + "]";
}

// Which rows of it are needed is not what a source is.
std::string SourceNode::identity() const {
  return fmt::format("connector={}, columns=[{}]", connector, column_names(*table, projection));
}

void SourceNode::keep_columns(const std::vector<int>& columns) {
  std::vector<Field> fields;
  std::vector<int> kept;
  for (int column : columns) {
    fields.push_back(schema->field(column));
    kept.push_back(projection[static_cast<std::size_t>(column)]);
  }
  auto narrowed = std::make_shared<Schema>(std::move(fields));
  const auto position = [&](int column) {
    const auto at = std::find(columns.begin(), columns.end(), column);
    return at == columns.end() ? -1 : static_cast<int>(at - columns.begin());
  };
  if (schema->rowtime && position(*schema->rowtime) >= 0) {
    narrowed->rowtime = position(*schema->rowtime);
  }
  for (int key : schema->primary_key) narrowed->primary_key.push_back(position(key));
  // A key that is not whole is none.
  if (std::count(narrowed->primary_key.begin(), narrowed->primary_key.end(), -1) > 0) {
    narrowed->primary_key.clear();
  }
  if (watermark.column >= 0) watermark.column = position(watermark.column);
  if (event_time != nullptr) {
    std::vector<int> new_index;
    for (int i = 0; i < schema->num_fields(); ++i) new_index.push_back(position(i));
    event_time = tidegate::remap_columns(event_time, new_index);
  }
  projection = std::move(kept);
  schema = std::move(narrowed);
}

}  // namespace tidegate::plan
