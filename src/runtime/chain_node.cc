// SPDX-License-Identifier: Apache-2.0
#include "runtime/chain_node.h"

#include <algorithm>

#include "base/check.h"
#include "base/failpoints.h"
#include "base/metrics.h"
#include "dataflow/state_reader.h"
#include "runtime/chain.h"
#include "runtime/guard.h"
#include "runtime/sink_operator.h"
#include "state/state_store.h"
#include "state/table_backend.h"

namespace tidegate {

namespace {

/// Windows of the clock that would close later than this stay open at the end of the input.
constexpr std::int64_t kLongestSkipMs = 15'000;

/// When the last window closes that a row of now is in; 0: not soon.
std::int64_t clock_window_end_ms(const Window& window, std::int64_t now_ms) {
  const bool hops = window.kind == Window::Kind::kHopping;
  const std::int64_t step = (hops ? window.slide : window.size).count();
  std::int64_t end_ms = now_ms + step + 1;  // of a session, which a row at its end still joins
  if (window.kind != Window::Kind::kSession) {
    const std::int64_t start = now_ms - (now_ms - window.offset.count()) % step;
    end_ms = start + window.size.count();
  }
  return end_ms - now_ms <= kLongestSkipMs ? end_ms : 0;
}

Result<std::vector<StateDelta>> sealed(StateBackend& state, EpochId epoch) {
  TG_FAILPOINT("epoch.seal");
  return state.seal(epoch);
}

}  // namespace

ChainNode::ChainNode(Spec spec, Chain& chain, TaskHost& host, Activation& task)
    : spec_(std::move(spec)),
      chain_(chain),
      host_(host),
      metrics_(host.metrics().group(spec_.name, spec_.subtask)),
      rows_in_(metrics_.counter("rows_in")),
      rows_out_(metrics_.counter("rows_out")),
      watermark_ms_(metrics_.counter("watermark_ms")),
      state_bytes_(metrics_.counter("state_bytes")),
      wake_point_(task) {
  watermark_ms_.set(kMinWatermark);
}

ChainNode::~ChainNode() = default;

Status ChainNode::open(const Restored& restored) {
  epoch_ = restored.epoch;
  finished_ = restored.state.finished;
  restored_watermark_ = restored.state.watermark;
  if (restored.state.watermark > kMinWatermark)
    inbox_.emplace_back(0, Watermark{restored.state.watermark});
  if (restored.deltas != nullptr) {
    for (const StateDelta& delta : *restored.deltas) TG_RETURN_IF_ERROR(state().restore(delta));
  }
  return guarded([&]() -> Status {
           if (spec_.node->sink != nullptr) {
             auto sink = std::make_unique<SinkOperator>(spec_.node->sink);
             sink_ = sink.get();
             operator_ = std::move(sink);
           } else {
             TG_ASSIGN_OR_RETURN(operator_, spec_.node->make_operator());
           }
           return operator_->open(*this);
         })
      .with_context(chain_.place_of(spec_.name));
}

Result<Batch> ChainNode::read_state(const StateQuery& query) {
  auto* reader = dynamic_cast<StateReader*>(operator_.get());
  if (reader == nullptr) {
    return error(ErrorCode::kNotSupported, "looking into the state of '{}'", spec_.name);
  }
  Result<Batch> answer = guarded([&] { return reader->read_state(query); });
  // State that could not be read looks like state that is not there.
  if (state_ != nullptr) TG_RETURN_IF_ERROR(state_->status());
  return answer;
}

void ChainNode::answer_questions() {
  for (const Question& question : std::exchange(questions_, {})) {
    question.answer(read_state(*question.query), epoch_);
  }
}

void ChainNode::refuse_questions(const Status& reason) {
  for (const Question& question : std::exchange(questions_, {})) question.answer(reason, epoch_);
}

void ChainNode::accept_at(int input, Event event) {
  if (pending_ == Progress::kDone && inbox_.empty()) {
    handle(input, std::move(event));
  } else {
    inbox_.emplace_back(input, std::move(event));
  }
}

bool ChainNode::has_room() const {
  return pending_ == Progress::kDone && inbox_.empty() && outputs_have_room();
}

bool ChainNode::outputs_have_room() const {
  for (const std::unique_ptr<Router>& side : spec_.sides)
    if (!side->has_room()) return false;
  return next_->has_room();
}

bool ChainNode::has_credit() const {
  return chain_.has_budget() && !chain_.failed() && outputs_have_room();
}

bool ChainNode::time_has_come() const {
  return wake_at_ms_ && host_.clock().wall_ms() >= *wake_at_ms_;
}

bool ChainNode::wants_run() const {
  if (ended_) return false;
  if (pending_ == Progress::kMore) return outputs_have_room();
  if (pending_ == Progress::kBlocked) return wake_point_.woken() || time_has_come();
  if (!inbox_.empty()) return true;
  return (wake_due_ || wake_point_.woken() || time_has_come()) && outputs_have_room();
}

bool ChainNode::drive() {
  bool progressed = false;
  while (chain_.has_budget() && !chain_.failed() && wants_run()) {
    progressed = true;
    if (pending_ != Progress::kDone) {
      resume();
    } else if (!inbox_.empty()) {
      auto [input, event] = std::move(inbox_.front());
      inbox_.pop_front();
      handle(input, std::move(event));
    } else {
      take_wake();
      wake_due_ = false;
      const std::int64_t now_ms = host_.clock().wall_ms();
      settle(guarded([&] { return operator_->wake(now_ms, *this); }), Call::kRows);
    }
  }
  return progressed;
}

void ChainNode::take_wake() {
  wake_point_.take();
  if (!time_has_come()) return;
  wake_at_ms_.reset();
  wake_due_ = true;
}

// A time that comes while the operator is blocked resumes it (it may wait for just that), and is
// then told to it by wake() as well. While it has more to emit, wakes wait.
void ChainNode::resume() {
  if (pending_ == Progress::kBlocked) take_wake();
  settle(guarded([&] { return operator_->resume(*this); }), call_);
}

void ChainNode::handle(int input, Event event) {
  if (chain_.failed()) return;
  if (state_ != nullptr) state_->make_room();
  if (Batch* batch = std::get_if<Batch>(&event)) {
    process(input, std::move(*batch));
  } else if (const Watermark* watermark = std::get_if<Watermark>(&event)) {
    if (watermark->time <= watermark_) return;
    watermark_ = watermark->time;
    watermark_ms_.set(watermark_);
    if (finished_) return complete(Call::kAdvance);
    settle(guarded([&] { return operator_->advance(watermark_, *this); }), Call::kAdvance);
  } else if (const Barrier* barrier = std::get_if<Barrier>(&event)) {
    barrier_ = *barrier;
    if (finished_) return complete(Call::kSeal);
    if (barrier_.at_end) return close_clock_windows();
    settle(guarded([&] { return operator_->seal(barrier_.epoch, *this); }), Call::kSeal);
  } else if (std::holds_alternative<End>(event)) {
    if (finished_) return complete(Call::kFinish);
    settle(guarded([&] { return operator_->finish(*this); }), Call::kFinish);
  } else {
    if (sink_ != nullptr) sink_->idle(std::get<Idle>(event).idle);
    forward(std::move(event));
  }
}

void ChainNode::process(int input, Batch batch) {
  rows_in_.add(batch.num_rows());
  if (spec_.hasher) {
    Status hashed = spec_.hasher->hash(batch);
    if (!hashed.is_ok()) return fail(std::move(hashed));
  }
  settle(guarded([&] { return operator_->process(input, std::move(batch), *this); }), Call::kRows);
}

void ChainNode::settle(Result<Progress> progress, Call call) {
  if (!check_state()) return;
  if (!progress.is_ok()) return fail(std::move(progress).status());
  pending_ = *progress;
  call_ = call;
  if (pending_ == Progress::kDone) {
    complete(call);
  } else {
    forward_watermark();
  }
}

void ChainNode::complete(Call call) {
  switch (call) {
    case Call::kAdvance:
      advanced_ = watermark_;
      [[fallthrough]];
    case Call::kRows:
      forward_watermark();
      return;
    case Call::kClock:
      forward_watermark();
      return settle(guarded([&] { return operator_->seal(barrier_.epoch, *this); }), Call::kSeal);
    case Call::kSeal:
      forward_watermark();
      end_epoch(barrier_.epoch, finished_);
      ended_ = barrier_.stops;
      forward(barrier_);
      return;
    case Call::kFinish:
      end_epoch(epoch_ + 1, true);
      ended_ = true;
      if (forwarded_ < kMaxWatermark) forward(Watermark{kMaxWatermark});
      forward(End{});
      return;
  }
}

/// Nothing comes into them any more, and whoever restores the job goes on behind them.
void ChainNode::close_clock_windows() {
  const std::int64_t now_ms = host_.clock().wall_ms();
  if (spec_.node->clock_window) clock_ms_ = clock_window_end_ms(*spec_.node->clock_window, now_ms);
  if (clock_ms_ == 0) return complete(Call::kClock);
  settle(guarded([&] { return operator_->wake(clock_ms_, *this); }), Call::kClock);
}

void ChainNode::end_epoch(EpochId epoch, bool finished) {
  epoch_ = epoch;
  if (chain_.failed()) return;
  OperatorAck ack{spec_.index, {advanced_, finished}, {}, {}, clock_ms_};
  if (sink_ != nullptr) {
    Result<std::string> prepared = guarded([&] { return sink_->prepare(epoch); });
    if (!prepared.is_ok()) return fail(std::move(prepared).status());
    ack.committable = *std::move(prepared);
  }
  if (state_ != nullptr && (!finished || host_.options().commit_policy->keeps_state())) {
    Result<std::vector<StateDelta>> deltas = sealed(*state_, epoch);
    if (!deltas.is_ok()) return fail(std::move(deltas).status());
    ack.deltas = *std::move(deltas);
  }
  count_state_rows();
  answer_questions();
  chain_.add_ack(epoch, std::move(ack));
}

void ChainNode::count_state_rows() {
  if (state_ == nullptr || host_.options().planner == nullptr) return;
  const auto* tables = dynamic_cast<const TableBackend*>(state_.get());
  if (tables == nullptr) return;
  if (state_rows_ == nullptr) {
    state_rows_ = &metrics_.counter("state_rows");
    state_rows_written_ = &metrics_.counter("state_rows_written");
  }
  state_rows_->set(tables->num_rows());
  state_rows_written_->set(tables->rows_written());
}

// An operator may hold a watermark back and let it go with later calls, so it is asked after each.
void ChainNode::forward_watermark() {
  if (advanced_ == kMinWatermark || chain_.failed()) return;
  EventTime time = advanced_;
  if (!finished_) {
    Result<EventTime> answer =
        guarded([&]() -> Result<EventTime> { return operator_->output_watermark(advanced_); });
    if (!answer.is_ok()) return fail(std::move(answer).status());
    time = *answer;
  }
  if (time <= forwarded_) return;
  forwarded_ = time;
  forward(Watermark{time});
}

void ChainNode::forward(Event event) {
  for (const std::unique_ptr<Router>& side : spec_.sides) side->accept(event);
  next_->accept(std::move(event));
}

/// State that could not be read looks like state that is not there: what comes of it goes nowhere.
bool ChainNode::check_state() {
  if (state_ == nullptr) return true;
  Status status = state_->status();
  if (status.is_ok()) return true;
  fail(std::move(status));
  return false;
}

void ChainNode::emit(Batch batch) {
  if (batch.empty() || chain_.failed() || !check_state()) return;
  rows_out_.add(batch.num_rows());
  chain_.spend_budget(batch.num_rows());
  next_->accept(std::move(batch));
}

void ChainNode::emit_side(int side, Batch batch) {
  TG_CHECK(side >= 0 && side < static_cast<int>(spec_.sides.size()), "operator={} side={} sides={}",
           spec_.name, side, spec_.sides.size());
  if (batch.empty() || chain_.failed() || !check_state()) return;
  chain_.spend_budget(batch.num_rows());
  spec_.sides[static_cast<std::size_t>(side)]->accept(std::move(batch));
}

bool ChainNode::await_credit() {
  bool waits = false;
  for (const std::unique_ptr<Router>& side : spec_.sides) waits |= side->await_credit();
  return waits;
}

KeyGroupRange ChainNode::key_groups() const {
  const KeyGroupRange all{0, spec_.key_groups, spec_.key_groups};
  return part_of(host_.options().key_groups.value_or(all), spec_.subtask, spec_.parallelism);
}

StateBackend& ChainNode::state() {
  if (state_ == nullptr) {
    state_ = host_.options().state_store->open(spec_.uid, key_groups());
    state_->set_context(spec_.state_context);
  }
  return *state_;
}

void ChainNode::charge_state() {
  if (state_ == nullptr) return;
  const std::int64_t bytes = state_->memory_bytes();
  if (bytes == charged_bytes_) return;
  host_.charge_state(bytes - charged_bytes_);
  charged_bytes_ = bytes;
  state_bytes_.set(bytes);
}

void ChainNode::request_wake_at(std::int64_t wall_ms) {
  wake_at_ms_ = wake_at_ms_ ? std::min(*wake_at_ms_, wall_ms) : wall_ms;
}

void ChainNode::fail(Status status) {
  chain_.fail(std::move(status).with_context(chain_.place_of(spec_.name)));
}

}  // namespace tidegate
