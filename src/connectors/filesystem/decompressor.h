// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/type_fwd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "tidegate/status.h"

namespace arrow::util {
class Decompressor;
}

namespace tidegate {

enum class Compression : std::uint8_t { kNone, kGzip, kZstd };

/// By the first bytes of a file, which must agree with what its name says. kMalformedFile when they
/// do not, kFileTruncated for a compressed file without any byte, kNotSupported for formats that
/// are known but not read.
Result<Compression> detect_compression(std::string_view path, std::string_view first_bytes);

/// Decompresses a stream that may consist of several members one after another, as gzip and zstd
/// files may.
class StreamDecompressor {
 public:
  explicit StreamDecompressor(Compression compression);
  ~StreamDecompressor();

  struct Step {
    std::size_t taken = 0;    ///< bytes of the input
    std::size_t written = 0;  ///< bytes of the output
  };
  /// Decompresses some; call again with the rest of the input, or more of it when nothing happened.
  Result<Step> decompress(std::span<const std::byte> input, std::span<std::byte> output);
  /// True when the input may end here.
  bool at_member_end() const { return at_member_end_; }

 private:
  std::shared_ptr<arrow::util::Decompressor> decompressor_;
  bool at_member_end_ = true;
  bool any_member_ = false;
};

}  // namespace tidegate
