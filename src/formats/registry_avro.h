// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "formats/avro_reader.h"
#include "formats/avro_schema.h"
#include "formats/avro_writer.h"
#include "formats/schema_registry.h"
#include "tidegate/status.h"
#include "types/batch.h"
#include "types/logical_type.h"

/// Avro records whose schema is in a registry, which messages name by its number. What the formats
/// avro-confluent and debezium-avro-confluent have in common.
namespace tidegate {

/// Reads records of any schema into columns of one type. Asks the registry once for each number.
class RegistryAvroReader {
 public:
  RegistryAvroReader(SchemaRegistry registry, LogicalType row, std::int64_t max_record_bytes);

  /// Appends a value to `row`, or nothing. An error of kind kBadData is about this message.
  Status read(std::string_view message, ColumnBuilder& row);

 private:
  struct Written {
    std::unique_ptr<AvroSchema> schema;  // the reader refers to it
    std::optional<AvroReader> reader;
  };
  Result<AvroReader*> reader_of(std::int32_t id);
  Status read_record(std::string_view message, ColumnBuilder& row);

  const SchemaRegistry registry_;
  const LogicalType row_;
  const std::int64_t max_record_bytes_;
  std::map<std::int32_t, Written> written_;  // by number
};

/// Registers the schema of what is written, when the first message is.
class RegistryAvroSchema {
 public:
  /// `row`: what messages hold. kMissingOption without a subject.
  static Result<RegistryAvroSchema> make(std::string_view format, const Options& options,
                                         const LogicalType& row);

  /// Begins a message.
  Status append_head(std::string& out);

 private:
  RegistryAvroSchema(SchemaRegistry registry, std::string subject, std::string schema);

  SchemaRegistry registry_;
  std::string subject_, schema_;
  std::optional<std::int32_t> id_;
};

/// Both formats' own options.
std::vector<OptionSpec> registry_avro_options(std::string_view format);

}  // namespace tidegate
