// SPDX-License-Identifier: Apache-2.0
#include "operators/process_function.h"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "base/check.h"
#include "operators/live_rows.h"
#include "operators/user_function.h"
#include "state/state_bytes.h"
#include "types/key_encoding.h"

namespace tidegate {
namespace {

/// Timers that go off before the logic is asked to emit what it has collected.
constexpr int kTimersPerFlush = 1024;

}  // namespace

Status ProcessLogic::on_timer(TimeDomain, std::int64_t, ProcessContext&) { return Status::ok(); }
Status ProcessLogic::flush(ProcessContext&) { return Status::ok(); }
Status ProcessLogic::finish(ProcessContext&) { return Status::ok(); }

Result<Batch> ProcessLogic::read_state(std::string_view, ProcessContext& context) {
  return error(ErrorCode::kNotSupported, "looking into the state of '{}'",
               context.runtime().operator_name());
}

Result<BroadcastState*> ProcessContext::broadcast_state(std::string_view name) {
  if (const auto found = broadcast_states_.find(name); found != broadcast_states_.end()) {
    return &found->second;
  }
  TG_ASSIGN_OR_RETURN(BroadcastState made, BroadcastState::open(state(), name, &in_broadcast_));
  return &broadcast_states_.emplace(name, std::move(made)).first->second;
}

Status ProcessContext::add_timer(TimeDomain domain, std::int64_t time_ms) {
  if (in_broadcast_) {
    return error(ErrorCode::kInvalidPlan,
                 "rows of a broadcast input have no key to set a timer for");
  }
  if (domain == TimeDomain::kEventTime && !orders_event_time_) {
    return error(ErrorCode::kInvalidPlan,
                 "a timer of event time, but the function was not declared to use them");
  }
  if (domain == TimeDomain::kProcessingTime) runtime_->request_wake_at(time_ms);
  return timers(domain).add(time_ms, key_);
}

bool ProcessContext::remove_timer(TimeDomain domain, std::int64_t time_ms) {
  return timers(domain).remove(time_ms, key_);
}

class ProcessFunction final : public Operator, public StateReader {
 public:
  ProcessFunction(std::unique_ptr<ProcessLogic> logic, ProcessFunctionOptions options)
      : logic_(std::move(logic)), options_(std::move(options)) {
    for (const ProcessInput& input : options_.inputs) {
      keys_.emplace_back(input.keys, input.key_types);
      if (input.keyed) key_types_ = input.key_types;
    }
  }

  Status open(OperatorContext& context) override {
    context_.runtime_ = &context;
    context_.orders_event_time_ = options_.orders_event_time;
    TG_ASSIGN_OR_RETURN(auto event_timers, TimerService::open(context.state(), "event_timers"));
    TG_ASSIGN_OR_RETURN(auto processing_timers,
                        TimerService::open(context.state(), "processing_timers"));
    context_.event_timers_.emplace(std::move(event_timers));
    context_.processing_timers_.emplace(std::move(processing_timers));
    request_wake();
    return call_user_function("open", [&] { return logic_->open(context_); });
  }

  Result<Progress> process(int input, Batch batch, Output& out) override {
    if (options_.groups_rows) {
      waiting_.push_back(std::move(batch));
      return Progress::kDone;
    }
    return process_now(input, batch, out);
  }

  Result<Progress> advance(EventTime watermark, Output& out) override {
    if (!options_.orders_event_time) return Progress::kDone;
    context_.watermark_ = watermark;
    TG_RETURN_IF_ERROR(process_groups(out));
    // A timer goes off when no row of its own time can come any more.
    bound_ = watermark == kMaxWatermark ? watermark : watermark - 1;
    firing_ = TimeDomain::kEventTime;
    return fire(out);
  }

  Result<Progress> seal(EpochId, Output& out) override {
    TG_RETURN_IF_ERROR(process_groups(out));
    return Progress::kDone;
  }

  Result<Progress> wake(std::int64_t, Output& out) override {
    bound_ = context_.processing_time_ms();
    firing_ = TimeDomain::kProcessingTime;
    return fire(out);
  }

  Result<Progress> resume(Output& out) override { return fire(out); }

  Result<Batch> read_state(const StateQuery& query) override {
    TG_ASSIGN_OR_RETURN(const QueriedKeys asked, QueriedKeys::make(query, KeyCodec(key_types_)));
    if (asked.all()) {
      return Status(ErrorCode::kNotSupported, "looking into the state of a function for all keys",
                    "Ask for a key.");
    }
    const StateKey before = context_.key_;
    context_.select(asked.key());
    Result<Batch> answer = Batch();
    TG_RETURN_IF_ERROR(call_user_function(
        "a look into state", [&] { answer = logic_->read_state(query.state, context_); }));
    context_.select(before);
    return answer;
  }

  bool answers_rows() const override { return false; }

  Result<Progress> finish(Output& out) override {
    TG_RETURN_IF_ERROR(process_groups(out));
    context_.out_ = &out;
    TG_RETURN_IF_ERROR(call_user_function("finish", [&] { return logic_->finish(context_); }));
    TG_RETURN_IF_ERROR(flush());
    return Progress::kDone;
  }

