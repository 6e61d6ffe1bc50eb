// SPDX-License-Identifier: Apache-2.0
#include "formats/arrow_file.h"

#include <arrow/buffer.h>
#include <arrow/result.h>

#include <span>
#include <utility>

namespace tidegate {

ArrowInputFile::ArrowInputFile(std::shared_ptr<tidegate::RandomAccessFile> file)
    : file_(std::move(file)) {}
ArrowInputFile::~ArrowInputFile() = default;

arrow::Status ArrowInputFile::Close() {
  closed_ = true;
  return arrow::Status::OK();
}

arrow::Status ArrowInputFile::Seek(std::int64_t position) {
  position_ = position;
  return arrow::Status::OK();
}

arrow::Result<std::int64_t> ArrowInputFile::GetSize() {
  Result<std::int64_t> size = file_->size();
  if (size.is_ok()) return *size;
  if (error_.is_ok()) error_ = size.status();
  return arrow::Status::IOError(size.status().message());
}

arrow::Result<std::int64_t> ArrowInputFile::ReadAt(std::int64_t position, std::int64_t nbytes,
                                                   void* out) {
  Result<std::size_t> got = file_->read_at(
      position, std::span(static_cast<std::byte*>(out), static_cast<std::size_t>(nbytes)));
  if (got.is_ok()) return static_cast<std::int64_t>(*got);
  if (error_.is_ok()) error_ = got.status();
  return arrow::Status::IOError(got.status().message());
}

arrow::Result<std::shared_ptr<arrow::Buffer>> ArrowInputFile::ReadAt(std::int64_t position,
                                                                     std::int64_t nbytes) {
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<arrow::ResizableBuffer> buffer,
                        arrow::AllocateResizableBuffer(nbytes));
  ARROW_ASSIGN_OR_RAISE(const std::int64_t got, ReadAt(position, nbytes, buffer->mutable_data()));
  ARROW_RETURN_NOT_OK(buffer->Resize(got));
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

arrow::Result<std::int64_t> ArrowInputFile::Read(std::int64_t nbytes, void* out) {
  ARROW_ASSIGN_OR_RAISE(const std::int64_t got, ReadAt(position_, nbytes, out));
  position_ += got;
  return got;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> ArrowInputFile::Read(std::int64_t nbytes) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer, ReadAt(position_, nbytes));
  position_ += buffer->size();
  return buffer;
}

ArrowOutputFile::ArrowOutputFile(std::unique_ptr<WritableFile> file) : file_(std::move(file)) {}
ArrowOutputFile::~ArrowOutputFile() = default;

arrow::Status ArrowOutputFile::Close() {
  closed_ = true;
  return arrow::Status::OK();
}

arrow::Status ArrowOutputFile::Write(const void* data, std::int64_t nbytes) {
  Status status = file_->append(
      std::span(static_cast<const std::byte*>(data), static_cast<std::size_t>(nbytes)));
  if (!status.is_ok()) {
    arrow::Status failed = arrow::Status::IOError(status.message());
    if (error_.is_ok()) error_ = std::move(status);
    return failed;
  }
  position_ += nbytes;
  return arrow::Status::OK();
}

}  // namespace tidegate
