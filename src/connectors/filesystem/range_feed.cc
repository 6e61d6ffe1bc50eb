// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "base/check.h"
#include "connectors/filesystem/block_feed.h"

namespace tidegate {

namespace {

constexpr std::int64_t kReadOnBytes = std::int64_t{64} << 10;

std::span<std::byte> bytes_of(ByteBuffer& buffer, std::int64_t begin, std::int64_t end) {
  return std::as_writable_bytes(
      std::span(buffer.data.get() + begin, static_cast<std::size_t>(end - begin)));
}

class RangeFeed final : public BlockFeed {
 public:
  RangeFeed(std::shared_ptr<RandomAccessFile> file, std::int64_t size, const FeedOptions& options,
            std::shared_ptr<BufferPool> pool)
      : file_(std::move(file)),
        size_(size),
        options_(options),
        pool_(std::move(pool)),
        next_(options.offset) {}

  State next(BlockPtr& block) override {
    if (next_ >= size_) return State::kEnd;
    block = std::make_shared<Block>();
    block->offset = next_;
    next_ = std::min(size_, next_ + options_.block_bytes);
    block->end = next_;
    return State::kBlock;
  }

  Status load(Block& block) override {
    // A line begins in this range when the newline before it is at its first byte but one or later.
    const std::int64_t from = block.offset == 0 ? 0 : block.offset - 1;
    std::int64_t have = block.end - from;
    block.buffer = pool_->take();
    block.buffer.reserve(static_cast<std::size_t>(have + kReadOnBytes));
    TG_RETURN_IF_ERROR(read_exactly(*file_, from, bytes_of(block.buffer, 0, have)));

    std::int64_t begin = 0;
    if (block.offset > 0) {
      begin = find_newline(block.buffer, 0, have) + 1;
      // All of the range is inside a line, or the next line begins behind it.
      if (begin == 0 || begin == have) return Status::ok();
    }
    std::int64_t end = have;
    if (block.buffer.data[static_cast<std::size_t>(have - 1)] != '\n') {
      TG_ASSIGN_OR_RETURN(end, complete_last_line(block, from, begin, have));
    }
    block.records = {block.buffer.data.get() + begin, static_cast<std::size_t>(end - begin)};
    block.records_offset = from + begin;
    return Status::ok();
  }

 private:
  static std::int64_t find_newline(const ByteBuffer& buffer, std::int64_t begin, std::int64_t end) {
    const char* const data = buffer.data.get();
    const void* found = std::memchr(data + begin, '\n', static_cast<std::size_t>(end - begin));
    return found == nullptr ? -1 : static_cast<const char*>(found) - data;
  }

  // Reads on behind the range until its last line ends, and returns where that is; or sets the line
  // down as too long and returns where it begins.
  Result<std::int64_t> complete_last_line(Block& block, std::int64_t from, std::int64_t begin,
                                          std::int64_t have) {
    const std::string_view all(block.buffer.data.get(), static_cast<std::size_t>(have));
    const std::size_t newline = all.rfind('\n');
    const std::int64_t line_begin = std::max(
        begin, newline == std::string_view::npos ? 0 : static_cast<std::int64_t>(newline) + 1);
    std::int64_t step = kReadOnBytes;
    while (from + have < size_) {
      if (have - line_begin > options_.max_record_bytes) {
        const auto kept = std::min<std::int64_t>(have - line_begin, kMaxKeptBytes);
        block.too_long.emplace(KeptRecord{
            error(ErrorCode::kRecordTooLarge, "more bytes than the limit of {}",
                  options_.max_record_bytes),
            from + line_begin, 0,
            std::string(block.buffer.data.get() + line_begin, static_cast<std::size_t>(kept))});
        return line_begin;
      }
      const std::int64_t more = std::min(step, size_ - from - have);
      block.buffer.reserve(static_cast<std::size_t>(have + more), static_cast<std::size_t>(have));
      TG_RETURN_IF_ERROR(
          read_exactly(*file_, from + have, bytes_of(block.buffer, have, have + more)));
      const std::int64_t found = find_newline(block.buffer, have, have + more);
      have += more;
      if (found >= 0) return found + 1;
      step *= 2;
    }
    return have;
  }

  std::shared_ptr<RandomAccessFile> file_;
  const std::int64_t size_;
  const FeedOptions options_;
  std::shared_ptr<BufferPool> pool_;
  std::int64_t next_;
};

}  // namespace

std::unique_ptr<BlockFeed> make_range_feed(std::shared_ptr<RandomAccessFile> file,
                                           std::int64_t size, const FeedOptions& options,
                                           std::shared_ptr<BufferPool> pool) {
  return std::make_unique<RangeFeed>(std::move(file), size, options, std::move(pool));
}

}  // namespace tidegate
