// SPDX-License-Identifier: Apache-2.0
#include "api/test_source.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"

namespace tidegate {

struct TestSource::Log {
  std::vector<Polled> entries;
  bool ended = false;
  Waker waker;
};

class TestSource::Reader final : public SplitReader {
 public:
  Reader(std::shared_ptr<Log> log, std::size_t next) : log_(std::move(log)), next_(next) {}

  Result<Polled> poll(std::int64_t) override {
    if (next_ < log_->entries.size()) return log_->entries[next_++];
    Polled nothing;
    nothing.state = log_->ended ? Polled::State::kEnd : Polled::State::kPending;
    return nothing;
  }
  std::string position() const override { return std::to_string(next_); }

 private:
  std::shared_ptr<Log> log_;
  std::size_t next_;
};

TestSource::TestSource(SchemaPtr schema, int splits) : schema_(std::move(schema)) {
  for (int i = 0; i < splits; ++i) logs_.push_back(std::make_shared<Log>());
}

TestSource::~TestSource() = default;

Result<Discovery> TestSource::discover(const std::vector<std::string>& known) {
  Discovery found;
  for (std::size_t i = 0; i < logs_.size(); ++i) {
    const std::string id = std::to_string(i);
    if (std::find(known.begin(), known.end(), id) == known.end()) found.splits.push_back({id, ""});
  }
  return found;
}

Result<std::unique_ptr<SplitReader>> TestSource::open_split(
    const Split& split, const std::optional<std::string>& position, SourceContext& context) {
  const std::shared_ptr<Log>& log = logs_[std::stoul(split.id)];
  log->waker = context.waker();
  return std::unique_ptr<SplitReader>(
      std::make_unique<Reader>(log, position ? std::stoul(*position) : 0));
}

void TestSource::push(int split, Batch batch) {
  Polled entry;
  entry.state = Polled::State::kRows;
  entry.batch = std::move(batch);
  Log& log = *logs_[static_cast<std::size_t>(split)];
  log.entries.push_back(std::move(entry));
  log.waker.wake();
}

void TestSource::advance_event_time(int split, EventTime watermark) {
  Polled entry;
  entry.state = Polled::State::kRows;
  entry.watermark = watermark;
  Log& log = *logs_[static_cast<std::size_t>(split)];
  log.entries.push_back(std::move(entry));
  log.waker.wake();
}

void TestSource::end() {
  for (const std::shared_ptr<Log>& log : logs_) {
    log->ended = true;
    log->waker.wake();
  }
}

}  // namespace tidegate
