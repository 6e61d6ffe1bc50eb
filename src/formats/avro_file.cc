// SPDX-License-Identifier: Apache-2.0
#include "formats/avro_file.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "formats/avro_codec.h"
#include "formats/avro_input.h"
#include "formats/avro_reader.h"
#include "formats/avro_schema.h"
#include "formats/avro_writer.h"
#include "formats/column_builder.h"
#include "formats/row_type.h"

namespace tidegate {

namespace {

constexpr std::string_view kMagic("Obj\x01", 4);
constexpr std::size_t kSyncBytes = 16;
constexpr std::size_t kMaxNumberBytes = 10;
constexpr std::int64_t kFirstHeaderBytes = std::int64_t{4} << 10;
constexpr std::int64_t kMaxHeaderBytes = std::int64_t{64} << 20;
constexpr std::int64_t kMaxBlockBytes = std::int64_t{1} << 30;
/// Bytes of rows, before compression, after which a block is written: as much as Avro's own
/// writers gather.
constexpr std::size_t kBlockBytes = 64'000;
/// Values take up no more bytes in columns than about this, so offsets of 31 bits are enough.
constexpr std::int64_t kMaxBatchBytes = std::int64_t{256} << 20;

class AvroFileReader final : public FileDecoder {
 public:
  AvroFileReader(std::shared_ptr<RandomAccessFile> file, LogicalType columns)
      : file_(std::move(file)), rows_(std::move(columns)) {}

  Status open() {
    TG_ASSIGN_OR_RETURN(size_, file_->size());
    if (size_ == 0) return error(ErrorCode::kFileTruncated, "is empty, which no Avro file is");
    std::map<std::string, std::string, std::less<>> metadata;
    TG_RETURN_IF_ERROR(read_header(metadata));
    TG_ASSIGN_OR_RETURN(schema_, AvroSchema::parse(metadata["avro.schema"]));
    const auto codec = metadata.find("avro.codec");
    TG_ASSIGN_OR_RETURN(codec_, AvroCodec::make(codec == metadata.end() ? "null" : codec->second));
    TG_ASSIGN_OR_RETURN(reader_, AvroReader::make(schema_->root(), rows_.type()));
    return Status::ok();
  }

  Result<Batch> next(std::int64_t max_rows) override {
    std::int64_t bytes = 0;
    while (rows_.size() < max_rows && bytes < kMaxBatchBytes) {
      if (left_ == 0) {
        TG_ASSIGN_OR_RETURN(const bool more, next_block());
        if (!more) break;
        if (left_ > 0) TG_RETURN_IF_ERROR(load_block());
        continue;
      }
      const std::size_t before = input_.left();
      TG_RETURN_IF_ERROR(in_block(reader_->read(input_, rows_)));
      bytes += static_cast<std::int64_t>(before - input_.left());
      --left_;
      if (left_ == 0 && input_.left() > 0)
        return in_block(error(ErrorCode::kMalformedFile, "{} bytes follow the last row of a block",
                              input_.left()));
    }
    const std::int64_t count = rows_.size();
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (std::size_t i = 0; i < rows_.num_children(); ++i) columns.push_back(rows_.child(i).take());
    rows_.truncate(0);
    return Batch(count, std::move(columns));
  }

  // Whole blocks without unpacking them, the rest by reading it.
  Status skip(std::int64_t rows) override {
    while (rows > 0) {
      if (left_ == 0) {
        TG_ASSIGN_OR_RETURN(const bool more, next_block());
        if (!more)
          return error(ErrorCode::kFileTruncated, "ends {} rows before the place to go on", rows);
        if (left_ <= rows) {
          rows -= std::exchange(left_, 0);
        } else {
          TG_RETURN_IF_ERROR(load_block());
        }
        continue;
      }
      TG_ASSIGN_OR_RETURN(const Batch skipped, next(std::min(rows, left_)));
      rows -= skipped.num_rows();
    }
    return Status::ok();
  }

