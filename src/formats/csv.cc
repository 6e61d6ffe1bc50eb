// SPDX-License-Identifier: Apache-2.0
// The format 'csv', with the options of Flink's format of that name and the value conversions of
// append_text(). What differs from Flink:
// * An empty field without quotes is NULL for types other than strings (there an error).
// * Null literals and comments are recognised without quotes only, so that any string can be
//   written and read back.

#include <memory>
#include <utility>

#include "base/check.h"
#include "formats/csv_decoder.h"
#include "formats/csv_encoder.h"
#include "formats/csv_scanner.h"
#include "formats/format.h"
#include "formats/record_errors.h"

namespace tidegate {

namespace {

std::vector<OptionSpec> option_specs() {
  return {
      {"csv.field-delimiter", "string", ",", "The character between fields; also \\t or \\u0001."},
      {"csv.quote-character", "string", "\"", "The character around fields that need it."},
      {"csv.disable-quote-character", "boolean", "false", "Fields are never quoted."},
      {"csv.allow-comments", "boolean", "false", "Records that begin with # are left out."},
      {"csv.ignore-parse-errors", "boolean", "false",
       "Values that cannot be read become NULL, records that cannot be read are left out."},
      {"csv.array-element-delimiter", "string", ";", "What stands between elements and row parts."},
      {"csv.escape-character", "string", "", "Makes text of the character behind it."},
      {"csv.null-literal", "string", "", "What stands for NULL."},
      {"csv.header", "boolean", "false",
       "Each file begins with the names of the columns (not part of Flink)."},
      {"csv.write-bigdecimal-in-scientific-notation", "boolean", "false",
       "Taken for Flink's sake; decimals are written plainly."},
  };
}

Status check_columns(const Schema& schema) {
  for (const Field& field : schema.fields()) {
    Status checked = check_csv_type(field.type);
    if (!checked.is_ok())
      return std::move(checked).with_context(fmt::format("column '{}'", field.name));
  }
  return Status::ok();
}

Result<std::unique_ptr<Decoder>> make_decoder(const DecodeRequest& request) {
  TG_ASSIGN_OR_RETURN(const CsvDialect dialect, CsvDialect::from(request.options));
  TG_ASSIGN_OR_RETURN(const bool ignore,
                      request.options.get_bool_or("csv.ignore-parse-errors", false));
  TG_ASSIGN_OR_RETURN(const std::int64_t max_bytes, max_record_bytes(request.options));
  TG_RETURN_IF_ERROR(check_columns(*request.schema));
  return std::make_unique<CsvDecoder>(*request.schema, request.projection, dialect, ignore,
                                      max_bytes);
}

Result<std::unique_ptr<Encoder>> make_encoder(const SchemaPtr& schema, const Options& options) {
  TG_ASSIGN_OR_RETURN(const CsvDialect dialect, CsvDialect::from(options));
  TG_RETURN_IF_ERROR(check_columns(*schema));
  return std::make_unique<CsvEncoder>(schema, dialect);
}

}  // namespace

void register_format_csv(FormatRegistry& registry) {
  Format format;
  format.name = "csv";
  format.description = "Fields between delimiters, one record a line unless quoted.";
  format.options = option_specs();
  format.make_decoder = make_decoder;
  format.make_encoder = make_encoder;
  format.make_splitter = [](const Options& options) -> Result<std::unique_ptr<RecordSplitter>> {
    TG_ASSIGN_OR_RETURN(const CsvDialect dialect, CsvDialect::from(options));
    return std::make_unique<CsvSplitter>(dialect);
  };
  format.has_header = [](const Options& options) {
    return options.get_bool_or("csv.header", false);
  };
  registry.add(std::move(format));
}

}  // namespace tidegate