 private:
  /// What has waited for the end of the epoch or a watermark.
  Status process_groups(Output& out) {
    if (waiting_.empty()) return Status::ok();
    TG_ASSIGN_OR_RETURN(const Batch rows, Batch::concatenate(waiting_));
    waiting_.clear();
    RowKeys& keys = keys_[0];
    TG_RETURN_IF_ERROR(keys.read(rows));
    std::map<std::string, std::vector<std::int32_t>, std::less<>> groups;
    for (std::int32_t row = 0; row < rows.num_rows(); ++row) {
      const auto group = groups.find(keys[row].bytes);
      (group != groups.end() ? group->second : groups[std::string(keys[row].bytes)]).push_back(row);
    }
    for (const auto& [key, members] : groups) {
      TG_ASSIGN_OR_RETURN(const Batch group, rows.take(members));
      TG_RETURN_IF_ERROR(process_now(0, group, out).status());
    }
    return Status::ok();
  }

  Result<Progress> process_now(int input, const Batch& batch, Output& out) {
    const ProcessInput& from = options_.inputs[static_cast<std::size_t>(input)];
    RowKeys& keys = keys_[static_cast<std::size_t>(input)];
    if (from.keyed) TG_RETURN_IF_ERROR(keys.read(batch));
    context_.out_ = &out;
    context_.keys_ = from.keyed ? &keys : nullptr;
    context_.key_ = {"", task_hash(context_.runtime_->key_groups())};
    context_.row_ = -1;
    context_.in_broadcast_ = from.broadcast;
    const Status status = process_rows(input, batch);
    context_.keys_ = nullptr;
    context_.in_broadcast_ = false;
    TG_RETURN_IF_ERROR(status);
    TG_RETURN_IF_ERROR(flush());
    return Progress::kDone;
  }

  Status process_rows(int input, const Batch& batch) {
    try {
      return logic_->on_batch(input, batch, context_);
    } catch (...) {
      if (context_.row_ >= 0) return user_function_failed_at(batch, context_.row_);
      return user_function_failed("a process function");
    }
  }

  Result<Progress> fire(Output& out) {
    context_.out_ = &out;
    Timer timer;
    for (int fired = 1; context_.timers(firing_).pop(bound_, timer); ++fired) {
      key_bytes_ = timer.key.bytes;
      context_.key_ = {key_bytes_, timer.key.hash};
      TG_RETURN_IF_ERROR(call_on_timer(timer.time));
      if (fired % kTimersPerFlush != 0) continue;
      TG_RETURN_IF_ERROR(flush());
      if (!out.has_credit()) return Progress::kMore;
    }
    TG_RETURN_IF_ERROR(flush());
    if (firing_ == TimeDomain::kProcessingTime) request_wake();
    return Progress::kDone;
  }

  Status call_on_timer(std::int64_t time) {
    try {
      return logic_->on_timer(firing_, time, context_);
    } catch (...) {
      return user_function_failed(fmt::format("timer of {} for key {}", time, key_text()));
    }
  }

  /// The key of the current timer for messages.
  std::string key_text() const {
    std::string_view key = key_bytes_;
    key.remove_suffix(std::min(key.size(), options_.key_suffix_bytes));
    auto columns = KeyCodec(key_types_).decode({&key, 1});
    return columns ? row_text(Batch(1, *std::move(columns)), 0) : "[?]";
  }

  Status flush() {
    return call_user_function("flush", [&] { return logic_->flush(context_); });
  }

  void request_wake() {
    const auto next = context_.processing_timers_->next_time();
    if (next) context_.runtime_->request_wake_at(*next);
  }

  const std::unique_ptr<ProcessLogic> logic_;
  const ProcessFunctionOptions options_;
  std::deque<RowKeys> keys_;  // one per input
  std::vector<LogicalType> key_types_;
  ProcessContext context_;
  std::string key_bytes_;
  std::vector<Batch> waiting_;  // rows, when those of a key are to come together
  // The timers that are going off.
  TimeDomain firing_ = TimeDomain::kEventTime;
  std::int64_t bound_ = kMinWatermark;
};

Result<std::unique_ptr<Operator>> make_process_function(std::unique_ptr<ProcessLogic> logic,
                                                        ProcessFunctionOptions options) {
  TG_CHECK(logic != nullptr, "a process function without logic");
  if (options.groups_rows && (options.inputs.size() != 1 || !options.inputs[0].keyed)) {
    return error(ErrorCode::kInvalidArgument, "rows of a key come together on one keyed input");
  }
  const ProcessInput* first = nullptr;
  for (const ProcessInput& input : options.inputs) {
    if (input.keyed && input.broadcast) {
      return error(ErrorCode::kInvalidArgument, "a broadcast input has no keys");
    }
    if (!input.keyed) continue;
    if (first == nullptr) first = &input;
    const auto same = [](const LogicalType& a, const LogicalType& b) {
      return a.same_but_nullability(b);
    };
    if (!std::ranges::equal(first->key_types, input.key_types, same)) {
      return error(ErrorCode::kTypeMismatch, "connected streams have keys of different types");
    }
  }
  return std::make_unique<ProcessFunction>(std::move(logic), std::move(options));
}

TimeGrain process_function_time_grain(const ProcessFunctionOptions& options) {
  if (!options.orders_event_time) return TimeGrain{0, 0};
  return TimeGrain{.step_ms = 1, .phase_ms = 0, .orders_rows = true};
}

}  // namespace tidegate
