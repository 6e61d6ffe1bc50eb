// SPDX-License-Identifier: Apache-2.0
// The format 'json': objects, one a line in files and one a message elsewhere, with the options and
// the conversions of Flink's format of that name. What differs:
// * A value that does not fit its column (BIGINT overflow, too many digits for a DECIMAL, a word
//   for a BOOLEAN) is an error of the record and never another value or NULL.
// * A missing or null field of a NOT NULL column is an error of the record.
// * Of a key that comes twice in an object the last one holds (as there); fields that no column
//   reads are checked for their brackets only.

#include <utility>

#include "base/check.h"
#include "formats/format.h"
#include "formats/json_decoder.h"
#include "formats/json_encoder.h"
#include "formats/json_options.h"
#include "formats/record_errors.h"
#include "formats/row_type.h"

namespace tidegate {

namespace {

constexpr std::string_view kName = "json";

std::vector<OptionSpec> option_specs() {
  std::vector<OptionSpec> specs = json_option_specs(kName);
  specs.push_back({"json.fail-on-missing-field", "boolean", "false",
                   "A missing field is an error instead of NULL."});
  specs.push_back({"json.decode.json-parser.enabled", "boolean", "true",
                   "Taken for Flink's sake; there is one parser."});
  return specs;
}

Result<std::unique_ptr<Decoder>> make_decoder(const DecodeRequest& request) {
  TG_ASSIGN_OR_RETURN(JsonReadOptions options, json_read_options(kName, request.options));
  TG_ASSIGN_OR_RETURN(options.fail_on_missing_field,
                      request.options.get_bool_or("json.fail-on-missing-field", false));
  if (options.fail_on_missing_field && options.ignore_parse_errors)
    return error(ErrorCode::kInvalidOption,
                 "'json.fail-on-missing-field' and 'json.ignore-parse-errors' exclude each other");
  TG_ASSIGN_OR_RETURN(const std::int64_t max_bytes, max_record_bytes(request.options));
  const LogicalType columns = row_type(*request.schema, request.projection);
  TG_RETURN_IF_ERROR(check_json_keys(kName, columns));
  return std::make_unique<JsonDecoder>(columns, options, max_bytes);
}

Result<std::unique_ptr<Encoder>> make_encoder(const SchemaPtr& schema, const Options& options) {
  TG_ASSIGN_OR_RETURN(const JsonWriteOptions write, json_write_options(kName, options));
  TG_RETURN_IF_ERROR(check_json_keys(kName, row_type(*schema)));
  return std::make_unique<JsonEncoder>(schema, write);
}

}  // namespace

void register_format_json(FormatRegistry& registry) {
  Format format;
  format.name = "json";
  format.description = "JSON objects, one a line or a message.";
  format.options = option_specs();
  format.line_framed = true;
  format.make_decoder = make_decoder;
  format.make_encoder = make_encoder;
  registry.add(std::move(format));
}

}  // namespace tidegate
