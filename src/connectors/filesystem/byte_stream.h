// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/file_system.h"
#include "connectors/filesystem/decompressor.h"
#include "tidegate/status.h"

namespace tidegate {

/// A file's content from front to end, decompressed. Blocking.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  /// Fills `out` but for the end of the content. kFileTruncated when the file ends too early.
  virtual Result<std::size_t> read(std::span<std::byte> out) = 0;
};

/// The content from byte `offset` of the decompressed content on; `size` is the file's, and what is
/// written behind it later is not read.
Result<std::unique_ptr<ByteStream>> open_byte_stream(std::shared_ptr<RandomAccessFile> file,
                                                     std::int64_t size, Compression compression,
                                                     std::int64_t offset);

/// Reads exactly `out`; kFileTruncated when the file has become shorter than it was.
Status read_exactly(RandomAccessFile& file, std::int64_t offset, std::span<std::byte> out);

}  // namespace tidegate
