// SPDX-License-Identifier: Apache-2.0
#include "tests/support/operator_harness.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "base/check.h"

namespace tidegate {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
/// More than any test needs; an operator that answers kMore without end must not hang the test.
constexpr int kMostResumes = 1'000'000;

void expect_ok(const Status& status) {
  if (!status.is_ok()) ADD_FAILURE() << status.to_string();
}

std::vector<std::string> take_texts(std::vector<Batch>& batches) {
  std::vector<std::string> texts;
  for (const Batch& batch : std::exchange(batches, {})) {
    std::ranges::move(text_rows(batch), std::back_inserter(texts));
  }
  return texts;
}

}  // namespace

class OperatorHarness::Outputs final : public Output {
 public:
  explicit Outputs(std::int64_t credit_rows) : credit_rows_(credit_rows) {}

  void emit(Batch batch) override {
    if (batch.empty()) return;
    count(batch.num_rows());
    std::ranges::move(text_rows(batch), std::back_inserter(log));
    main.push_back(std::move(batch));
  }
  void emit_side(int side, Batch batch) override {
    if (batch.empty()) return;
    count(batch.num_rows());
    sides[side].push_back(std::move(batch));
  }
  bool has_credit() const override { return rows_ < credit_rows_; }

  /// Gives new credit; returns the rows that were emitted without.
  std::int64_t give_credit() {
    rows_ = 0;
    return std::exchange(beyond_, 0);
  }

  std::vector<Batch> main;
  std::map<int, std::vector<Batch>> sides;
  std::vector<std::string> log;

 private:
  void count(std::int64_t rows) {
    if (!has_credit()) beyond_ += rows;
    rows_ += rows;
  }

  const std::int64_t credit_rows_;
  std::int64_t rows_ = 0;
  std::int64_t beyond_ = 0;
};

class OperatorHarness::Context final : public OperatorContext {
 public:
  explicit Context(OperatorHarness& harness)
      : harness_(harness),
        group_(harness.metrics_->group(harness.options_.name, harness.options_.subtask)) {}

  const std::string& operator_name() const override { return harness_.options_.name; }
  EventTime restored_watermark() const override { return harness_.restored_watermark_; }
  int subtask() const override { return harness_.options_.subtask; }
  int parallelism() const override { return harness_.options_.parallelism; }
  KeyGroupRange key_groups() const override { return harness_.options_.key_groups; }
  const Clock& clock() const override { return harness_.clock_; }
  Executor& executor() override { return *harness_.executor_; }
  Waker waker() override {
    return Waker(std::make_shared<const std::function<void()>>([flag = woken_] { *flag = true; }));
  }
  StateBackend& state() override { return *harness_.state_; }
  MetricGroup& metrics() override { return group_; }

  void request_wake_at(std::int64_t wall_ms) override {
    wake_at_ms_ = std::min(wake_at_ms_, wall_ms);
    // Only so that the clock stops there.
    harness_.executor_->submit_at(wall_ms * kNsPerMs, [] {});
  }

  /// Whether wake() or resume() is due; takes the request.
  bool take_wake() {
    const bool due = harness_.clock_.wall_ms() >= wake_at_ms_;
    if (due) wake_at_ms_ = INT64_MAX;
    return std::exchange(*woken_, false) || due;
  }
  /// Whether the waker has been called; takes the call.
  bool take_woken() { return std::exchange(*woken_, false); }

 private:
  OperatorHarness& harness_;
  MetricGroup& group_;
  std::shared_ptr<bool> woken_ = std::make_shared<bool>(false);
  std::int64_t wake_at_ms_ = INT64_MAX;
};

OperatorHarness::OperatorHarness(OperatorFactory factory, HarnessOptions options)
    : factory_(std::move(factory)),
      options_(std::move(options)),
      clock_(options_.wall_ms),
      executor_(make_simulated_executor(options_.seed, clock_)),
      metrics_(make_metric_registry()),
      outputs_(std::make_unique<Outputs>(options_.credit_rows)) {
  start_over({});
}

OperatorHarness::~OperatorHarness() { operator_.reset(); }

void OperatorHarness::start_over(const std::vector<StateDelta>& deltas) {
  operator_.reset();
  open_ = false;
  state_ = make_memory_state_backend(options_.key_groups);
  for (const StateDelta& delta : deltas) expect_ok(state_->restore(delta));
  context_ = std::make_unique<Context>(*this);
}

void OperatorHarness::open() { expect_ok(try_open()); }
void OperatorHarness::push(int input, Batch batch) { expect_ok(try_push(input, std::move(batch))); }
void OperatorHarness::advance(EventTime watermark) { expect_ok(try_advance(watermark)); }
void OperatorHarness::advance_clock_to(std::int64_t wall_ms) {
  expect_ok(try_advance_clock_to(wall_ms));
}
void OperatorHarness::finish() { expect_ok(try_finish()); }

