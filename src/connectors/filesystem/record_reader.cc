// SPDX-License-Identifier: Apache-2.0
#include "connectors/filesystem/record_reader.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <deque>
#include <mutex>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/metrics.h"
#include "connectors/filesystem/dead_letters.h"
#include "connectors/filesystem/decompressor.h"

namespace tidegate {

namespace {

/// Decodes blocks; shared by all threads that do. Outlives the reader while there is work out.
class BlockDecoder {
 public:
  BlockDecoder(std::shared_ptr<const RecordReading> reading, std::shared_ptr<BufferPool> pool)
      : reading_(std::move(reading)), pool_(std::move(pool)) {}

  /// Loads and decodes a block that the caller has claimed.
  void run(BlockFeed& feed, Block& block) {
    if (block.status.is_ok()) block.status = decode(feed, block);
    pool_->give(std::exchange(block.buffer, {}));
    block.records = {};
    block.state = Block::State::kDone;
  }

 private:
  Status decode(BlockFeed& feed, Block& block) {
    TG_RETURN_IF_ERROR(feed.load(block));
    if (!block.records.empty()) {
      TG_ASSIGN_OR_RETURN(std::unique_ptr<Decoder> decoder, take_decoder());
      const std::int64_t lines = decoder->num_lines();
      const Status decoded = decoder->decode(block.records, [&](const BadRecord& bad) {
        return keep(block, {bad.reason, block.records_offset + bad.offset, bad.line,
                            std::string(bad.bytes.substr(0, kMaxKeptBytes))});
      });
      block.num_lines = decoder->num_lines() - lines;
      TG_ASSIGN_OR_RETURN(block.rows, decoder->take());
      give_decoder(std::move(decoder));
      TG_RETURN_IF_ERROR(decoded);
    }
    if (!block.too_long) return Status::ok();
    block.too_long->line = block.num_lines++;
    return keep(block, std::move(*block.too_long));
  }

  // By the policy; for kFail the record stays in the block, and decoding stops.
  Status keep(Block& block, KeptRecord record) const {
    ++block.num_bad;
    if (reading_->policy == RecordErrorPolicy::kSkip) return Status::ok();
    block.bad.push_back(std::move(record));
    if (reading_->policy == RecordErrorPolicy::kFail) return block.bad.back().reason;
    return Status::ok();
  }

  Result<std::unique_ptr<Decoder>> take_decoder() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        std::unique_ptr<Decoder> decoder = std::move(idle_.back());
        idle_.pop_back();
        return decoder;
      }
    }
    return reading_->make_decoder();
  }

  void give_decoder(std::unique_ptr<Decoder> decoder) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(decoder));
  }

  std::shared_ptr<const RecordReading> reading_;
  std::shared_ptr<BufferPool> pool_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Decoder>> idle_;
};

/// What the reader shares with work on other threads, which may outlive it.
struct Shared {
  Shared(std::shared_ptr<const RecordReading> reading, std::shared_ptr<BufferPool> pool, Waker wake)
      : decoder(std::move(reading), std::move(pool)), waker(std::move(wake)) {}

  std::shared_ptr<BlockFeed> feed;
  BlockDecoder decoder;
  Waker waker;
  std::atomic<bool> waiting{false};  // the reader waits for something that is being worked on
  std::atomic<bool> cancelled{false};

  void wake_reader() {
    if (waiting.exchange(false)) waker.wake();
  }
};

/// Twice the workers, so that none waits for this reader, as far as memory allows. Just one when it
/// is decoded here.
int most_blocks_out(int parallelism, std::int64_t block_bytes) {
  constexpr std::int64_t kMaxBytesOut = std::int64_t{64} << 20;
  if (parallelism == 1) return 1;
  const std::int64_t affordable = std::max<std::int64_t>(2, kMaxBytesOut / block_bytes);
  return static_cast<int>(std::min<std::int64_t>(2 * parallelism, affordable));
}

