// SPDX-License-Identifier: Apache-2.0
#include "formats/change_json_encoder.h"

#include "base/check.h"
#include "formats/row_type.h"

namespace tidegate {

ChangeJsonEncoder::ChangeJsonEncoder(const ChangeEnvelope& envelope, const SchemaPtr& schema,
                                     const JsonWriteOptions& options)
    : row_(row_type(*schema), options) {
  const auto null_field = [&](const char* name) {
    return options.ignore_null_fields ? std::string() : fmt::format("\"{}\":null,", name);
  };
  const auto kind = [&](const char* value) {
    return fmt::format("\"{}\":\"{}\"}}", envelope.kind, value);
  };
  front_[0] = fmt::format("{{\"{}\":", envelope.before);
  back_[0] = ',' + null_field(envelope.after) + kind(envelope.remove[0]);
  front_[1] = fmt::format("{{{}\"{}\":", null_field(envelope.before), envelope.after);
  back_[1] = ',' + kind(envelope.insert[0]);
}

Status ChangeJsonEncoder::write(RowKind kind, std::int64_t row, std::string& out) const {
  const bool adds = row_kind_adds(kind);
  out += front_[adds];
  TG_RETURN_IF_ERROR(row_.write(row, out));
  out += back_[adds];
  return Status::ok();
}

Status ChangeJsonEncoder::encode(const Batch& batch, std::string& out) {
  row_.bind_columns(batch);
  for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
    TG_RETURN_IF_ERROR(write(batch.row_kind(row), row, out));
    out += '\n';
  }
  return Status::ok();
}

Status ChangeJsonEncoder::encode_message(const Batch& batch, std::int64_t row, std::string& out) {
  row_.bind_columns(batch);
  return write(batch.row_kind(row), row, out);
}

}  // namespace tidegate