 private:
  Status read_at(std::int64_t offset, std::int64_t size, std::string& out) {
    out.resize(static_cast<std::size_t>(std::clamp<std::int64_t>(size_ - offset, 0, size)));
    TG_ASSIGN_OR_RETURN(const std::size_t read,
                        file_->read_at(offset, std::as_writable_bytes(std::span(out))));
    out.resize(read);
    return Status::ok();
  }

  // Its length is not known: twice as much is read until it is all there.
  Status read_header(std::map<std::string, std::string, std::less<>>& metadata) {
    std::string bytes;
    for (std::int64_t size = kFirstHeaderBytes;; size *= 2) {
      TG_RETURN_IF_ERROR(read_at(0, size, bytes));
      if (!bytes.starts_with(kMagic.substr(0, std::min(bytes.size(), kMagic.size()))))
        return error(ErrorCode::kMalformedFile, "is not an Avro file");
      metadata.clear();
      if (parse_header(bytes, metadata)) return Status::ok();
      if (static_cast<std::int64_t>(bytes.size()) < size)
        return error(ErrorCode::kFileTruncated, "ends in the middle of its header");
      if (size >= kMaxHeaderBytes)
        return error(ErrorCode::kMalformedFile, "has a header of more than {} bytes", size);
    }
  }

  bool parse_header(std::string_view bytes,
                    std::map<std::string, std::string, std::less<>>& metadata) {
    std::string_view magic, key, value;
    AvroInput input(bytes);
    if (!input.read_fixed(kMagic.size(), magic)) return false;
    std::int64_t count = 0;
    do {
      if (!input.read_long(count)) return false;
      std::int64_t skipped;
      if (count < 0 && !input.read_long(skipped)) return false;
      for (std::int64_t i = 0; i != count; i += count < 0 ? -1 : 1) {
        if (!input.read_bytes(key) || !input.read_bytes(value)) return false;
        metadata[std::string(key)] = value;
      }
    } while (count != 0);
    std::string_view sync;
    if (!input.read_fixed(kSyncBytes, sync)) return false;
    sync_ = sync;
    next_block_ = static_cast<std::int64_t>(bytes.size() - input.left());
    return true;
  }

  // Finds the next block; false at the end of the file.
  Result<bool> next_block() {
    if (next_block_ >= size_) return false;
    block_ = next_block_;
    std::string head;
    TG_RETURN_IF_ERROR(read_at(block_, 2 * kMaxNumberBytes, head));
    AvroInput input(head);
    if (!input.read_long(left_) || !input.read_long(block_bytes_))
      return in_block(error(ErrorCode::kFileTruncated, "ends in the middle of a block"));
    if (left_ < 0 || block_bytes_ < 0 || block_bytes_ > kMaxBlockBytes)
      return in_block(
          error(ErrorCode::kMalformedFile, "a block of {} rows in {} bytes", left_, block_bytes_));
    data_ = block_ + static_cast<std::int64_t>(head.size() - input.left());
    next_block_ = data_ + block_bytes_ + static_cast<std::int64_t>(kSyncBytes);
    if (next_block_ > size_)
      return in_block(error(ErrorCode::kFileTruncated, "ends in the middle of a block"));
    std::string sync;
    TG_RETURN_IF_ERROR(read_at(data_ + block_bytes_, kSyncBytes, sync));
    if (sync != sync_)
      return in_block(error(ErrorCode::kMalformedFile, "no sync marker follows a block"));
    return true;
  }

  Status load_block() {
    std::string packed;
    TG_RETURN_IF_ERROR(read_at(data_, block_bytes_, packed));
    content_.clear();
    TG_RETURN_IF_ERROR(in_block(codec_->decompress(packed, content_)));
    input_ = AvroInput(content_);
    return Status::ok();
  }

  Status in_block(Status status) const {
    return status.is_ok() ? std::move(status)
                          : std::move(status).with_context(fmt::format("block at byte {}", block_));
  }