class RecordReader final : public SplitReader {
 public:
  RecordReader(FileInfo file, FileSystem& files, std::shared_ptr<const RecordReading> reading,
               const MetadataColumns& metadata, const RecordPosition& position,
               std::shared_ptr<Shared> shared, SourceContext& context)
      : file_(std::move(file)),
        reading_(std::move(reading)),
        metadata_(metadata),
        shared_(std::move(shared)),
        executor_(context.executor()),
        bad_(context.metrics().counter("rows_bad")),
        bytes_(context.metrics().counter("bytes_in")),
        max_out_(most_blocks_out(executor_.parallelism(), reading_->block_bytes)),
        position_(position),
        skip_rows_(position.row),
        letters_(reading_->dead_letter_path, file_.path, files, executor_, context.waker()) {}

  ~RecordReader() override { shared_->cancelled = true; }

  // While dead letters are not on the disk, it is the block of the first of them where to go on, so
  // that they are found again.
  std::string position() const override {
    RecordPosition position = position_;
    if (letters_.pending()) {
      position = letters_.begin();
      position.row = rows_since_letters_;
    }
    return position.to_string();
  }

  Result<Polled> poll(std::int64_t max_rows) override {
    for (;;) {
      if (left_ > 0) return next_rows(max_rows);
      if (current_ != nullptr) leave_block();
      TG_ASSIGN_OR_RETURN(const State state, enter_block());
      if (state == State::kEntered) continue;
      Polled polled;
      polled.state = state == State::kEnd ? Polled::State::kEnd : Polled::State::kPending;
      return polled;
    }
  }

 private:
  enum class State : std::uint8_t { kEntered, kPending, kEnd };

  Result<Polled> next_rows(std::int64_t max_rows) {
    Polled polled;
    polled.state = Polled::State::kRows;
    const std::int64_t count = std::min(left_, std::max<std::int64_t>(1, max_rows));
    polled.batch = rows_.slice(rows_.num_rows() - left_, count);
    left_ -= count;
    position_.row += count;
    rows_since_letters_ += count;
    if (left_ == 0) leave_block();
    return polled;
  }

  void leave_block() {
    position_ = {current_->end, 0, position_.line + current_->num_lines};
    bytes_.add(current_->end - current_->offset);
    current_ = nullptr;
    rows_ = {};
  }

  // Makes the next block the current one.
  Result<State> enter_block() {
    if (letters_.is_due(position_.offset)) {
      TG_ASSIGN_OR_RETURN(const bool written, letters_.write());
      if (!written) return State::kPending;
    }
    TG_ASSIGN_OR_RETURN(BlockPtr block, next_done());
    if (block == nullptr) {
      if (!at_end_ || !out_.empty()) return State::kPending;
      TG_ASSIGN_OR_RETURN(const bool written, letters_.write());
      return written ? State::kEnd : State::kPending;
    }
    TG_RETURN_IF_ERROR(report(*block));
    current_ = std::move(block);
    TG_ASSIGN_OR_RETURN(rows_, metadata_.complete(std::move(current_->rows), file_));
    const std::int64_t skipped = std::min(skip_rows_, rows_.num_rows());
    skip_rows_ -= skipped;
    position_.row = skipped;
    rows_since_letters_ += skipped;
    left_ = rows_.num_rows() - skipped;
    return State::kEntered;
  }

  // The first block that is out, once it is decoded; null while it is not, and at the end.
  Result<BlockPtr> next_done() {
    send_out();
    if (out_.empty()) return BlockPtr();
    Block& first = *out_.front();
    // One that nobody has begun is done here and now, sooner than any worker could.
    if (first.claim()) {
      shared_->decoder.run(*shared_->feed, first);
    } else {
      shared_->waiting = true;
      if (!first.is_done()) return BlockPtr();
      shared_->waiting = false;
    }
    BlockPtr done = std::move(out_.front());
    out_.pop_front();
    send_out();
    return done;
  }

  // Keeps as many blocks out as there may be.
  void send_out() {
    while (!at_end_ && out_.size() < static_cast<std::size_t>(max_out_)) {
      BlockPtr block;
      const BlockFeed::State state = shared_->feed->next(block);
      at_end_ = state == BlockFeed::State::kEnd;
      if (state != BlockFeed::State::kBlock) return;
      out_.push_back(block);
      if (max_out_ == 1) return;
      executor_.submit([shared = shared_, block = std::move(block)] {
        if (shared->cancelled || !block->claim()) return;
        shared->decoder.run(*shared->feed, *block);
        shared->wake_reader();
      });
    }
  }

