// SPDX-License-Identifier: Apache-2.0
// The format 'debezium-json': changes as Debezium tells them, with the options and the conversions
// of Flink's format of that name. Values are read and written as by the format 'json'; what differs
// from Flink is told there.

#include <string_view>
#include <utility>

#include "base/check.h"
#include "formats/change_json_decoder.h"
#include "formats/change_json_encoder.h"
#include "formats/format.h"
#include "formats/json_options.h"
#include "formats/record_errors.h"
#include "formats/row_type.h"

namespace tidegate {

namespace {

constexpr std::string_view kName = "debezium-json";
constexpr const char* kSchemaInclude = "debezium-json.schema-include";

// A row that is read by a snapshot is new to us.
constexpr const char* kInserts[] = {"c", "r", nullptr};
constexpr const char* kUpdates[] = {"u", nullptr};
constexpr const char* kDeletes[] = {"d", nullptr};

constexpr ChangeEnvelope envelope(bool with_schema) {
  return {"debezium-json", "before", "after", "op", kInserts, kUpdates, kDeletes, with_schema};
}

std::vector<OptionSpec> option_specs() {
  std::vector<OptionSpec> specs = json_option_specs(kName);
  specs.push_back(
      {kSchemaInclude, "boolean", "false",
       "Records hold a schema, and the change in a field 'payload'; only for reading."});
  return specs;
}

Result<std::unique_ptr<Decoder>> make_decoder(const DecodeRequest& request) {
  TG_ASSIGN_OR_RETURN(const JsonReadOptions options, json_read_options(kName, request.options));
  TG_ASSIGN_OR_RETURN(const bool with_schema, request.options.get_bool_or(kSchemaInclude, false));
  TG_ASSIGN_OR_RETURN(const std::int64_t max_bytes, max_record_bytes(request.options));
  const LogicalType columns = row_type(*request.schema, request.projection);
  TG_RETURN_IF_ERROR(check_json_keys(kName, columns));
  return std::make_unique<ChangeJsonDecoder>(envelope(with_schema), columns, options, max_bytes);
}

Result<std::unique_ptr<Encoder>> make_encoder(const SchemaPtr& schema, const Options& options) {
  TG_ASSIGN_OR_RETURN(const JsonWriteOptions write, json_write_options(kName, options));
  TG_ASSIGN_OR_RETURN(const bool with_schema, options.get_bool_or(kSchemaInclude, false));
  if (with_schema)
    return error(ErrorCode::kInvalidOption,
                 "option '{}' is for reading; changes are written without a schema",
                 kSchemaInclude);
  TG_RETURN_IF_ERROR(check_json_keys(kName, row_type(*schema)));
  return std::make_unique<ChangeJsonEncoder>(envelope(false), schema, write);
}

}  // namespace

void register_format_debezium_json(FormatRegistry& registry) {
  Format format;
  format.name = kName;
  format.description = "Changes as Debezium tells them: JSON with the row before and after.";
  format.options = option_specs();
  format.line_framed = true;
  format.changelog = true;
  format.make_decoder = make_decoder;
  format.make_encoder = make_encoder;
  registry.add(std::move(format));
}

}  // namespace tidegate
