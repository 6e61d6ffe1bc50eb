// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/file_system.h"
#include "formats/format.h"
#include "tidegate/status.h"

namespace tidegate {

/// A file that a sink is writing, under the name that hides it. Its calls are operations of one
/// SerialIo, in order; num_bytes() may be asked at any time.
class PartFile {
 public:
  using MakeEncoder =
      std::function<Result<std::unique_ptr<FileEncoder>>(std::unique_ptr<WritableFile>)>;

  PartFile(FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}
  ~PartFile();

  const std::string& path() const { return path_; }
  /// Bytes in the file so far.
  std::int64_t num_bytes() const { return num_bytes_.load(std::memory_order_relaxed); }

  /// Creates the file; with `make_encoder` for write() of batches, else for append().
  Status create(const MakeEncoder& make_encoder);
  Status append(const std::string& bytes);
  Status write(const Batch& batch);
  /// Everything is on the disk after this.
  Status finish();
  /// Forgets and removes the file. Best effort, since what is left is hidden.
  Status discard();

 private:
  class Counted;

  FileSystem& files_;
  const std::string path_;
  std::atomic<std::int64_t> num_bytes_{0};
  std::unique_ptr<WritableFile> file_;
  std::unique_ptr<FileEncoder> encoder_;
};

}  // namespace tidegate
