// SPDX-License-Identifier: Apache-2.0
#include "formats/avro_codec.h"

#include <arrow/result.h>
#include <arrow/util/compression.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/check.h"
#include "formats/text_value.h"
#include "types/arrow_status.h"

namespace tidegate {

namespace {

/// Blocks are some tens of kilobytes; a few bytes that unpack to more than this are an attack.
constexpr std::size_t kMaxBlockBytes = std::size_t{1} << 30;
constexpr std::size_t kStepBytes = std::size_t{256} << 10;
constexpr std::size_t kChecksumBytes = 4;

constexpr std::array<std::uint32_t, 256> kCrcTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320U : 0U);
    table[i] = crc;
  }
  return table;
}();

const std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

Status too_large() {
  return error(ErrorCode::kLimitExceeded, "a block unpacks to more than {} bytes", kMaxBlockBytes);
}

Status damaged(const arrow::Status& status) {
  return from_arrow_status(status, "unpack a block", ErrorCode::kMalformedFile);
}

}  // namespace

std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const char c : bytes)
    crc = crc >> 8 ^ kCrcTable[(crc ^ static_cast<std::uint8_t>(c)) & 0xff];
  return ~crc;
}

AvroCodec::AvroCodec() = default;
AvroCodec::AvroCodec(AvroCodec&&) noexcept = default;
AvroCodec& AvroCodec::operator=(AvroCodec&&) noexcept = default;
AvroCodec::~AvroCodec() = default;

Result<AvroCodec> AvroCodec::make(std::string_view name) {
  AvroCodec codec;
  codec.name_ = name;
  if (name == "null") return codec;
  arrow::util::GZipCodecOptions deflate;
  deflate.gzip_format = arrow::util::GZipFormat::DEFLATE;
  arrow::Result<std::unique_ptr<arrow::util::Codec>> made;
  if (name == "deflate") {
    made = arrow::util::Codec::Create(arrow::Compression::GZIP, deflate);
  } else if (name == "snappy") {
    made = arrow::util::Codec::Create(arrow::Compression::SNAPPY);
  } else if (name == "zstandard") {
    made = arrow::util::Codec::Create(arrow::Compression::ZSTD);
  } else {
    return error(ErrorCode::kNotSupported,
                 "avro: the codec {}; there are null, deflate, snappy and zstandard",
                 quoted_excerpt(name));
  }
  if (!made.ok()) return from_arrow_status(made.status(), "avro codec", ErrorCode::kNotSupported);
  codec.codec_ = std::move(made).ValueUnsafe();
  return codec;
}

Status AvroCodec::compress(std::string_view block, std::string& out) {
  if (codec_ == nullptr) {
    out += block;
    return Status::ok();
  }
  const std::size_t begin = out.size();
  const auto size = static_cast<std::int64_t>(block.size());
  const std::int64_t bound = codec_->MaxCompressedLen(size, bytes_of(block));
  out.resize(begin + static_cast<std::size_t>(bound));
  auto written = codec_->Compress(size, bytes_of(block), bound,
                                  reinterpret_cast<std::uint8_t*>(out.data()) + begin);
  if (!written.ok()) return from_arrow_status(written.status(), "pack a block");
  out.resize(begin + static_cast<std::size_t>(*written));
  if (name_ == "snappy") {
    const std::uint32_t crc = crc32(block);
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(crc >> shift);
  }
  return Status::ok();
}

Status AvroCodec::decompress(std::string_view block, std::string& out) {
  if (codec_ == nullptr) {
    out += block;
    return Status::ok();
  }
  return name_ == "snappy" ? decompress_snappy(block, out) : decompress_stream(block, out);
}

Status AvroCodec::decompress_snappy(std::string_view block, std::string& out) {
  const auto corrupt = [] { return error(ErrorCode::kMalformedFile, "a block is damaged"); };
  // Snappy's own header is the size, seven bits a byte.
  std::size_t size = 0;
  int shift = 0;
  std::size_t at = 0;
  for (;; ++at, shift += 7) {
    if (at + kChecksumBytes >= block.size() || shift > 28) return corrupt();
    const auto byte = static_cast<std::uint8_t>(block[at]);
    size |= static_cast<std::size_t>(byte & 0x7fU) << shift;
    if (byte < 0x80) break;
  }
  if (size > kMaxBlockBytes) return too_large();
  std::uint32_t crc = 0;
  for (const char c : block.substr(block.size() - kChecksumBytes))
    crc = crc << 8 | static_cast<std::uint8_t>(c);
  block.remove_suffix(kChecksumBytes);
  const std::size_t begin = out.size();
  out.resize(begin + size);
  auto written = codec_->Decompress(static_cast<std::int64_t>(block.size()), bytes_of(block),
                                    static_cast<std::int64_t>(size),
                                    reinterpret_cast<std::uint8_t*>(out.data()) + begin);
  if (!written.ok()) return damaged(written.status());
  if (*written != static_cast<std::int64_t>(size) ||
      crc32(std::string_view(out).substr(begin)) != crc)
    return corrupt();
  return Status::ok();
}

Status AvroCodec::decompress_stream(std::string_view block, std::string& out) {
  auto made = codec_->MakeDecompressor();
  if (!made.ok()) return damaged(made.status());
  arrow::util::Decompressor& stream = **made;
  std::size_t size = out.size();
  const std::size_t begin = size;
  while (!stream.IsFinished()) {
    if (size - begin > kMaxBlockBytes) return too_large();
    out.resize(size + kStepBytes);
    auto step = stream.Decompress(static_cast<std::int64_t>(block.size()), bytes_of(block),
                                  static_cast<std::int64_t>(kStepBytes),
                                  reinterpret_cast<std::uint8_t*>(out.data()) + size);
    if (!step.ok()) return damaged(step.status());
    block.remove_prefix(static_cast<std::size_t>(step->bytes_read));
    size += static_cast<std::size_t>(step->bytes_written);
    if (step->bytes_read == 0 && step->bytes_written == 0)
      return error(ErrorCode::kMalformedFile, "a block is damaged");
  }
  out.resize(size);
  return Status::ok();
}

}  // namespace tidegate
