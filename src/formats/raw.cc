// SPDX-License-Identifier: Apache-2.0
// The format 'raw': the whole record (in files: a line without its end) is the value of the only
// column, CHAR, VARCHAR, BINARY or VARBINARY as it is. Options as Flink's; only UTF-8 is there.

#include <arrow/array/array_binary.h>

#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "base/check.h"
#include "formats/column_builder.h"
#include "formats/format.h"
#include "formats/record_errors.h"
#include "formats/row_type.h"
#include "formats/utf8.h"

namespace tidegate {

namespace {

class RawDecoder final : public Decoder {
 public:
  /// `wanted`: somebody reads the column.
  RawDecoder(const LogicalType& type, bool wanted, std::int64_t max_record_bytes)
      : column_(type), wanted_(wanted), max_record_bytes_(max_record_bytes) {}

  Status decode(std::string_view input, const BadRecordHandler& on_bad) override {
    std::int64_t line = 0;
    for (std::size_t begin = 0; begin < input.size(); ++line) {
      const std::size_t newline = input.find('\n', begin);
      const std::size_t end = newline == std::string_view::npos ? input.size() : newline;
      std::string_view record = input.substr(begin, end - begin);
      if (record.ends_with('\r')) record.remove_suffix(1);
      TG_RETURN_IF_ERROR(append(record, static_cast<std::int64_t>(begin), line, on_bad));
      begin = end + 1;
    }
    num_lines_ += line;
    return Status::ok();
  }

  Status decode_message(std::string_view message, const BadRecordHandler& on_bad) override {
    return append(message, 0, 0, on_bad);
  }

  Result<Batch> take() override {
    const std::int64_t count = std::exchange(num_rows_, 0);
    input_bytes_ = 0;
    std::vector<std::shared_ptr<arrow::Array>> columns;
    if (wanted_) columns.push_back(column_.take());
    return Batch(count, std::move(columns));
  }
  std::int64_t num_rows() const override { return num_rows_; }
  std::int64_t num_lines() const override { return num_lines_; }

 private:
  Status append(std::string_view record, std::int64_t offset, std::int64_t line,
                const BadRecordHandler& on_bad) {
    input_bytes_ += static_cast<std::int64_t>(record.size());
    if (input_bytes_ >= std::numeric_limits<std::int32_t>::max())
      return error(ErrorCode::kLimitExceeded, "{} bytes make too large a batch", input_bytes_);
    if (static_cast<std::int64_t>(record.size()) > max_record_bytes_) {
      return on_bad({error(ErrorCode::kRecordTooLarge, "{} bytes, more than the limit of {}",
                           record.size(), max_record_bytes_),
                     offset, line, record});
    }
    if (column_.type().is_character() && !is_valid_utf8(record))
      return on_bad({error(ErrorCode::kInvalidUtf8, "not valid UTF-8"), offset, line, record});
    if (wanted_) column_.append_bytes(record);
    ++num_rows_;
    return Status::ok();
  }

  ColumnBuilder column_;
  bool wanted_;
  std::int64_t max_record_bytes_;
  std::int64_t num_rows_ = 0;
  std::int64_t num_lines_ = 0;
  std::int64_t input_bytes_ = 0;  // since the last take()
};

class RawEncoder final : public Encoder {
 public:
  Status encode(const Batch& batch, std::string& out) override {
    TG_RETURN_IF_ERROR(check_insert_only(batch, "raw"));
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      TG_RETURN_IF_ERROR(encode_message(batch, row, out));
      out += '\n';
    }
    return Status::ok();
  }
  Status encode_message(const Batch& batch, std::int64_t row, std::string& out) override {
    // Utf8 arrays are binary arrays with a promise.
    const auto& column = static_cast<const arrow::BinaryArray&>(*batch.column(0));
    if (!column.IsNull(row)) out += column.GetView(row);
    return Status::ok();
  }
};

Status check_schema(const Schema& schema, const Options& options) {
  const std::string charset = options.get_string_or("raw.charset", "UTF-8");
  if (charset != "UTF-8" && charset != "utf-8")
    return error(ErrorCode::kNotSupported, "raw: charset '{}'; there is only UTF-8", charset);
  if (schema.num_fields() == 1 &&
      (schema.field(0).type.is_character() || schema.field(0).type.is_bytes()))
    return Status::ok();
  return error(ErrorCode::kInvalidPlan,
               "format 'raw' needs exactly one column, of STRING or BYTES; the table has {}",
               schema.to_string());
}

Result<std::unique_ptr<Decoder>> make_decoder(const DecodeRequest& request) {
  TG_RETURN_IF_ERROR(check_schema(*request.schema, request.options));
  TG_ASSIGN_OR_RETURN(const std::int64_t max_bytes, max_record_bytes(request.options));
  return std::make_unique<RawDecoder>(request.schema->field(0).type, !request.projection.empty(),
                                      max_bytes);
}

Result<std::unique_ptr<Encoder>> make_encoder(const SchemaPtr& schema, const Options& options) {
  TG_RETURN_IF_ERROR(check_schema(*schema, options));
  return std::make_unique<RawEncoder>();
}

}  // namespace

void register_format_raw(FormatRegistry& registry) {
  Format format;
  format.name = "raw";
  format.description = "The whole line or message as one STRING or BYTES column.";
  format.options = {
      {"raw.charset", "string", "UTF-8", "The encoding of text; only UTF-8 is there."},
      {"raw.endianness", "big-endian|little-endian", "big-endian",
       "Taken for Flink's sake; there are no numbers in this format."}};
  format.line_framed = true;
  format.make_decoder = make_decoder;
  format.make_encoder = make_encoder;
  registry.add(std::move(format));
}

}  // namespace tidegate
