// SPDX-License-Identifier: Apache-2.0
#include "formats/json_encoder.h"

#include "base/check.h"
#include "formats/row_type.h"

namespace tidegate {

JsonEncoder::JsonEncoder(const SchemaPtr& schema, const JsonWriteOptions& options)
    : row_(row_type(*schema), options) {}

Status JsonEncoder::encode(const Batch& batch, std::string& out) {
  TG_RETURN_IF_ERROR(check_insert_only(batch, "json"));
  row_.bind_columns(batch);
  for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
    TG_RETURN_IF_ERROR(row_.write(row, out));
    out += '\n';
  }
  return Status::ok();
}

Status JsonEncoder::encode_message(const Batch& batch, std::int64_t row, std::string& out) {
  row_.bind_columns(batch);
  return row_.write(row, out);
}

}  // namespace tidegate
