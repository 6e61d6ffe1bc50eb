// SPDX-License-Identifier: Apache-2.0
// The format 'avro-confluent': messages of one Avro record each, which begin with the number that
// its schema has in a Schema Registry. Options as Flink's, but for the files of TLS, which are PEM.

#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"
#include "formats/column_builder.h"
#include "formats/format.h"
#include "formats/record_errors.h"
#include "formats/registry_avro.h"
#include "formats/row_type.h"

namespace tidegate {
namespace {

constexpr std::string_view kName = "avro-confluent";

Status no_framing() {
  return error(ErrorCode::kNotSupported, "{} is a format of messages, not of files", kName);
}

class ConfluentDecoder final : public Decoder {
 public:
  ConfluentDecoder(RegistryAvroReader reader, LogicalType columns)
      : reader_(std::move(reader)), rows_(std::move(columns)) {}

  Status decode(std::string_view, const BadRecordHandler&) override { return no_framing(); }
  Status decode_message(std::string_view message, const BadRecordHandler& on_bad) override {
    Status read = reader_.read(message, rows_);
    if (read.is_ok() || read.kind() != ErrorKind::kBadData) return read;
    return on_bad({std::move(read), 0, 0, message});
  }
  Result<Batch> take() override {
    const std::int64_t count = rows_.size();
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (std::size_t i = 0; i < rows_.num_children(); ++i) columns.push_back(rows_.child(i).take());
    rows_.truncate(0);
    return Batch(count, std::move(columns));
  }
  std::int64_t num_rows() const override { return rows_.size(); }

 private:
  RegistryAvroReader reader_;
  ColumnBuilder rows_;
};

class ConfluentEncoder final : public Encoder {
 public:
  ConfluentEncoder(RegistryAvroSchema schema, const LogicalType& row)
      : schema_(std::move(schema)), row_(row) {}

  Status encode(const Batch&, std::string&) override { return no_framing(); }
  Status encode_message(const Batch& batch, std::int64_t row, std::string& out) override {
    TG_RETURN_IF_ERROR(schema_.append_head(out));
    row_.bind_columns(batch);
    return row_.write(row, out);
  }

 private:
  RegistryAvroSchema schema_;
  AvroWriter row_;
};

Result<std::unique_ptr<Decoder>> make_decoder(const DecodeRequest& request) {
  TG_ASSIGN_OR_RETURN(SchemaRegistry registry, SchemaRegistry::from(kName, request.options));
  TG_ASSIGN_OR_RETURN(const std::int64_t max_bytes, max_record_bytes(request.options));
  LogicalType columns = row_type(*request.schema, request.projection);
  RegistryAvroReader reader(std::move(registry), columns, max_bytes);
  return std::make_unique<ConfluentDecoder>(std::move(reader), std::move(columns));
}

Result<std::unique_ptr<Encoder>> make_encoder(const SchemaPtr& schema, const Options& options) {
  const LogicalType row = row_type(*schema);
  TG_ASSIGN_OR_RETURN(RegistryAvroSchema registered, RegistryAvroSchema::make(kName, options, row));
  return std::make_unique<ConfluentEncoder>(std::move(registered), row);
}

}  // namespace

void register_format_avro_confluent(FormatRegistry& registry) {
  Format format;
  format.name = kName;
  format.description = "Avro records whose schemas are in a Confluent Schema Registry.";
  format.options = registry_avro_options(kName);
  format.make_decoder = make_decoder;
  format.make_encoder = make_encoder;
  registry.add(std::move(format));
}

}  // namespace tidegate
