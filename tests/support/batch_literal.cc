// SPDX-License-Identifier: Apache-2.0
#include "tests/support/batch_literal.h"

#include <arrow/array/array_nested.h>
#include <arrow/buffer.h>
#include <arrow/json/from_string.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <cstring>
#include <memory>
#include <utility>

#include "base/check.h"
#include "types/logical_type.h"

namespace tidegate {
namespace {

template <typename T>
std::shared_ptr<arrow::Buffer> buffer_of(const std::vector<T>& values, const Batch& batch) {
  TG_CHECK(std::ssize(values) == batch.num_rows(), "values={} rows={}", values.size(),
           batch.num_rows());
  auto buffer = arrow::AllocateBuffer(std::ssize(values) * static_cast<std::int64_t>(sizeof(T)));
  TG_CHECK(buffer.ok(), "{}", buffer.status().ToString());
  if (!values.empty()) {
    std::memcpy((*buffer)->mutable_data(), values.data(), values.size() * sizeof(T));
  }
  return *std::move(buffer);
}

}  // namespace

SchemaPtr schema_of(std::string_view columns) {
  auto row = LogicalType::parse("ROW<" + std::string(columns) + ">");
  TG_CHECK(row.is_ok(), "{}: {}", columns, row.status().to_string());
  std::vector<Field> fields;
  for (const auto& child : row->children()) fields.push_back({child.name, child.type});
  return std::make_shared<Schema>(std::move(fields));
}

Batch batch_of(const SchemaPtr& schema, std::string_view json_rows) {
  auto rows =
      arrow::json::ArrayFromJSONString(arrow::struct_(schema->to_arrow()->fields()), json_rows);
  TG_CHECK(rows.ok(), "{}: {}", json_rows, rows.status().ToString());
  const auto& columns = static_cast<const arrow::StructArray&>(**rows);
  return Batch(columns.length(), columns.fields());
}

Batch with_row_kinds(Batch batch, const std::vector<RowKind>& kinds) {
  batch.set_row_kinds(buffer_of(kinds, batch));
  return batch;
}

Batch with_event_times(Batch batch, const std::vector<EventTime>& times) {
  batch.set_event_times(buffer_of(times, batch));
  return batch;
}

std::vector<std::string> text_rows(const Batch& batch) {
  std::vector<std::string> texts;
  for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
    std::string text(row_kind_symbol(batch.row_kind(row)));
    for (int c = 0; c < batch.num_columns(); ++c) {
      text += c == 0 ? "[" : ", ";
      auto value = batch.column(c)->GetScalar(row);
      TG_CHECK(value.ok(), "{}", value.status().ToString());
      text += (*value)->is_valid ? (*value)->ToString() : "null";
    }
    text += ']';
    if (!batch.event_times().empty()) {
      text += fmt::format(" @{}", batch.event_times()[static_cast<std::size_t>(row)]);
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

}  // namespace tidegate