Status OperatorHarness::try_open() {
  if (open_) return Status::ok();
  TG_ASSIGN_OR_RETURN(operator_, factory_());
  TG_RETURN_IF_ERROR(operator_->open(*context_));
  open_ = true;
  return settle();
}

Status OperatorHarness::try_push(int input, Batch batch) {
  TG_RETURN_IF_ERROR(try_open());
  TG_RETURN_IF_ERROR(drive(operator_->process(input, std::move(batch), *outputs_)));
  return settle();
}

Status OperatorHarness::try_advance(EventTime watermark) {
  TG_RETURN_IF_ERROR(try_open());
  TG_CHECK(watermark >= watermark_, "watermark={} before={}", watermark, watermark_);
  watermark_ = watermark;
  TG_RETURN_IF_ERROR(drive(operator_->advance(watermark, *outputs_)));
  return settle();
}

Status OperatorHarness::try_advance_clock_to(std::int64_t wall_ms) {
  TG_RETURN_IF_ERROR(try_open());
  TG_RETURN_IF_ERROR(settle());
  const auto reached = std::make_shared<bool>(false);
  executor_->submit_at(wall_ms * kNsPerMs, [reached] { *reached = true; });
  while (!*reached) {
    executor_->run_one();
    if (context_->take_wake()) {
      TG_RETURN_IF_ERROR(drive(operator_->wake(clock_.wall_ms(), *outputs_)));
    }
  }
  return settle();
}

Status OperatorHarness::try_finish() {
  TG_RETURN_IF_ERROR(try_advance(kMaxWatermark));
  TG_RETURN_IF_ERROR(drive(operator_->finish(*outputs_)));
  return settle();
}

void OperatorHarness::seal() {
  open();
  ++epoch_;
  expect_ok(drive(operator_->seal(epoch_, *outputs_)));
  auto deltas = state_->seal(epoch_);
  expect_ok(deltas.status());
  if (deltas) std::ranges::move(*deltas, std::back_inserter(stored_));
}

void OperatorHarness::restart(bool from_base) {
  seal();
  if (from_base) {
    auto base = state_->dump(epoch_);
    expect_ok(base.status());
    if (base) stored_ = *std::move(base);
  }
  restore(stored_, watermark_);
}

void OperatorHarness::restore(const std::vector<StateDelta>& deltas, EventTime watermark) {
  stored_ = deltas;
  for (const StateDelta& delta : deltas) epoch_ = std::max(epoch_, delta.epoch);
  start_over(deltas);
  restored_watermark_ = watermark;
  open();
  if (operator_ != nullptr && watermark > kMinWatermark) advance(watermark);
}

/// Goes on with a call until it is done.
Status OperatorHarness::drive(Result<Progress> progress) {
  for (int resumes = 0; resumes < kMostResumes; ++resumes) {
    rows_beyond_credit_ = std::max(rows_beyond_credit_, outputs_->give_credit());
    if (!progress) return std::move(progress).status();
    announce();
    if (*progress == Progress::kDone) return Status::ok();
    if (*progress == Progress::kBlocked) wait_for_waker();
    progress = operator_->resume(*outputs_);
  }
  return error(ErrorCode::kInternal, "the operator does not come to an end");
}

/// Runs what is ready now, and wakes the operator when it asks for it.
Status OperatorHarness::settle() {
  executor_->run_ready();
  while (context_->take_wake()) {
    TG_RETURN_IF_ERROR(drive(operator_->wake(clock_.wall_ms(), *outputs_)));
    executor_->run_ready();
  }
  return Status::ok();
}

void OperatorHarness::wait_for_waker() {
  while (!context_->take_woken()) {
    TG_CHECK(executor_->run_one(), "'{}' is blocked and nothing will wake it", options_.name);
  }
}

void OperatorHarness::announce() {
  const EventTime time = operator_->output_watermark(watermark_);
  EXPECT_LE(time, watermark_);
  if (time <= output_watermark_) return;
  output_watermark_ = time;
  outputs_->log.push_back(time == kMaxWatermark ? "W max" : fmt::format("W {}", time));
}

std::vector<std::string> OperatorHarness::take_rows() { return take_texts(outputs_->main); }
std::vector<std::string> OperatorHarness::take_side(int side) {
  return take_texts(outputs_->sides[side]);
}
std::vector<std::string> OperatorHarness::take_log() { return std::exchange(outputs_->log, {}); }
std::vector<Batch> OperatorHarness::take_batches() { return std::exchange(outputs_->main, {}); }

}  // namespace tidegate
