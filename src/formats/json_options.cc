// SPDX-License-Identifier: Apache-2.0
#include "formats/json_options.h"

#include <string>

#include "base/check.h"

namespace tidegate {

namespace {

constexpr const char* kIgnoreParseErrors = "ignore-parse-errors";
constexpr const char* kTimestampStandard = "timestamp-format.standard";
constexpr const char* kTimestampStandards = "SQL|ISO-8601";
constexpr const char* kNullKeyMode = "map-null-key.mode";
constexpr const char* kNullKeyModes = "FAIL|DROP|LITERAL";
constexpr const char* kNullKeyLiteral = "map-null-key.literal";
constexpr const char* kPlainDecimals = "encode.decimal-as-plain-number";
constexpr const char* kIgnoreNullFields = "encode.ignore-null-fields";

std::string name(std::string_view format, const char* option) {
  return fmt::format("{}.{}", format, option);
}

}  // namespace

std::vector<OptionSpec> json_option_specs(std::string_view format) {
  return {
      {name(format, kIgnoreParseErrors), "boolean", "false",
       "Values that cannot be read become NULL, records that cannot be read are left out."},
      {name(format, kTimestampStandard), kTimestampStandards, "SQL",
       "How timestamps are written: '2020-10-10 00:00:01' or '2020-10-10T00:00:01'; both are "
       "read."},
      {name(format, kNullKeyMode), kNullKeyModes, "FAIL", "What to do about a null key of a map."},
      {name(format, kNullKeyLiteral), "string", "null", "What to write for it with LITERAL."},
      {name(format, kPlainDecimals), "boolean", "false", "Write decimals without an exponent."},
      {name(format, kIgnoreNullFields), "boolean", "false", "Leave fields that are NULL out."},
  };
}

Result<JsonReadOptions> json_read_options(std::string_view format, const Options& options) {
  JsonReadOptions read;
  TG_ASSIGN_OR_RETURN(read.ignore_parse_errors,
                      options.get_bool_or(name(format, kIgnoreParseErrors), false));
  return read;
}

Result<JsonWriteOptions> json_write_options(std::string_view format, const Options& options) {
  JsonWriteOptions write;
  TG_ASSIGN_OR_RETURN(write.ignore_null_fields,
                      options.get_bool_or(name(format, kIgnoreNullFields), false));
  TG_ASSIGN_OR_RETURN(write.plain_decimals,
                      options.get_bool_or(name(format, kPlainDecimals), false));
  const Result<std::string> standard =
      options.get_choice_or(name(format, kTimestampStandard), kTimestampStandards, "SQL");
  if (!standard.is_ok()) return standard.status();
  write.iso_timestamps = *standard == "ISO-8601";
  const Result<std::string> mode =
      options.get_choice_or(name(format, kNullKeyMode), kNullKeyModes, "FAIL");
  if (!mode.is_ok()) return mode.status();
  write.null_keys = *mode == "DROP"      ? NullKeyMode::kDrop
                    : *mode == "LITERAL" ? NullKeyMode::kLiteral
                                         : NullKeyMode::kFail;
  write.null_key = options.get_string_or(name(format, kNullKeyLiteral), write.null_key);
  return write;
}

Status check_json_keys(std::string_view format, const LogicalType& type) {
  if (type.kind() == TypeKind::kMap || type.kind() == TypeKind::kMultiset) {
    if (!type.children()[0].type.is_character())
      return error(ErrorCode::kNotSupported, "{}: {} has keys that are not strings", format,
                   type.to_string());
  }
  for (const LogicalType::Child& child : type.children())
    TG_RETURN_IF_ERROR(check_json_keys(format, child.type));
  return Status::ok();
}

}  // namespace tidegate
