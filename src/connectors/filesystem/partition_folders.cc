// SPDX-License-Identifier: Apache-2.0
#include "connectors/filesystem/partition_folders.h"

#include <arrow/array/array_base.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "base/check.h"
#include "types/value_format.h"

namespace tidegate {
namespace {

constexpr std::string_view kDefaultName = "__DEFAULT_PARTITION__";
/// Folders are looked up by key; past so many the memory of them starts anew.
constexpr std::size_t kMostKnownFolders = 4096;

// As Flink and Hive.
bool is_special(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f ||
         std::string_view("\"#%'*/:=?\\{[]^").find(c) != std::string_view::npos;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_special(c)) {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, code, 16).ptr ==
            text.data() + i + 3) {
      out += static_cast<char>(code);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

std::string default_partition_name(const Options& options) {
  return options.get_string_or("partition.default-name", kDefaultName);
}

std::string partition_folder(std::string_view column, std::optional<std::string_view> value,
                             std::string_view default_name) {
  const bool is_default = !value || value->empty();
  // "." and ".." are no values of a path: the '=' in front keeps them apart.
  return escaped(column) + '=' + (is_default ? std::string(default_name) : escaped(*value));
}

Result<std::optional<std::string>> partition_value(std::string_view path, std::string_view column,
                                                   std::string_view default_name) {
  const std::string prefix = escaped(column) + '=';
  std::string_view folders = path.substr(0, std::min(path.rfind('/'), path.size()));
  while (!folders.empty()) {
    const std::size_t slash = folders.rfind('/');
    const std::string_view name =
        slash == std::string_view::npos ? folders : folders.substr(slash + 1);
    if (name.starts_with(prefix)) {
      const std::string_view value = name.substr(prefix.size());
      if (value == default_name) return std::optional<std::string>();
      return std::optional<std::string>(unescaped(value));
    }
    folders = folders.substr(0, slash == std::string_view::npos ? 0 : slash);
  }
  return error(ErrorCode::kMalformedFile,
               "file '{}' is in no folder '{}...', but the table is PARTITIONED BY '{}'", path,
               prefix, column);
}

Result<PartitionFolders> PartitionFolders::from(const ConnectorRequest& request) {
  const Schema& schema = *request.schema;
  std::vector<LogicalType> types;
  for (const int column : request.partitioned_by) {
    const Field& field = schema.field(column);
    if (!field.type.children().empty() || field.type.is_bytes()) {
      return error(ErrorCode::kNotSupported, "table '{}' is PARTITIONED BY '{}', a {}",
                   request.table, field.name, field.type.to_string());
    }
    types.push_back(field.type);
  }
  PartitionFolders folders(std::move(types));
  folders.schema_ = request.schema;
  folders.columns_ = request.partitioned_by;
  folders.default_name_ = default_partition_name(request.options);
  std::vector<Field> fields;
  for (int i = 0; i < schema.num_fields(); ++i) {
    if (std::ranges::count(folders.columns_, i) > 0) continue;
    folders.file_columns_.push_back(i);
    fields.push_back(schema.field(i));
  }
  if (fields.empty() && folders.any()) {
    return error(ErrorCode::kInvalidPlan,
                 "table '{}' is PARTITIONED BY all of its columns; nothing is left for the files",
                 request.table);
  }
  folders.file_schema_ =
      folders.any() ? std::make_shared<const Schema>(std::move(fields)) : request.schema;
  return folders;
}

PartitionFolders PartitionFolders::copy() const {
  PartitionFolders fresh(keys_.types());
  fresh.schema_ = schema_;
  fresh.file_schema_ = file_schema_;
  fresh.columns_ = columns_;
  fresh.file_columns_ = file_columns_;
  fresh.default_name_ = default_name_;
  return fresh;
}

Status PartitionFolders::split(
    const Batch& batch, const std::function<Status(const std::string& folder, Batch rows)>& visit) {
  static const std::string no_folder;
  if (!any()) return visit(no_folder, batch);
  std::vector<ArrayPtr> columns;
  for (const int column : columns_) columns.push_back(batch.column(column));
  TG_RETURN_IF_ERROR(keys_.encode(columns, batch.num_rows(), encoded_));
  std::unordered_map<std::string_view, std::size_t> groups;
  std::vector<std::vector<std::int32_t>> rows;
  std::string_view last;
  std::size_t group = 0;
  for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
    const std::string_view key = encoded_.key(row);
    if (row == 0 || key != last) group = groups.try_emplace(key, rows.size()).first->second;
    last = key;
    if (group == rows.size()) rows.emplace_back();
    rows[group].push_back(static_cast<std::int32_t>(row));
  }
  for (const std::vector<std::int32_t>& of_group : rows) {
    const std::string& folder = folder_of(batch, of_group.front(), encoded_.key(of_group.front()));
    if (rows.size() == 1) return visit(folder, without_partition_columns(batch));
    TG_ASSIGN_OR_RETURN(Batch part, without_partition_columns(batch).take(of_group));
    TG_RETURN_IF_ERROR(visit(folder, std::move(part)));
  }
  return Status::ok();
}

const std::string& PartitionFolders::folder_of(const Batch& batch, std::int64_t row,
                                               std::string_view key) {
  const auto known = folders_.find(std::string(key));
  if (known != folders_.end()) return known->second;
  if (folders_.size() >= kMostKnownFolders) folders_.clear();
  std::string folder;
  for (const int column : columns_) {
    const Field& field = schema_->field(column);
    const arrow::Array& array = *batch.column(column);
    std::string text;
    const bool is_null = array.IsNull(row);
    if (!is_null) append_value(field.type, array, row, TextForm::kData, text);
    if (!folder.empty()) folder += '/';
    folder +=
        partition_folder(field.name, is_null ? std::nullopt : std::optional(text), default_name_);
  }
  return folders_.emplace(std::string(key), std::move(folder)).first->second;
}

Batch PartitionFolders::without_partition_columns(const Batch& batch) const {
  std::vector<ArrayPtr> columns;
  for (const int column : file_columns_) columns.push_back(batch.column(column));
  return batch.with_columns(std::move(columns));
}

}  // namespace tidegate
