// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <utility>

#include "base/check.h"
#include "connectors/filesystem/block_feed.h"

namespace tidegate {

namespace {

/// Reads and cuts. One thread at a time.
class BlockCutter {
 public:
  BlockCutter(std::function<Result<std::unique_ptr<ByteStream>>()> open,
              std::unique_ptr<RecordSplitter> splitter, const FeedOptions& options,
              std::shared_ptr<BufferPool> pool)
      : open_(std::move(open)),
        splitter_(std::move(splitter)),
        options_(options),
        pool_(std::move(pool)),
        offset_(options.offset) {}

  /// The next block; null at the end.
  Result<BlockPtr> cut() {
    if (stream_ == nullptr) {
      TG_ASSIGN_OR_RETURN(stream_, open_());
      if (options_.skip_header && options_.offset == 0) TG_RETURN_IF_ERROR(skip_header());
    }
    std::size_t want = static_cast<std::size_t>(options_.block_bytes);
    for (;;) {
      TG_RETURN_IF_ERROR(fill(want));
      if (have_ == 0) return BlockPtr();
      const std::size_t whole = ended_ ? have_ : whole_records();
      if (whole > 0) return take(whole);
      if (have_ > static_cast<std::size_t>(options_.max_record_bytes)) return cut_endless_record();
      want = have_ * 2;
    }
  }

 private:
  std::string_view content() const { return {buffer_.data.get(), have_}; }

  std::size_t whole_records() {
    return splitter_ == nullptr ? content().rfind('\n') + 1 : splitter_->whole_records(content());
  }

  // Makes the buffer hold `bytes` of content, unless it ends.
  Status fill(std::size_t bytes) {
    if (buffer_.data == nullptr) buffer_ = pool_->take();
    buffer_.reserve(bytes, have_);
    while (have_ < bytes && !ended_) {
      TG_ASSIGN_OR_RETURN(const std::size_t got, stream_->read(std::as_writable_bytes(std::span(
                                                     buffer_.data.get() + have_, bytes - have_))));
      have_ += got;
      ended_ = have_ < bytes;
    }
    return Status::ok();
  }

  // A block of the first `bytes`; the rest is where the next one begins.
  BlockPtr take(std::size_t bytes) {
    auto block = std::make_shared<Block>();
    block->offset = offset_;
    offset_ += static_cast<std::int64_t>(bytes);
    block->end = offset_;
    ByteBuffer rest = pool_->take();
    rest.reserve(std::max(static_cast<std::size_t>(options_.block_bytes), have_ - bytes));
    std::memcpy(rest.data.get(), buffer_.data.get() + bytes, have_ - bytes);
    block->buffer = std::exchange(buffer_, std::move(rest));
    have_ -= bytes;
    block->records = {block->buffer.data.get(), bytes};
    block->records_offset = block->offset;
    return block;
  }

  // No record ends within the limit. The first line alone is given up: a quote that is never closed
  // must not take everything behind it along.
  Result<BlockPtr> cut_endless_record() {
    const std::size_t newline = content().find('\n');
    if (newline != std::string_view::npos) return take(newline + 1);
    auto block = std::make_shared<Block>();
    block->offset = offset_;
    block->too_long.emplace(
        KeptRecord{error(ErrorCode::kRecordTooLarge, "more bytes than the limit of {}",
                         options_.max_record_bytes),
                   offset_, 0, std::string(content().substr(0, kMaxKeptBytes))});
    std::size_t end = std::string_view::npos;
    while (end == std::string_view::npos && have_ > 0) {
      offset_ += static_cast<std::int64_t>(have_);
      have_ = 0;
      TG_RETURN_IF_ERROR(fill(static_cast<std::size_t>(options_.block_bytes)));
      end = content().find('\n');
    }
    if (end != std::string_view::npos) {
      have_ -= end + 1;
      offset_ += static_cast<std::int64_t>(end) + 1;
      std::memmove(buffer_.data.get(), buffer_.data.get() + end + 1, have_);
    }
    block->end = offset_;
    return block;
  }

