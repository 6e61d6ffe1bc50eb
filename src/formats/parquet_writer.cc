// SPDX-License-Identifier: Apache-2.0
#include "formats/parquet_writer.h"

#include <arrow/array/array_base.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/compression.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <cctype>
#include <utility>

#include "base/check.h"
#include "formats/arrow_file.h"
#include "formats/row_type.h"
#include "types/arrow_status.h"

namespace tidegate {

namespace {

constexpr std::int64_t kDefaultGroupBytes = std::int64_t{128} << 20;
constexpr std::int64_t kMaxGroupRows = std::int64_t{1} << 20;

class ParquetWriter final : public FileEncoder {
 public:
  ParquetWriter(std::shared_ptr<arrow::Schema> schema, std::shared_ptr<ArrowOutputFile> file,
                std::unique_ptr<parquet::arrow::FileWriter> writer, std::int64_t group_bytes)
      : schema_(std::move(schema)),
        file_(std::move(file)),
        writer_(std::move(writer)),
        group_bytes_(group_bytes) {}

  Status write(const Batch& batch) override {
    TG_RETURN_IF_ERROR(check_insert_only(batch, "parquet"));
    if (batch.empty()) return Status::ok();
    if (in_group_ >= group_bytes_) {
      TG_RETURN_IF_ERROR(checked(writer_->NewBufferedRowGroup()));
      in_group_ = 0;
    }
    in_group_ += batch.byte_size();
    const auto record_batch = arrow::RecordBatch::Make(schema_, batch.num_rows(), batch.columns());
    return checked(writer_->WriteRecordBatch(*record_batch));
  }

  Status close() override {
    TG_RETURN_IF_ERROR(checked(writer_->Close()));
    TG_RETURN_IF_ERROR(file_->file().sync());
    return file_->file().close();
  }

 private:
  Status checked(const arrow::Status& status) const {
    if (status.ok()) return Status::ok();
    if (!file_->error().is_ok()) return file_->error();
    return from_arrow_status(status, "write Parquet");
  }

  std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<ArrowOutputFile> file_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  std::int64_t group_bytes_;
  std::int64_t in_group_ = 0;  // bytes written to the row group, before encoding
};

Result<arrow::Compression::type> find_compression(const Options& options) {
  std::string name = options.get_string_or("parquet.compression", "snappy");
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (name == "none") name = "uncompressed";
  if (name == "lz4_raw") name = "lz4";
  auto found = arrow::util::Codec::GetCompressionType(name);
  if (found.ok() &&
      (*found == arrow::Compression::UNCOMPRESSED || arrow::util::Codec::IsAvailable(*found)))
    return *found;
  return error(
      ErrorCode::kInvalidOption,
      "option 'parquet.compression' is '{}'; it is snappy, gzip, zstd, lz4, brotli or none", name);
}

}  // namespace

Result<std::unique_ptr<FileEncoder>> create_parquet(const SchemaPtr& schema, const Options& options,
                                                    std::unique_ptr<WritableFile> file) {
  TG_ASSIGN_OR_RETURN(const arrow::Compression::type compression, find_compression(options));
  TG_ASSIGN_OR_RETURN(const std::int64_t group_bytes,
                      options.get_size_or("parquet.block.size", kDefaultGroupBytes));
  const auto properties = parquet::WriterProperties::Builder()
                              .compression(compression)
                              ->max_row_group_length(kMaxGroupRows)
                              ->build();
  // With Arrow's schema in the file, what Parquet cannot tell apart reads back as it was.
  const auto arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
  const std::shared_ptr<arrow::Schema> arrow_schema = schema->to_arrow();
  auto output = std::make_shared<ArrowOutputFile>(std::move(file));
  auto writer = parquet::arrow::FileWriter::Open(*arrow_schema, arrow::default_memory_pool(),
                                                 output, properties, arrow_properties);
  if (!writer.ok()) {
    if (!output->error().is_ok()) return output->error();
    return from_arrow_status(writer.status(), "create Parquet", ErrorCode::kNotSupported);
  }
  return std::make_unique<ParquetWriter>(arrow_schema, std::move(output),
                                         std::move(writer).ValueUnsafe(), group_bytes);
}

}  // namespace tidegate