  std::shared_ptr<RandomAccessFile> file_;
  std::int64_t size_ = 0;
  ColumnBuilder rows_;
  std::unique_ptr<AvroSchema> schema_;
  std::optional<AvroCodec> codec_;
  std::optional<AvroReader> reader_;
  std::string sync_;

  // The block being read.
  std::int64_t block_ = 0;
  std::int64_t data_ = 0;
  std::int64_t block_bytes_ = 0;
  std::int64_t next_block_ = 0;
  std::int64_t left_ = 0;  // its rows that have not been read
  std::string content_;
  AvroInput input_{std::string_view()};
};

class AvroFileWriter final : public FileEncoder {
 public:
  AvroFileWriter(const LogicalType& row, AvroCodec codec, std::unique_ptr<WritableFile> file)
      : row_(row), codec_(std::move(codec)), file_(std::move(file)) {}

  Status begin(const std::string& schema, std::string_view codec) {
    // The same schema gives the same file, so that a run can be repeated.
    Random random(std::hash<std::string>()(schema));
    while (sync_.size() < kSyncBytes) sync_ += static_cast<char>(random.below(256));
    std::string header(kMagic);
    append_avro_long(2, header);
    for (const std::string_view text : {std::string_view("avro.schema"), std::string_view(schema),
                                        std::string_view("avro.codec"), codec}) {
      append_avro_long(static_cast<std::int64_t>(text.size()), header);
      header += text;
    }
    append_avro_long(0, header);
    return file_->append(std::string_view(header + sync_));
  }

  Status write(const Batch& batch) override {
    TG_RETURN_IF_ERROR(check_insert_only(batch, "avro"));
    row_.bind_columns(batch);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      TG_RETURN_IF_ERROR(row_.write(row, block_));
      ++num_rows_;
      if (block_.size() >= kBlockBytes) TG_RETURN_IF_ERROR(end_block());
    }
    return Status::ok();
  }

  Status close() override {
    if (num_rows_ > 0) TG_RETURN_IF_ERROR(end_block());
    TG_RETURN_IF_ERROR(file_->sync());
    return file_->close();
  }

 private:
  Status end_block() {
    std::string packed, out;
    TG_RETURN_IF_ERROR(codec_.compress(block_, packed));
    append_avro_long(num_rows_, out);
    append_avro_long(static_cast<std::int64_t>(packed.size()), out);
    out += packed;
    out += sync_;
    block_.clear();
    num_rows_ = 0;
    return file_->append(std::string_view(out));
  }

  AvroWriter row_;
  AvroCodec codec_;
  std::unique_ptr<WritableFile> file_;
  std::string sync_;
  std::string block_;
  std::int64_t num_rows_ = 0;
};

}  // namespace

Result<std::string> avro_schema_for(const Schema& schema, const Options& options) {
  TG_ASSIGN_OR_RETURN(const bool legacy,
                      options.get_bool_or("avro.timestamp_mapping.legacy", true));
  return avro_schema_of(row_type(schema), legacy);
}

Result<std::unique_ptr<FileDecoder>> open_avro(const DecodeRequest& request,
                                               std::shared_ptr<RandomAccessFile> file) {
  auto reader = std::make_unique<AvroFileReader>(std::move(file),
                                                 row_type(*request.schema, request.projection));
  TG_RETURN_IF_ERROR(reader->open());
  return reader;
}

Result<std::unique_ptr<FileEncoder>> create_avro(const SchemaPtr& schema, const Options& options,
                                                 std::unique_ptr<WritableFile> file) {
  const std::string name = options.get_string_or("avro.codec", "snappy");
  TG_ASSIGN_OR_RETURN(AvroCodec codec, AvroCodec::make(name));
  TG_ASSIGN_OR_RETURN(const std::string text, avro_schema_for(*schema, options));
  auto writer =
      std::make_unique<AvroFileWriter>(row_type(*schema), std::move(codec), std::move(file));
  TG_RETURN_IF_ERROR(writer->begin(text, name));
  return writer;
}

}  // namespace tidegate