  Status skip_header() {
    std::size_t want = static_cast<std::size_t>(options_.block_bytes);
    for (;;) {
      TG_RETURN_IF_ERROR(fill(want));
      const std::size_t newline = content().find('\n') + 1;
      const std::size_t header =
          splitter_ == nullptr ? newline : splitter_->first_record(content());
      if (header > 0 || ended_) {
        const std::size_t skipped = header > 0 ? header : have_;
        have_ -= skipped;
        offset_ += static_cast<std::int64_t>(skipped);
        std::memmove(buffer_.data.get(), buffer_.data.get() + skipped, have_);
        return Status::ok();
      }
      if (have_ > static_cast<std::size_t>(options_.max_record_bytes))
        return error(ErrorCode::kRecordTooLarge, "its header has more than {} bytes",
                     options_.max_record_bytes);
      want = have_ * 2;
    }
  }

  std::function<Result<std::unique_ptr<ByteStream>>()> open_;
  std::unique_ptr<RecordSplitter> splitter_;
  const FeedOptions options_;
  std::shared_ptr<BufferPool> pool_;
  std::unique_ptr<ByteStream> stream_;
  ByteBuffer buffer_;
  std::size_t have_ = 0;     // bytes in it
  std::int64_t offset_ = 0;  // of its first byte
  bool ended_ = false;
};

/// What a feed shares with its work on other threads, which may outlive it.
struct StreamState {
  StreamState(BlockCutter cutter_of_file, int most_ahead, std::function<void()> wake_reader)
      : cutter(std::move(cutter_of_file)), max_ahead(most_ahead), wake(std::move(wake_reader)) {}

  // Cuts until enough blocks wait. Only one such run at a time: `running` says so.
  void run() {
    for (bool go_on = true; go_on;) {
      Result<BlockPtr> cut = cutter.cut();
      bool wake_now = false;
      {
        const std::lock_guard lock(mutex);
        ended = !cut.is_ok() || *cut == nullptr;
        if (!cut.is_ok()) {
          auto failed = std::make_shared<Block>();
          failed->status = cut.status();
          ready.push_back(std::move(failed));
        } else if (!ended) {
          ready.push_back(*cut);
        }
        wake_now = std::exchange(waiting, false);
        go_on = !ended && !cancelled && ready.size() < static_cast<std::size_t>(max_ahead);
        running = go_on;
      }
      if (wake_now) wake();
    }
  }

  BlockCutter cutter;
  const int max_ahead;
  const std::function<void()> wake;
  std::mutex mutex;
  std::deque<BlockPtr> ready;
  bool running = false;
  bool waiting = false;  // the reader found nothing
  bool ended = false;
  bool cancelled = false;
};

class StreamFeed final : public BlockFeed {
 public:
  StreamFeed(BlockCutter cutter, int max_ahead, Executor& executor, std::function<void()> wake)
      : state_(std::make_shared<StreamState>(std::move(cutter), max_ahead, std::move(wake))),
        executor_(executor) {}

  ~StreamFeed() override {
    const std::lock_guard lock(state_->mutex);
    state_->cancelled = true;
  }

  State next(BlockPtr& block) override {
    bool start = false;
    State state = State::kBlock;
    {
      const std::lock_guard lock(state_->mutex);
      if (state_->ready.empty()) {
        if (state_->ended) return State::kEnd;
        state_->waiting = true;
        state = State::kPending;
      } else {
        block = std::move(state_->ready.front());
        state_->ready.pop_front();
      }
      start = !state_->running && !state_->ended;
      if (start) state_->running = true;
    }
    if (start) executor_.submit_blocking([state = state_] { state->run(); });
    return state;
  }

  Status load(Block&) override { return Status::ok(); }

 private:
  std::shared_ptr<StreamState> state_;
  Executor& executor_;
};

}  // namespace

std::unique_ptr<BlockFeed> make_stream_feed(
    std::function<Result<std::unique_ptr<ByteStream>>()> open,
    std::unique_ptr<RecordSplitter> splitter, const FeedOptions& options,
    std::shared_ptr<BufferPool> pool, Executor& executor, std::function<void()> wake) {
  return std::make_unique<StreamFeed>(
      BlockCutter(std::move(open), std::move(splitter), options, std::move(pool)),
      options.max_ahead, executor, std::move(wake));
}

}  // namespace tidegate
