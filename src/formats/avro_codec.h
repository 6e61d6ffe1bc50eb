// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/util/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tidegate/status.h"

namespace tidegate {

/// Compresses the blocks of Avro files: "null", "deflate" (without header), "snappy" (with a
/// CRC-32 of the content behind it), "zstandard". One per thread.
class AvroCodec {
 public:
  /// kNotSupported for other names.
  static Result<AvroCodec> make(std::string_view name);
  AvroCodec(AvroCodec&&) noexcept;
  AvroCodec& operator=(AvroCodec&&) noexcept;
  ~AvroCodec();

  /// Both append to `out`.
  Status compress(std::string_view block, std::string& out);
  /// kMalformedFile when the block is damaged, kLimitExceeded when it becomes too large.
  Status decompress(std::string_view block, std::string& out);

 private:
  AvroCodec();
  Status decompress_stream(std::string_view block, std::string& out);
  Status decompress_snappy(std::string_view block, std::string& out);

  std::string name_;
  std::unique_ptr<arrow::util::Codec> codec_;  // null: none
};

/// CRC-32 as in zip files.
std::uint32_t crc32(std::string_view bytes);

}  // namespace tidegate
