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
#include "formats/record_errors.h"
#include "formats/row_type.h"

namespace tidegate {

namespace {

constexpr const char* kFailOnMissingField = "json.fail-on-missing-field";
constexpr const char* kIgnoreParseErrors = "json.ignore-parse-errors";
constexpr const char* kTimestampStandard = "json.timestamp-format.standard";
constexpr const char* kNullKeyMode = "json.map-null-key.mode";
constexpr const char* kNullKeyLiteral = "json.map-null-key.literal";
constexpr const char* kPlainDecimals = "json.encode.decimal-as-plain-number";
constexpr const char* kIgnoreNullFields = "json.encode.ignore-null-fields";

std::vector<OptionSpec> option_specs() {
  return {
      {kFailOnMissingField, "boolean", "false", "A missing field is an error instead of NULL."},
      {kIgnoreParseErrors, "boolean", "false",
       "Values that cannot be read become NULL, records that cannot be read are left out."},
      {kTimestampStandard, "SQL|ISO-8601", "SQL",
       "How timestamps are written: '2020-10-10 00:00:01' or '2020-10-10T00:00:01'; both are "
       "read."},
      {kNullKeyMode, "FAIL|DROP|LITERAL", "FAIL", "What to do about a null key of a map."},
      {kNullKeyLiteral, "string", "null", "What to write for it with LITERAL."},
      {kPlainDecimals, "boolean", "false", "Write decimals without an exponent."},
      {kIgnoreNullFields, "boolean", "false", "Leave fields that are NULL out."},
      {"json.decode.json-parser.enabled", "boolean", "true",
       "Taken for Flink's sake; there is one parser."},
  };
}

// JSON knows only strings as keys.
Status check_keys(const LogicalType& type) {
  if (type.kind() == TypeKind::kMap || type.kind() == TypeKind::kMultiset) {
    if (!type.children()[0].type.is_character())
      return error(ErrorCode::kNotSupported, "json: {} has keys that are not strings",
                   type.to_string());
  }
  for (const LogicalType::Child& child : type.children())
    TG_RETURN_IF_ERROR(check_keys(child.type));
  return Status::ok();
}

Result<std::unique_ptr<Decoder>> make_decoder(const DecodeRequest& request) {
  JsonReadOptions options;
  TG_ASSIGN_OR_RETURN(options.fail_on_missing_field,
                      request.options.get_bool_or(kFailOnMissingField, false));
  TG_ASSIGN_OR_RETURN(options.ignore_parse_errors,
                      request.options.get_bool_or(kIgnoreParseErrors, false));
  TG_ASSIGN_OR_RETURN(const std::int64_t max_bytes, max_record_bytes(request.options));
  const LogicalType columns = row_type(*request.schema, request.projection);
  TG_RETURN_IF_ERROR(check_keys(columns));
  return std::make_unique<JsonDecoder>(columns, options, max_bytes);
}

Result<std::unique_ptr<Encoder>> make_encoder(const SchemaPtr& schema, const Options& options) {
  JsonWriteOptions write;
  TG_ASSIGN_OR_RETURN(write.ignore_null_fields, options.get_bool_or(kIgnoreNullFields, false));
  TG_ASSIGN_OR_RETURN(write.plain_decimals, options.get_bool_or(kPlainDecimals, false));
  write.iso_timestamps = options.get_string_or(kTimestampStandard, "SQL") == "ISO-8601";
  const std::string mode = options.get_string_or(kNullKeyMode, "FAIL");
  write.null_keys = mode == "DROP"      ? NullKeyMode::kDrop
                    : mode == "LITERAL" ? NullKeyMode::kLiteral
                                        : NullKeyMode::kFail;
  write.null_key = options.get_string_or(kNullKeyLiteral, write.null_key);
  TG_RETURN_IF_ERROR(check_keys(row_type(*schema)));
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
