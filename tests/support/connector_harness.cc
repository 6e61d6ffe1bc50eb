// SPDX-License-Identifier: Apache-2.0
#include "tests/support/connector_harness.h"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "tests/support/batch_literal.h"

namespace tidegate {

class WakeCounter {
 public:
  static Waker waker(const std::shared_ptr<WakeCounter>& counter) {
    return Waker(std::make_shared<const std::function<void()>>([counter] { counter->wake(); }));
  }
  std::int64_t count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  /// False when no wake-up beyond `seen` has come within `patience`.
  bool wait_beyond(std::int64_t seen, std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return count_ > seen; });
  }

 private:
  void wake() {
    const std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t count_ = 0;
};

class SourceHarness::Context final : public SourceContext {
 public:
  explicit Context(SourceHarness& harness) : harness_(harness) {}
  const std::string& source_name() const override { return name_; }
  const Clock& clock() const override { return system_clock(); }
  Executor& executor() override { return *harness_.executor_; }
  MetricGroup& metrics() override { return harness_.metrics_->group(name_, 0); }
  Waker waker() override { return WakeCounter::waker(harness_.wakes_); }

 private:
  SourceHarness& harness_;
  const std::string name_ = "source";
};

SourceHarness::SourceHarness(std::shared_ptr<Source> source)
    : metrics_(make_metric_registry()),
      executor_(make_thread_executor(1, 2)),
      wakes_(std::make_shared<WakeCounter>()),
      context_(std::make_unique<Context>(*this)),
      source_(std::move(source)) {}

SourceHarness::~SourceHarness() = default;

Status SourceHarness::open() { return source_->open(*context_); }

Result<std::unique_ptr<SplitReader>> SourceHarness::open_split(
    const Split& split, std::optional<std::string> position) {
  return source_->open_split(split, position, *context_);
}

SourceHarness::Rows SourceHarness::read(SplitReader& reader, std::int64_t count,
                                        std::int64_t max_rows_per_poll) {
  Rows rows = read_while(reader, count, max_rows_per_poll, kHarnessPatience);
  const auto got = static_cast<std::int64_t>(rows.texts.size());
  if (rows.status.is_ok() && !rows.ended && got < count)
    rows.status = error(ErrorCode::kInternal, "only {} of {} rows came, and no wake-up for {} s",
                        got, count, kHarnessPatience.count());
  return rows;
}

SourceHarness::Rows SourceHarness::read_to_end(SplitReader& reader,
                                               std::int64_t max_rows_per_poll) {
  return read(reader, INT64_MAX, max_rows_per_poll);
}

SourceHarness::Rows SourceHarness::read_until_quiet(SplitReader& reader,
                                                    std::chrono::milliseconds quiet) {
  return read_while(reader, INT64_MAX, 1000, quiet);
}

SourceHarness::Rows SourceHarness::read_while(SplitReader& reader, std::int64_t count,
                                              std::int64_t max_rows_per_poll,
                                              std::chrono::milliseconds patience) {
  Rows rows;
  while (static_cast<std::int64_t>(rows.texts.size()) < count) {
    const std::int64_t seen = wakes_->count();
    Result<Polled> polled = reader.poll(max_rows_per_poll);
    if (!polled.is_ok()) {
      rows.status = std::move(polled).status();
      break;
    }
    if (polled->state == Polled::State::kEnd) {
      rows.ended = true;
      break;
    }
    for (std::string& text : text_rows(polled->batch)) rows.texts.push_back(std::move(text));
    if (polled->state == Polled::State::kPending && !wakes_->wait_beyond(seen, patience)) break;
  }
  return rows;
}

class SinkHarness::Context final : public OperatorContext {
 public:
  Context(SinkHarness& harness, int subtask) : harness_(harness), subtask_(subtask) {}
  const std::string& operator_name() const override { return name_; }
  int subtask() const override { return subtask_; }
  int parallelism() const override { return subtask_ + 1; }
  KeyGroupRange key_groups() const override { return {}; }
  const Clock& clock() const override { return system_clock(); }
  Executor& executor() override { return *harness_.executor_; }
  Waker waker() override { return WakeCounter::waker(harness_.wakes_); }
  StateBackend& state() override { check_failed(__FILE__, __LINE__, "state", "a sink has none"); }
  MetricGroup& metrics() override { return harness_.metrics_->group(name_, subtask_); }
  void request_wake_at(std::int64_t) override {}

 private:
  SinkHarness& harness_;
  const int subtask_;
  const std::string name_ = "sink";
};

SinkHarness::SinkHarness(std::shared_ptr<Sink> sink, int subtask)
    : metrics_(make_metric_registry()),
      executor_(make_thread_executor(1, 2)),
      wakes_(std::make_shared<WakeCounter>()),
      context_(std::make_unique<Context>(*this, subtask)),
      sink_(std::move(sink)) {}

SinkHarness::~SinkHarness() = default;

Status SinkHarness::open() {
  TG_RETURN_IF_ERROR(sink_->open());
  return open_writer();
}

Status SinkHarness::open_writer() {
  TG_ASSIGN_OR_RETURN(writer_, sink_->open_writer(*context_));
  return Status::ok();
}

template <typename Call>
Status SinkHarness::drive(Call first, Call then) {
  std::int64_t seen = wakes_->count();
  TG_ASSIGN_OR_RETURN(Progress progress, first());
  while (progress != Progress::kDone) {
    if (progress == Progress::kBlocked) {
      ++times_blocked_;
      if (!wakes_->wait_beyond(seen, kHarnessPatience))
        return error(ErrorCode::kInternal, "blocked, and no wake-up for {} s",
                     kHarnessPatience.count());
    }
    seen = wakes_->count();
    TG_ASSIGN_OR_RETURN(progress, then());
  }
  return Status::ok();
}

Status SinkHarness::write(Batch batch) {
  using Call = std::function<Result<Progress>()>;
  return drive(Call([&] { return writer_->write(std::move(batch)); }),
               Call([&] { return writer_->resume(); }));
}

Result<std::string> SinkHarness::end_epoch(EpochId epoch) {
  using Call = std::function<Result<Progress>()>;
  TG_RETURN_IF_ERROR(
      drive(Call([&] { return writer_->flush(); }), Call([&] { return writer_->resume(); })));
  return writer_->prepare(epoch);
}

}  // namespace tidegate
