// SPDX-License-Identifier: Apache-2.0
#include "formats/registry_avro.h"

#include <utility>

#include "base/check.h"
#include "formats/column_builder.h"

namespace tidegate {

RegistryAvroReader::RegistryAvroReader(SchemaRegistry registry, LogicalType row,
                                       std::int64_t max_record_bytes)
    : registry_(std::move(registry)), row_(std::move(row)), max_record_bytes_(max_record_bytes) {}

Status RegistryAvroReader::read(std::string_view message, ColumnBuilder& row) {
  const std::int64_t size = row.size();
  Status read = read_record(message, row);
  if (!read.is_ok()) row.truncate(size);
  return read;
}

Status RegistryAvroReader::read_record(std::string_view message, ColumnBuilder& row) {
  if (static_cast<std::int64_t>(message.size()) > max_record_bytes_)
    return error(ErrorCode::kRecordTooLarge, "{} bytes, more than the limit of {}", message.size(),
                 max_record_bytes_);
  TG_ASSIGN_OR_RETURN(const std::int32_t id, take_schema_id(message));
  TG_ASSIGN_OR_RETURN(AvroReader* const reader, reader_of(id));
  AvroInput input(message);
  TG_RETURN_IF_ERROR(reader->read(input, row));
  if (input.left() > 0)
    return error(ErrorCode::kMalformedRecord, "{} bytes follow the record", input.left());
  return Status::ok();
}

Result<AvroReader*> RegistryAvroReader::reader_of(std::int32_t id) {
  const auto known = written_.find(id);
  if (known != written_.end()) return &*known->second.reader;
  TG_ASSIGN_OR_RETURN(const std::string text, registry_.schema_of(id));
  const auto place = [&] { return fmt::format("schema {} of the schema registry", id); };
  Written written;
  Result<std::unique_ptr<AvroSchema>> schema = AvroSchema::parse(text);
  if (!schema.is_ok())
    return error(ErrorCode::kTypeMismatch, "{}: {}", place(), schema.status().message());
  written.schema = *std::move(schema);
  if (written.schema->root().kind != AvroType::Kind::kRecord)
    return error(ErrorCode::kTypeMismatch, "{} is {}, not a record", place(),
                 describe(written.schema->root()));
  Result<AvroReader> reader = AvroReader::make(written.schema->root(), row_);
  if (!reader.is_ok())
    return error(ErrorCode::kTypeMismatch, "{}: {}", place(), reader.status().message());
  written.reader = *std::move(reader);
  return &*written_.emplace(id, std::move(written)).first->second.reader;
}

RegistryAvroSchema::RegistryAvroSchema(SchemaRegistry registry, std::string subject,
                                       std::string schema)
    : registry_(std::move(registry)), subject_(std::move(subject)), schema_(std::move(schema)) {}

Result<RegistryAvroSchema> RegistryAvroSchema::make(std::string_view format, const Options& options,
                                                    const LogicalType& row) {
  TG_ASSIGN_OR_RETURN(SchemaRegistry registry, SchemaRegistry::from(format, options));
  TG_ASSIGN_OR_RETURN(std::string subject, options.get_string(fmt::format("{}.subject", format)));
  TG_ASSIGN_OR_RETURN(
      const bool legacy,
      options.get_bool_or(fmt::format("{}.timestamp_mapping.legacy", format), true));
  TG_ASSIGN_OR_RETURN(std::string schema, avro_schema_of(row, legacy));
  return RegistryAvroSchema(std::move(registry), std::move(subject), std::move(schema));
}

Status RegistryAvroSchema::append_head(std::string& out) {
  if (!id_) {
    TG_ASSIGN_OR_RETURN(id_, registry_.register_schema(subject_, schema_));
  }
  append_schema_id(*id_, out);
  return Status::ok();
}

std::vector<OptionSpec> registry_avro_options(std::string_view format) {
  std::vector<OptionSpec> specs = SchemaRegistry::option_specs(format);
  specs.push_back({fmt::format("{}.timestamp_mapping.legacy", format), "boolean", "true",
                   "TIMESTAMP is written as Avro's timestamp; if not, as its local-timestamp."});
  return specs;
}

}  // namespace tidegate
