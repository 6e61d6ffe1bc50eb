// SPDX-License-Identifier: Apache-2.0
#include "connectors/filesystem/whole_file_reader.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <utility>

#include "base/check.h"

namespace tidegate {

namespace {

constexpr std::size_t kMaxBatchesAhead = 4;
constexpr std::int64_t kRowsPerBatch = 16 * 1024;

}  // namespace

struct WholeFileReader::Ahead {
  struct Rows {
    Batch batch;
    std::int64_t left_out = 0;  // in front of it
  };

  Ahead(OpenDecoder open_file, std::int64_t rows_to_skip, Waker wake)
      : open(std::move(open_file)), skip_rows(rows_to_skip), waker(std::move(wake)) {}

  Result<Batch> read() {
    if (decoder == nullptr) {
      TG_ASSIGN_OR_RETURN(decoder, open());
      TG_RETURN_IF_ERROR(decoder->skip(skip_rows));
    }
    return decoder->next(kRowsPerBatch);
  }

  // Reads until enough batches wait. Only one such run at a time: `running` says so.
  void run() {
    for (bool go_on = true; go_on;) {
      Result<Batch> batch = read();
      bool wake_now = false;
      {
        const std::lock_guard lock(mutex);
        ended = !batch.is_ok() || batch->empty();
        if (!batch.is_ok()) status = batch.status();
        if (!ended) ready.push_back({*std::move(batch), decoder->take_left_out()});
        wake_now = std::exchange(waiting, false);
        go_on = !ended && !cancelled && ready.size() < kMaxBatchesAhead;
        running = go_on;
      }
      if (wake_now) waker.wake();
    }
  }

  // Of the blocking thread.
  const OpenDecoder open;
  const std::int64_t skip_rows;
  std::unique_ptr<FileDecoder> decoder;
  const Waker waker;

  std::mutex mutex;
  std::deque<Rows> ready;
  Status status;  // why it ended
  bool ended = false;
  bool running = false;
  bool waiting = false;
  bool cancelled = false;
};

WholeFileReader::WholeFileReader(FileInfo file, OpenDecoder open, const MetadataColumns& metadata,
                                 std::int64_t skip_rows, SourceContext& context)
    : file_(std::move(file)),
      metadata_(metadata),
      executor_(context.executor()),
      ahead_(std::make_shared<Ahead>(std::move(open), skip_rows, context.waker())),
      rows_passed_(skip_rows) {}

WholeFileReader::~WholeFileReader() {
  const std::lock_guard lock(ahead_->mutex);
  ahead_->cancelled = true;
}

Result<Polled> WholeFileReader::poll(std::int64_t max_rows) {
  Polled polled;
  if (left_ == 0) {
    bool start = false;
    bool pending = false;
    {
      const std::lock_guard lock(ahead_->mutex);
      if (!ahead_->ready.empty()) {
        rows_ = std::move(ahead_->ready.front().batch);
        rows_passed_ += ahead_->ready.front().left_out;
        ahead_->ready.pop_front();
      } else if (!ahead_->status.is_ok()) {
        return Status(ahead_->status).with_context(fmt::format("file '{}'", file_.path));
      } else if (ahead_->ended) {
        polled.state = Polled::State::kEnd;
        return polled;
      } else {
        ahead_->waiting = pending = true;
      }
      start = !ahead_->running && !ahead_->ended;
      if (start) ahead_->running = true;
    }
    if (start) executor_.submit_blocking([ahead = ahead_] { ahead->run(); });
    if (pending) return polled;
    TG_ASSIGN_OR_RETURN(rows_, metadata_.complete(std::move(rows_), file_));
    left_ = rows_.num_rows();
  }
  const std::int64_t count = std::min(left_, std::max<std::int64_t>(1, max_rows));
  polled.state = Polled::State::kRows;
  polled.batch = rows_.slice(rows_.num_rows() - left_, count);
  left_ -= count;
  rows_passed_ += count;
  return polled;
}

}  // namespace tidegate
