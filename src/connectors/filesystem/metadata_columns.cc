// SPDX-License-Identifier: Apache-2.0
#include "connectors/filesystem/metadata_columns.h"

#include <arrow/array/array_base.h>
#include <arrow/array/util.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <map>
#include <memory>
#include <set>
#include <utility>

#include "base/check.h"
#include "connectors/filesystem/partition_folders.h"
#include "formats/column_builder.h"
#include "formats/text_value.h"
#include "types/arrow_status.h"

namespace tidegate {

namespace {

struct Known {
  const char* key;
  const char* type;
};
constexpr Known kKnown[] = {{"file.path", "STRING"},
                            {"file.name", "STRING"},
                            {"file.size", "BIGINT"},
                            {"file.modification-time", "TIMESTAMP_LTZ(3)"}};

Status check(const MetadataColumn& metadata, const Field& field) {
  std::vector<std::string> names;
  for (const Known& known : kKnown) {
    names.emplace_back(known.key);
    if (known.key != metadata.key) continue;
    TG_ASSIGN_OR_RETURN(const LogicalType type, LogicalType::parse(known.type));
    if (field.type.same_but_nullability(type)) return Status::ok();
    return error(ErrorCode::kTypeMismatch, "column '{}' is {}; metadata '{}' is {}", field.name,
                 field.type.to_string(), known.key, known.type);
  }
  return error(ErrorCode::kUnknownName, "column '{}': files have no metadata '{}'; they have {}",
               field.name, metadata.key, fmt::join(names, ", "));
}

std::shared_ptr<arrow::Scalar> value_of(const std::string& key, const LogicalType& type,
                                        const FileInfo& file) {
  if (key == "file.path") return std::make_shared<arrow::StringScalar>(file.path);
  if (key == "file.name")
    return std::make_shared<arrow::StringScalar>(file.path.substr(file.path.rfind('/') + 1));
  if (key == "file.size") return std::make_shared<arrow::Int64Scalar>(file.size_bytes);
  return std::make_shared<arrow::TimestampScalar>(file.modified_ms, type.arrow_type());
}

Result<std::shared_ptr<arrow::Scalar>> value_of_folder(const std::string& column,
                                                       const LogicalType& type,
                                                       const FileInfo& file,
                                                       const std::string& default_name) {
  TG_ASSIGN_OR_RETURN(const std::optional<std::string> text,
                      partition_value(file.path, column, default_name));
  ColumnBuilder builder(type);
  if (text) {
    TG_RETURN_IF_ERROR(
        append_text(builder, *text)
            .with_context(fmt::format("partition column '{}', file '{}'", column, file.path)));
  } else if (type.nullable()) {
    builder.append_null();
  } else {
    return error(ErrorCode::kNullKey,
                 "partition column '{}' is NOT NULL; the folder of '{}' is '{}'", column, file.path,
                 default_name);
  }
  const std::shared_ptr<arrow::Array> array = builder.take();
  TG_ASSIGN_ARROW_OR_RETURN(std::shared_ptr<arrow::Scalar> value, array->GetScalar(0),
                            "take a partition's value");
  return value;
}

}  // namespace

Result<MetadataColumns> MetadataColumns::from(const ConnectorRequest& request) {
  std::map<int, std::string> keys;
  for (const MetadataColumn& metadata : request.metadata) {
    TG_RETURN_IF_ERROR(check(metadata, request.schema->field(metadata.column)));
    keys[metadata.column] = metadata.key;
  }
  const std::set<int> partitions(request.partitioned_by.begin(), request.partitioned_by.end());
  std::vector<Field> fields;
  std::map<int, int> in_file;
  for (int i = 0; i < request.schema->num_fields(); ++i) {
    if (keys.contains(i) || partitions.contains(i)) continue;
    in_file[i] = static_cast<int>(fields.size());
    fields.push_back(request.schema->field(i));
  }
  MetadataColumns out;
  out.any_ = !keys.empty() || !partitions.empty();
  out.default_partition_ = default_partition_name(request.options);
  out.file_schema_ = std::make_shared<Schema>(std::move(fields));
  for (const int column : request.projection) {
    Column& added = out.columns_.emplace_back();
    added.type = request.schema->field(column).type;
    if (keys.contains(column)) {
      added.key = keys[column];
      continue;
    }
    if (partitions.contains(column)) {
      added.partition = request.schema->field(column).name;
      continue;
    }
    added.in_file = static_cast<int>(out.file_projection_.size());
    out.file_projection_.push_back(in_file[column]);
  }
  return out;
}

Result<Batch> MetadataColumns::complete(Batch rows, const FileInfo& file) const {
  if (!any_) return rows;
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (const Column& column : columns_) {
    if (column.in_file >= 0) {
      columns.push_back(rows.column(column.in_file));
      continue;
    }
    std::shared_ptr<arrow::Scalar> value;
    if (column.partition.empty()) {
      value = value_of(column.key, column.type, file);
    } else {
      TG_ASSIGN_OR_RETURN(value,
                          value_of_folder(column.partition, column.type, file, default_partition_));
    }
    TG_ASSIGN_ARROW_OR_RETURN(columns.emplace_back(),
                              arrow::MakeArrayFromScalar(*value, rows.num_rows()),
                              "make a column of metadata");
  }
  return Batch(rows.num_rows(), std::move(columns));
}

}  // namespace tidegate
