// SPDX-License-Identifier: Apache-2.0
// The format 'avro': container files, and messages of one record each without their schema, which
// is then the table's own. Types and options are those of Flink's format of that name. What
// differs:
// * TIMESTAMP and TIMESTAMP_LTZ up to precision 6, and TIME up to 6, have a form.
// * A file's own logical types tell milliseconds from microseconds, whatever the table says.

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "formats/avro_codec.h"
#include "formats/avro_file.h"
#include "formats/avro_reader.h"
#include "formats/avro_schema.h"
#include "formats/avro_writer.h"
#include "formats/column_builder.h"
#include "formats/format.h"
#include "formats/record_errors.h"
#include "formats/row_type.h"

namespace tidegate {

namespace {

Status no_framing() {
  return error(ErrorCode::kNotSupported, "avro records follow each other only in container files");
}

class AvroMessageDecoder final : public Decoder {
 public:
  AvroMessageDecoder(std::unique_ptr<AvroSchema> schema, AvroReader reader, LogicalType columns,
                     std::int64_t max_record_bytes)
      : schema_(std::move(schema)),
        reader_(std::move(reader)),
        rows_(std::move(columns)),
        max_record_bytes_(max_record_bytes) {}

  Status decode(std::string_view, const BadRecordHandler&) override { return no_framing(); }

  Status decode_message(std::string_view message, const BadRecordHandler& on_bad) override {
    input_bytes_ += static_cast<std::int64_t>(message.size());
    if (input_bytes_ >= std::numeric_limits<std::int32_t>::max())
      return error(ErrorCode::kLimitExceeded, "{} bytes make too large a batch", input_bytes_);
    const std::int64_t row = rows_.size();
    AvroInput input(message);
    Status read;
    if (static_cast<std::int64_t>(message.size()) > max_record_bytes_) {
      read = error(ErrorCode::kRecordTooLarge, "{} bytes, more than the limit of {}",
                   message.size(), max_record_bytes_);
    } else {
      read = reader_.read(input, rows_);
      if (read.is_ok() && input.left() > 0)
        read = error(ErrorCode::kMalformedRecord, "{} bytes follow the record", input.left());
    }
    if (read.is_ok()) return Status::ok();
    rows_.truncate(row);
    return on_bad({std::move(read), 0, 0, message});
  }

  Result<Batch> take() override {
    const std::int64_t count = rows_.size();
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (std::size_t i = 0; i < rows_.num_children(); ++i) columns.push_back(rows_.child(i).take());
    rows_.truncate(0);
    input_bytes_ = 0;
    return Batch(count, std::move(columns));
  }
  std::int64_t num_rows() const override { return rows_.size(); }

 private:
  std::unique_ptr<AvroSchema> schema_;  // of the messages; the reader refers to it
  AvroReader reader_;
  ColumnBuilder rows_;
  std::int64_t max_record_bytes_;
  std::int64_t input_bytes_ = 0;  // since the last take()
};

class AvroMessageEncoder final : public Encoder {
 public:
  explicit AvroMessageEncoder(const LogicalType& row) : row_(row) {}

  Status encode(const Batch&, std::string&) override { return no_framing(); }
  Status encode_message(const Batch& batch, std::int64_t row, std::string& out) override {
    row_.bind_columns(batch);
    return row_.write(row, out);
  }

 private:
  AvroWriter row_;
};

Result<std::unique_ptr<Decoder>> make_decoder(const DecodeRequest& request) {
  TG_ASSIGN_OR_RETURN(const std::string text, avro_schema_for(*request.schema, request.options));
  TG_ASSIGN_OR_RETURN(std::unique_ptr<AvroSchema> schema, AvroSchema::parse(text));
  LogicalType columns = row_type(*request.schema, request.projection);
  TG_ASSIGN_OR_RETURN(AvroReader reader, AvroReader::make(schema->root(), columns));
  TG_ASSIGN_OR_RETURN(const std::int64_t max_bytes, max_record_bytes(request.options));
  return std::make_unique<AvroMessageDecoder>(std::move(schema), std::move(reader),
                                              std::move(columns), max_bytes);
}

Result<std::unique_ptr<Encoder>> make_encoder(const SchemaPtr& schema, const Options& options) {
  TG_RETURN_IF_ERROR(avro_schema_for(*schema, options).status());
  TG_RETURN_IF_ERROR(AvroCodec::make(options.get_string_or("avro.codec", "snappy")).status());
  return std::make_unique<AvroMessageEncoder>(row_type(*schema));
}

}  // namespace

void register_format_avro(FormatRegistry& registry) {
  Format format;
  format.name = "avro";
  format.description =
      "Avro container files, or messages of one record each by the table's schema.";
  format.options = {
      {"avro.codec", "string", "snappy",
       "How files are compressed: null, deflate, snappy or zstandard."},
      {"avro.encoding", "binary", "binary", "Avro's binary form; there is no other."},
      {"avro.timestamp_mapping.legacy", "boolean", "true",
       "TIMESTAMP is written as Avro's timestamp; if not, as its local-timestamp."},
  };
  format.make_decoder = make_decoder;
  format.make_encoder = make_encoder;
  format.make_file_decoder = open_avro;
  format.make_file_encoder = create_avro;
  registry.add(std::move(format));
}

}  // namespace tidegate
