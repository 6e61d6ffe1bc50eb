// SPDX-License-Identifier: Apache-2.0
#include "connectors/memory/memory.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "base/check.h"

namespace tidegate {

struct MemorySource::Content {
  std::mutex mutex;
  std::vector<Batch> batches;
  bool finished = false;
  Waker waker;  // of the reader that found nothing
};

class MemorySource::Reader final : public SplitReader {
 public:
  Reader(std::shared_ptr<Content> content, std::int64_t skip, Waker waker)
      : content_(std::move(content)), waker_(std::move(waker)), position_(skip), skip_(skip) {}

  std::string position() const override { return std::to_string(position_); }

  Status read_until(const std::string& end) override {
    limit_ = end.empty() ? std::numeric_limits<std::int64_t>::max() : std::stoll(end);
    return Status::ok();
  }

  Result<Polled> poll(std::int64_t max_rows) override {
    Polled polled;
    if (position_ >= limit_) {
      polled.state = Polled::State::kLimit;
      return polled;
    }
    max_rows = std::min(max_rows, limit_ - position_);
    const std::lock_guard lock(content_->mutex);
    for (; next_ < content_->batches.size(); ++next_, row_ = 0) {
      const Batch& batch = content_->batches[next_];
      const std::int64_t skipped = std::min(skip_, batch.num_rows() - row_);
      row_ += skipped;
      skip_ -= skipped;
      const std::int64_t count =
          std::min(batch.num_rows() - row_, std::max<std::int64_t>(1, max_rows));
      if (count == 0) continue;
      polled.state = Polled::State::kRows;
      polled.batch = batch.slice(row_, count);
      row_ += count;
      position_ += count;
      return polled;
    }
    if (content_->finished) {
      polled.state = Polled::State::kEnd;
    } else {
      content_->waker = waker_;
    }
    return polled;
  }

 private:
  std::shared_ptr<Content> content_;
  Waker waker_;
  std::int64_t position_;
  std::int64_t skip_;  // rows that an earlier reader returned
  std::int64_t limit_ = std::numeric_limits<std::int64_t>::max();
  std::size_t next_ = 0;
  std::int64_t row_ = 0;  // of the next batch
};

MemorySource::MemorySource(SchemaPtr schema, std::vector<std::vector<Batch>> splits)
    : schema_(std::move(schema)), bounded_(true) {
  for (std::vector<Batch>& batches : splits) {
    auto& content = splits_.emplace_back(std::make_shared<Content>());
    content->batches = std::move(batches);
    content->finished = true;
  }
}

MemorySource::MemorySource(SchemaPtr schema, int num_splits)
    : schema_(std::move(schema)), bounded_(false) {
  for (int i = 0; i < num_splits; ++i) splits_.push_back(std::make_shared<Content>());
}

MemorySource::~MemorySource() = default;

void MemorySource::push(int split, Batch batch) {
  Content& content = *splits_.at(static_cast<std::size_t>(split));
  Waker waker;
  {
    const std::lock_guard lock(content.mutex);
    TG_CHECK(!content.finished, "rows for split {} after its end", split);
    content.batches.push_back(std::move(batch));
    waker = std::exchange(content.waker, Waker());
  }
  waker.wake();
}

void MemorySource::finish() {
  for (const auto& content : splits_) {
    Waker waker;
    {
      const std::lock_guard lock(content->mutex);
      content->finished = true;
      waker = std::exchange(content->waker, Waker());
    }
    waker.wake();
  }
}

Result<Discovery> MemorySource::discover(const std::vector<std::string>& known) {
  Discovery discovery;
  const std::lock_guard lock(mutex_);
  found_.insert(known.begin(), known.end());
  for (std::size_t i = 0; i < splits_.size(); ++i) {
    if (found_.insert(std::to_string(i)).second)
      discovery.splits.push_back({std::to_string(i), ""});
  }
  return discovery;
}

Result<std::unique_ptr<SplitReader>> MemorySource::open_split(
    const Split& split, const std::optional<std::string>& position, SourceContext& context) {
  const auto number = [](const std::string& text) {
    std::int64_t value = -1;
    const char* const end = text.data() + text.size();
    return std::from_chars(text.data(), end, value).ptr == end ? value : -1;
  };
  const std::int64_t index = number(split.id);
  const std::int64_t skip = position ? number(*position) : 0;
  if (index < 0 || index >= static_cast<std::int64_t>(splits_.size()) || skip < 0) {
    return error(ErrorCode::kStateMismatch, "the source in memory has no split '{}' at '{}'",
                 split.id, position.value_or("0"));
  }
  return std::make_unique<Reader>(splits_[static_cast<std::size_t>(index)], skip, context.waker());
}

Result<BatchEnd> MemorySource::plan_end(const Split& split,
                                        const std::optional<std::string>& position,
                                        std::int64_t max_rows) {
  Content& content = *splits_.at(std::stoul(split.id));
  const std::lock_guard lock(content.mutex);
  std::int64_t end = 0;
  for (const Batch& batch : content.batches) end += batch.num_rows();
  const std::int64_t begin = position ? std::stoll(*position) : 0;
  if (content.finished && (max_rows == 0 || end - begin <= max_rows))
    return BatchEnd{std::nullopt, std::max<std::int64_t>(end - begin, 1)};
  if (max_rows > 0) end = std::min(end, begin + max_rows);
  return BatchEnd{std::to_string(end), end - begin};
}

struct CollectSink::State {
  std::mutex mutex;
  std::vector<Batch> written;
  std::map<std::pair<EpochId, int>, std::vector<Batch>> prepared;  // by epoch and subtask
  std::vector<Batch> committed;
};

class CollectSink::Writer final : public SinkWriter {
 public:
  Writer(std::shared_ptr<State> state, int subtask) : state_(std::move(state)), subtask_(subtask) {}

