// SPDX-License-Identifier: Apache-2.0
#include "types/test_columns.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/json/from_string.h>
#include <arrow/type.h>

#include <utility>

#include "base/check.h"
#include "types/value_format.h"

namespace tidegate {

namespace {

ArrayPtr parse_json(const std::shared_ptr<arrow::DataType>& type, std::string_view json) {
  arrow::Result<ArrayPtr> array = arrow::json::ArrayFromJSONString(type, json);
  TG_CHECK(array.ok(), "{} as {}: {}", json, type->ToString(), array.status().message());
  return *array;
}

RowKind kind_of(std::string_view symbol) {
  for (RowKind kind :
       {RowKind::kInsert, RowKind::kUpdateBefore, RowKind::kUpdateAfter, RowKind::kDelete})
    if (row_kind_symbol(kind) == symbol) return kind;
  TG_CHECK(false, "'{}' is not a row kind", symbol);
  return RowKind::kInsert;
}

}  // namespace

SchemaPtr schema_of(const std::vector<std::string>& columns) {
  std::vector<Field> fields;
  for (const std::string& column : columns) {
    const std::size_t blank = column.find(' ');
    TG_CHECK(blank != std::string::npos, "'{}' is not 'name TYPE'", column);
    Result<LogicalType> type = LogicalType::parse(std::string_view(column).substr(blank));
    TG_CHECK(type.is_ok(), "{}", type.status().to_string());
    fields.push_back({column.substr(0, blank), *type});
  }
  return std::make_shared<const Schema>(std::move(fields));
}

ArrayPtr array_of(const LogicalType& type, std::string_view json) {
  return parse_json(type.arrow_type(), json);
}

Batch batch_of(const Schema& schema, std::string_view rows_json) {
  const ArrayPtr rows = parse_json(arrow::struct_(schema.to_arrow()->fields()), rows_json);
  return Batch(rows->length(), static_cast<const arrow::StructArray&>(*rows).fields());
}

Batch changelog_of(const Schema& schema, std::string_view rows_json) {
  std::vector<Field> fields = schema.fields();
  fields.insert(fields.begin(), Field{"kind", LogicalType::string(false)});
  const Batch with_kinds = batch_of(Schema(std::move(fields)), rows_json);
  const auto& symbols = static_cast<const arrow::StringArray&>(*with_kinds.column(0));
  std::string kinds;
  for (std::int64_t i = 0; i < symbols.length(); ++i)
    kinds += static_cast<char>(kind_of(symbols.GetView(i)));
  Batch batch(with_kinds.num_rows(),
              {with_kinds.columns().begin() + 1, with_kinds.columns().end()});
  batch.set_row_kinds(arrow::Buffer::FromString(std::move(kinds)));
  return batch;
}

std::vector<std::string> to_rows(const Batch& batch, const Schema& schema) {
  std::vector<std::string> rows(static_cast<std::size_t>(batch.num_rows()));
  for (std::int64_t i = 0; i < batch.num_rows(); ++i)
    append_row(schema, batch, i, rows[static_cast<std::size_t>(i)]);
  return rows;
}

std::vector<std::string> to_texts(const arrow::Array& array, const LogicalType& type) {
  std::vector<std::string> texts(static_cast<std::size_t>(array.length()));
  for (std::int64_t i = 0; i < array.length(); ++i)
    append_value(type, array, i, TextForm::kPrint, texts[static_cast<std::size_t>(i)]);
  return texts;
}

}  // namespace tidegate
