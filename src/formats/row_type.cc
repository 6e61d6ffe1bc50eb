// SPDX-License-Identifier: Apache-2.0
#include "formats/row_type.h"

#include <utility>
#include <vector>

#include "base/check.h"

namespace tidegate {

LogicalType row_type(const Schema& schema) {
  std::vector<LogicalType::Child> fields;
  for (const Field& field : schema.fields()) fields.push_back({field.name, field.type});
  return LogicalType::row(std::move(fields), /*nullable=*/false);
}

LogicalType row_type(const Schema& schema, std::span<const int> projection) {
  std::vector<LogicalType::Child> fields;
  for (const int column : projection)
    fields.push_back({schema.field(column).name, schema.field(column).type});
  return LogicalType::row(std::move(fields), /*nullable=*/false);
}

Status check_insert_only(const Batch& batch, std::string_view format) {
  for (const RowKind kind : batch.row_kinds()) {
    if (kind == RowKind::kInsert) continue;
    return Status(ErrorCode::kNotSupported,
                  fmt::format("format '{}' can only hold inserts, got a row of kind {}", format,
                              row_kind_symbol(kind)),
                  "Write to a sink or format that takes changes, or aggregate over windows, which "
                  "only inserts.");
  }
  return Status::ok();
}

}  // namespace tidegate