  Result<Progress> write(Batch batch) override {
    const std::lock_guard lock(state_->mutex);
    state_->written.push_back(batch);
    rows_.push_back(std::move(batch));
    return Progress::kDone;
  }

  Result<std::string> prepare(EpochId epoch) override {
    if (rows_.empty()) return std::string();
    const std::lock_guard lock(state_->mutex);
    state_->prepared[{epoch, subtask_}] = std::exchange(rows_, {});
    return std::to_string(subtask_);
  }

 private:
  std::shared_ptr<State> state_;
  const int subtask_;
  std::vector<Batch> rows_;  // of this epoch
};

CollectSink::CollectSink() : state_(std::make_shared<State>()) {}
CollectSink::~CollectSink() = default;

std::vector<Batch> CollectSink::written() const {
  const std::lock_guard lock(state_->mutex);
  return state_->written;
}

std::vector<Batch> CollectSink::committed() const {
  const std::lock_guard lock(state_->mutex);
  return state_->committed;
}

std::int64_t CollectSink::rows_written() const {
  const std::lock_guard lock(state_->mutex);
  std::int64_t rows = 0;
  for (const Batch& batch : state_->written) rows += batch.num_rows();
  return rows;
}

Result<std::unique_ptr<SinkWriter>> CollectSink::open_writer(OperatorContext& context) {
  return std::make_unique<Writer>(state_, context.subtask());
}

Status CollectSink::commit(EpochId epoch, const std::string& committable) {
  if (committable.empty()) return Status::ok();
  const std::lock_guard lock(state_->mutex);
  // What is not there any more has been committed by an earlier try.
  const auto found = state_->prepared.find({epoch, std::stoi(committable)});
  if (found == state_->prepared.end()) return Status::ok();
  for (Batch& batch : found->second) state_->committed.push_back(std::move(batch));
  state_->prepared.erase(found);
  return Status::ok();
}

Status CollectSink::abort(EpochId epoch, const std::string& committable) {
  if (committable.empty()) return Status::ok();
  const std::lock_guard lock(state_->mutex);
  state_->prepared.erase({epoch, std::stoi(committable)});
  return Status::ok();
}

}  // namespace tidegate
