// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>

#include "base/file_system.h"
#include "tidegate/status.h"

namespace tidegate {

/// Our files for libraries that take Arrow's. An error of the file is kept, since Arrow's statuses
/// cannot carry our codes: after a failed call of such a library, ask error() first.
class ArrowInputFile final : public arrow::io::RandomAccessFile {
 public:
  explicit ArrowInputFile(std::shared_ptr<tidegate::RandomAccessFile> file);
  ~ArrowInputFile() override;

  /// The first error of the file, or ok.
  const Status& error() const { return error_; }

  arrow::Status Close() override;
  bool closed() const override { return closed_; }
  arrow::Result<std::int64_t> Tell() const override { return position_; }
  arrow::Status Seek(std::int64_t position) override;
  arrow::Result<std::int64_t> GetSize() override;
  arrow::Result<std::int64_t> Read(std::int64_t nbytes, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(std::int64_t nbytes) override;
  arrow::Result<std::int64_t> ReadAt(std::int64_t position, std::int64_t nbytes,
                                     void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(std::int64_t position,
                                                       std::int64_t nbytes) override;

 private:
  std::shared_ptr<tidegate::RandomAccessFile> file_;
  std::int64_t position_ = 0;
  bool closed_ = false;
  Status error_;
};

class ArrowOutputFile final : public arrow::io::OutputStream {
 public:
  explicit ArrowOutputFile(std::unique_ptr<WritableFile> file);
  ~ArrowOutputFile() override;

  const Status& error() const { return error_; }
  WritableFile& file() { return *file_; }

  /// Leaves the file open: whoever has it syncs and closes it.
  arrow::Status Close() override;
  bool closed() const override { return closed_; }
  arrow::Result<std::int64_t> Tell() const override { return position_; }
  arrow::Status Write(const void* data, std::int64_t nbytes) override;

 private:
  std::unique_ptr<WritableFile> file_;
  std::int64_t position_ = 0;
  bool closed_ = false;
  Status error_;
};

}  // namespace tidegate
