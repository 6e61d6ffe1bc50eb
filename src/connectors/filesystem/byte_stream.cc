// SPDX-License-Identifier: Apache-2.0
#include "connectors/filesystem/byte_stream.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"

namespace tidegate {

namespace {

class PlainStream final : public ByteStream {
 public:
  PlainStream(std::shared_ptr<RandomAccessFile> file, std::int64_t size, std::int64_t offset)
      : file_(std::move(file)), size_(size), at_(offset) {}

  Result<std::size_t> read(std::span<std::byte> out) override {
    const auto left = static_cast<std::size_t>(std::max<std::int64_t>(0, size_ - at_));
    out = out.first(std::min(out.size(), left));
    TG_RETURN_IF_ERROR(read_exactly(*file_, at_, out));
    at_ += static_cast<std::int64_t>(out.size());
    return out.size();
  }

 private:
  std::shared_ptr<RandomAccessFile> file_;
  std::int64_t size_;
  std::int64_t at_;
};

class DecompressingStream final : public ByteStream {
 public:
  DecompressingStream(std::shared_ptr<RandomAccessFile> file, std::int64_t size,
                      Compression compression)
      : file_(std::move(file), size, 0), decompressor_(compression), buffer_(kBufferBytes) {}

  Result<std::size_t> read(std::span<std::byte> out) override {
    std::size_t filled = 0;
    while (filled < out.size()) {
      TG_ASSIGN_OR_RETURN(const StreamDecompressor::Step step,
                          decompressor_.decompress(input_, out.subspan(filled)));
      input_ = input_.subspan(step.taken);
      filled += step.written;
      if (step.taken > 0 || step.written > 0) continue;
      if (!input_.empty())
        return error(ErrorCode::kMalformedFile, "its compressed content makes no sense");
      TG_ASSIGN_OR_RETURN(const std::size_t got, file_.read(buffer_));
      if (got == 0) {
        if (decompressor_.at_member_end()) break;
        return error(ErrorCode::kFileTruncated,
                     "its compressed content ends in the middle, after {} bytes of text",
                     total_ + static_cast<std::int64_t>(filled));
      }
      input_ = std::span(buffer_).first(got);
    }
    total_ += static_cast<std::int64_t>(filled);
    return filled;
  }

 private:
  static constexpr std::size_t kBufferBytes = std::size_t{1} << 18;

  PlainStream file_;
  StreamDecompressor decompressor_;
  std::vector<std::byte> buffer_;
  std::span<const std::byte> input_;
  std::int64_t total_ = 0;
};

}  // namespace

Status read_exactly(RandomAccessFile& file, std::int64_t offset, std::span<std::byte> out) {
  while (!out.empty()) {
    TG_ASSIGN_OR_RETURN(const std::size_t got, file.read_at(offset, out));
    if (got == 0) {
      return error(ErrorCode::kFileTruncated,
                   "became shorter while it was read: nothing at byte {}", offset);
    }
    offset += static_cast<std::int64_t>(got);
    out = out.subspan(got);
  }
  return Status::ok();
}

Result<std::unique_ptr<ByteStream>> open_byte_stream(std::shared_ptr<RandomAccessFile> file,
                                                     std::int64_t size, Compression compression,
                                                     std::int64_t offset) {
  if (compression == Compression::kNone)
    return std::make_unique<PlainStream>(std::move(file), size, offset);
  auto stream = std::make_unique<DecompressingStream>(std::move(file), size, compression);
  // There is no other way to a place in compressed content.
  std::vector<std::byte> skipped(std::size_t{1} << 18);
  while (offset > 0) {
    const auto want =
        static_cast<std::size_t>(std::min(offset, static_cast<std::int64_t>(skipped.size())));
    TG_ASSIGN_OR_RETURN(const std::size_t got, stream->read(std::span(skipped).first(want)));
    if (got == 0)
      return error(ErrorCode::kFileTruncated, "ends {} bytes before the place to go on", offset);
    offset -= static_cast<std::int64_t>(got);
  }
  return stream;
}

}  // namespace tidegate