  // What went wrong with a block, and its bad records by the policy.
  Status report(Block& block) {
    if (!block.status.is_ok()) {
      if (reading_->policy == RecordErrorPolicy::kFail && !block.bad.empty()) {
        const KeptRecord& bad = block.bad.front();
        return at_record(bad.reason, file_.path, position_.line + bad.line + 1, bad.offset);
      }
      return std::move(block.status).with_context(fmt::format("file '{}'", file_.path));
    }
    if (block.num_bad == 0) return Status::ok();
    // In front of the place where to go on they have been counted by an earlier reader.
    if (skip_rows_ == 0) bad_.add(block.num_bad);
    if (reading_->policy != RecordErrorPolicy::kDeadLetter) return Status::ok();
    if (!letters_.pending()) rows_since_letters_ = 0;
    letters_.add({block.offset, 0, position_.line}, block.bad);
    return Status::ok();
  }

  const FileInfo file_;
  const std::shared_ptr<const RecordReading> reading_;
  const MetadataColumns metadata_;
  const std::shared_ptr<Shared> shared_;
  Executor& executor_;
  Counter& bad_;
  Counter& bytes_;
  const int max_out_;

  std::deque<BlockPtr> out_;  // blocks that are worked on, in the file's order
  bool at_end_ = false;       // no block will come after them
  BlockPtr current_;          // the one whose rows are being returned
  Batch rows_;
  std::int64_t left_ = 0;  // rows of it that were not
  RecordPosition position_;
  std::int64_t skip_rows_;  // returned by an earlier reader
  DeadLetters letters_;
  std::int64_t rows_since_letters_ = 0;  // behind letters_.begin()
};

}  // namespace

Result<std::unique_ptr<SplitReader>> open_record_reader(
    const std::string& path, FileSystem& files, std::shared_ptr<const RecordReading> reading,
    const MetadataColumns& metadata, const RecordPosition& position, SourceContext& context) {
  TG_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> opened, files.open(path));
  const std::shared_ptr<RandomAccessFile> file = std::move(opened);
  TG_ASSIGN_OR_RETURN(FileInfo info, files.stat(path));
  TG_ASSIGN_OR_RETURN(info.size_bytes, file->size());
  char magic[8];
  TG_ASSIGN_OR_RETURN(const std::size_t got,
                      file->read_at(0, std::as_writable_bytes(std::span(magic))));
  TG_ASSIGN_OR_RETURN(const Compression compression,
                      detect_compression(path, std::string_view(magic, got)));
  if (compression == Compression::kNone && position.offset > info.size_bytes) {
    return error(ErrorCode::kFileTruncated, "has {} bytes, and {} of it were read before",
                 info.size_bytes, position.offset);
  }

  auto pool = std::make_shared<BufferPool>();
  const auto shared = std::make_shared<Shared>(reading, pool, context.waker());
  FeedOptions options;
  options.block_bytes = reading->block_bytes;
  options.max_record_bytes = reading->max_record_bytes;
  options.offset = position.offset;
  options.max_ahead =
      std::max(2, most_blocks_out(context.executor().parallelism(), reading->block_bytes));
  options.skip_header = reading->has_header;
  if (compression == Compression::kNone && reading->make_splitter == nullptr &&
      !reading->has_header) {
    shared->feed = make_range_feed(file, info.size_bytes, options, pool);
  } else {
    std::unique_ptr<RecordSplitter> splitter;
    if (reading->make_splitter != nullptr) {
      TG_ASSIGN_OR_RETURN(splitter, reading->make_splitter());
    }
    shared->feed = make_stream_feed(
        [file, size = info.size_bytes, compression, offset = position.offset] {
          return open_byte_stream(file, size, compression, offset);
        },
        std::move(splitter), options, pool, context.executor(),
        // By the waker and not the flag: the reader may wait for this without having set it.
        [waker = context.waker()] { waker.wake(); });
  }
  return std::make_unique<RecordReader>(std::move(info), files, std::move(reading), metadata,
                                        position, shared, context);
}

}  // namespace tidegate
