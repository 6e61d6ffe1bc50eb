// SPDX-License-Identifier: Apache-2.0
#include "connectors/filesystem/decompressor.h"

#include <arrow/result.h>
#include <arrow/util/compression.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "types/arrow_status.h"

namespace tidegate {

namespace {

using namespace std::string_view_literals;

struct Known {
  std::string_view name;
  std::string_view magic;
  std::string_view extensions[2];
  Compression compression;  // kNone: not read
};

constexpr Known kKnown[] = {
    {"gzip", "\x1f\x8b"sv, {".gz", ".gzip"}, Compression::kGzip},
    {"zstd", "\x28\xb5\x2f\xfd"sv, {".zst", ".zstd"}, Compression::kZstd},
    {"bzip2", "BZh"sv, {".bz2", ".bzip2"}, Compression::kNone},
    {"xz", "\xfd\x37zXZ"sv, {".xz", ".lzma"}, Compression::kNone},
    {"lz4", "\x04\x22\x4d\x18"sv, {".lz4", ".lz4"}, Compression::kNone},
    {"zip", "PK\x03\x04"sv, {".zip", ".zip"}, Compression::kNone},
};

}  // namespace

Result<Compression> detect_compression(std::string_view path, std::string_view first_bytes) {
  for (const Known& known : kKnown) {
    const bool named = path.ends_with(known.extensions[0]) || path.ends_with(known.extensions[1]);
    const bool begins = first_bytes.starts_with(known.magic);
    if (!named && !begins) continue;
    if (known.compression == Compression::kNone)
      return Status(ErrorCode::kNotSupported, fmt::format("is compressed with {}", known.name),
                    "Compress the file with gzip or zstd, or not at all.");
    if (begins) return known.compression;
    if (first_bytes.empty())
      return error(ErrorCode::kFileTruncated, "is named as a {} file and is empty", known.name);
    return error(ErrorCode::kMalformedFile, "is named as a {} file and is none", known.name);
  }
  return Compression::kNone;
}

StreamDecompressor::StreamDecompressor(Compression compression) {
  auto codec = arrow::util::Codec::Create(
      compression == Compression::kGzip ? arrow::Compression::GZIP : arrow::Compression::ZSTD);
  TG_CHECK(codec.ok(), "{}", codec.status().message());
  auto decompressor = (*codec)->MakeDecompressor();
  TG_CHECK(decompressor.ok(), "{}", decompressor.status().message());
  decompressor_ = std::move(decompressor).ValueUnsafe();
}

StreamDecompressor::~StreamDecompressor() = default;

Result<StreamDecompressor::Step> StreamDecompressor::decompress(std::span<const std::byte> input,
                                                                std::span<std::byte> output) {
  Step step;
  while (step.taken < input.size() && step.written < output.size()) {
    const std::byte* const from = input.data() + step.taken;
    const std::size_t left = input.size() - step.taken;
    if (at_member_end_) {
      // Files padded with zeros to a block size are read by everyone.
      const bool padding = any_member_ && std::all_of(from, from + left, [](std::byte b) {
                             return b == std::byte{0};
                           });
      if (padding) return Step{input.size(), step.written};
      if (any_member_) TG_RETURN_IF_ARROW_ERROR(decompressor_->Reset(), "decompress");
      at_member_end_ = false;
      any_member_ = true;
    }
    auto done = decompressor_->Decompress(
        static_cast<std::int64_t>(left), reinterpret_cast<const std::uint8_t*>(from),
        static_cast<std::int64_t>(output.size() - step.written),
        reinterpret_cast<std::uint8_t*>(output.data() + step.written));
    if (!done.ok())
      return error(ErrorCode::kMalformedFile, "its compressed content is damaged: {}",
                   done.status().message());
    step.taken += static_cast<std::size_t>(done->bytes_read);
    step.written += static_cast<std::size_t>(done->bytes_written);
    at_member_end_ = decompressor_->IsFinished();
    if (done->bytes_read == 0 && done->bytes_written == 0) break;
  }
  return step;
}

}  // namespace tidegate
