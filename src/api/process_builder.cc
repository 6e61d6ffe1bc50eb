// SPDX-License-Identifier: Apache-2.0
//
// The plan's verb for process functions: a program's function as the logic of the engine's
// operator.

#include <arrow/array/builder_binary.h>
#include <arrow/buffer.h>

#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>

#include "api/columns.h"
#include "api/native_node.h"
#include "api/plan_state.h"
#include "api/process_state.h"
#include "api/row_failures.h"
#include "api/window_process.h"
#include "base/check.h"
#include "base/metrics.h"
#include "operators/process_function.h"
#include "operators/window_aggregate.h"
#include "plan/native.h"
#include "tidegate/process.h"
#include "tidegate/untyped.h"
#include "types/arrow_status.h"
#include "types/key_encoding.h"
#include "windows/window_time.h"

namespace tidegate::untyped {
namespace {

/// Rows that a function has emitted to one output, each with its event time.
class EmittedRows {
 public:
  explicit EmittedRows(const std::vector<ColumnSpec>& columns) : writer_(types_of(columns)) {}

  BatchWriter& writer() { return writer_; }
  /// Rows since the last call are of this time.
  void stamp(EventTime time) { times_.resize(static_cast<std::size_t>(writer_.num_rows()), time); }
  bool empty() const { return writer_.num_rows() == 0; }
  Result<Batch> take(bool with_times) {
    TG_ASSIGN_OR_RETURN(Batch batch, finish_batch(writer_, Batch(1, {})));
    if (with_times) batch.set_event_times(arrow::Buffer::FromVector(std::exchange(times_, {})));
    times_.clear();
    return batch;
  }

 private:
  BatchWriter writer_;
  std::vector<EventTime> times_;
};

struct ProcessSpec {
  std::vector<ColumnSpec> columns;
  std::vector<SideSpec> sides;
  std::vector<LogicalType> key_types;
  bool windows = false;  ///< timers are of windows
  std::string verb = {};
  SharedFailureHandler failures = {};
};

/// Behind the bytes of a key, the start and the end of a window of it.
constexpr std::size_t kWindowBytes = 16;

/// Calls the program's function for rows and timers.
class FunctionLogic final : public ProcessLogic, public ProcessServices {
 public:
  FunctionLogic(std::unique_ptr<NativeProcess> function, const ProcessSpec& spec)
      : function_(std::move(function)),
        spec_(spec),
        key_codec_(spec.key_types),
        main_(spec.columns) {
    for (const SideSpec& side : spec.sides) sides_.emplace_back(side.columns);
  }

  Status open(tidegate::ProcessContext& context) override {
    context_ = &context;
    function_->open(*this);
    return Status::ok();
  }

  Status on_batch(int input, const Batch& batch, tidegate::ProcessContext& context) override {
    context_ = &context;
    times_ = batch.event_times();
    has_times_ = has_times_ || !times_.empty();
    try {
      HandledRows thrown(spec_.failures, spec_.verb, batch, nullptr);
      BatchView rows = view_of(batch);
      rows.thrown = &thrown;
      function_->process(input, rows, *this);
    } catch (const FailedRow& failed) {
      // The operator names the row that is selected.
      std::rethrow_exception(failed.cause);
    }
    stamp();
    return Status::ok();
  }

  Status on_timer(TimeDomain domain, std::int64_t time,
                  tidegate::ProcessContext& context) override {
    context_ = &context;
    base_key_ = context.key();
    if (spec_.windows) base_key_.bytes.remove_suffix(kWindowBytes);
    timer_domain_ = domain;
    time_ = domain == TimeDomain::kEventTime ? time : context.watermark();
    has_times_ = has_times_ || domain == TimeDomain::kEventTime;
    function_->on_timer(time, *this);
    stamp();
    return Status::ok();
  }

  Status flush(tidegate::ProcessContext& context) override {
    if (!main_.empty()) {
      TG_ASSIGN_OR_RETURN(Batch batch, main_.take(has_times_));
      context.emit(std::move(batch));
    }
    for (std::size_t i = 0; i < sides_.size(); ++i) {
      if (sides_[i].empty()) continue;
      TG_ASSIGN_OR_RETURN(Batch batch, sides_[i].take(has_times_));
      context.emit_side(static_cast<int>(i), std::move(batch));
    }
    return Status::ok();
  }

  /// As Codec writes a value, a vector or a map of what the state holds.
  Result<Batch> read_state(std::string_view name, tidegate::ProcessContext& context) override {
    std::optional<std::string> bytes;
    const auto count_first = [&bytes](std::uint32_t count, std::string elements) {
      if (count == 0) return;
      bytes = encode_state(count) + std::move(elements);
    };
    if (const auto value = values_.find(name); value != values_.end()) {
      if (const auto held = value->second->get()) bytes.emplace(*held);
    } else if (const auto list = lists_.find(name); list != lists_.end()) {
      std::uint32_t count = 0;
      std::string elements;
      list->second->for_each([&](std::string_view element) {
        ++count;
        elements.append(element);
      });
      count_first(count, std::move(elements));
    } else if (const auto map = maps_.find(name); map != maps_.end()) {
      std::uint32_t count = 0;
      std::string entries;
      map->second->for_each([&](std::string_view key, std::string_view value) {
        ++count;
        entries.append(key).append(value);
      });
      count_first(count, std::move(entries));
    } else {
      return error(ErrorCode::kUnknownName, "'{}' has no state '{}'",
                   context.runtime().operator_name(), name);
    }
    arrow::BinaryBuilder builder;
    TG_RETURN_IF_ARROW_ERROR(bytes ? builder.Append(*bytes) : arrow::Status::OK(), "state");
    TG_ASSIGN_ARROW_OR_RETURN(ArrayPtr column, builder.Finish(), "state");
    return Batch(bytes ? 1 : 0, {std::move(column)});
  }

  // What the function asks for.
  std::shared_ptr<BytesValue> value_state(std::string_view name, const Ttl& ttl) override {
    return keep(name, values_, make_value_state(*context_, name, ttl, clock()));
  }
  std::shared_ptr<BytesList> list_state(std::string_view name, const Ttl& ttl) override {
    return keep(name, lists_, make_list_state(*context_, name, ttl, clock()));
  }
  std::shared_ptr<BytesMap> map_state(std::string_view name, const Ttl& ttl) override {
    return keep(name, maps_, make_map_state(*context_, name, ttl, clock()));
  }
  std::shared_ptr<BytesMap> broadcast_state(std::string_view name) override {
    return opened(make_broadcast_state(*context_, name));
  }
  int task() const override { return context_->runtime().subtask(); }

  void select(std::int64_t row) override {
    stamp();
    context_->select(row);
    base_key_ = context_->key();
    time_ = times_.empty() ? kMinWatermark : times_[static_cast<std::size_t>(row)];
  }
  BatchView key() override {
    const std::string_view bytes = base_key_.bytes;
    Result<std::vector<ArrayPtr>> columns = key_codec_.decode({&bytes, 1});
    check_state(columns.status());
    key_columns_ = *std::move(columns);
    return view_of(Batch(1, key_columns_));
  }
  EventTime event_time() const override { return time_; }
  EventTime watermark() const override { return context_->watermark(); }
  std::int64_t processing_time() const override { return context_->processing_time_ms(); }
  Status add_timer(bool event_time, std::int64_t time) override {
    return context_->add_timer(domain(event_time), time);
  }
  void remove_timer(bool event_time, std::int64_t time) override {
    context_->remove_timer(domain(event_time), time);
  }
  bool is_event_timer() const override { return timer_domain_ == TimeDomain::kEventTime; }
  void set_event_time(EventTime time) override {
    stamp();
    time_ = time;
  }
  void count_late_row() override {
    if (late_ == nullptr) late_ = &context_->runtime().metrics().counter("rows_late");
    late_->add(1);
  }
  void select_window(EventTime start, EventTime end) override {
    window_key_.assign(base_key_.bytes);
    window_key_.append(reinterpret_cast<const char*>(&start), sizeof start);
    window_key_.append(reinterpret_cast<const char*>(&end), sizeof end);
    context_->select(StateKey{window_key_, base_key_.hash});
  }
  void select_key() override { context_->select(base_key_); }
  WindowSpan timer_window() const override {
    const char* window = base_key_.bytes.data() + base_key_.bytes.size();
    WindowSpan span;
    std::memcpy(&span.start.ms, window, sizeof span.start.ms);
    std::memcpy(&span.end.ms, window + sizeof span.start.ms, sizeof span.end.ms);
    return span;
  }
  BatchWriter& output(int) override { return main_.writer(); }
  BatchWriter& side_output(std::string_view name) override {
    for (std::size_t i = 0; i < sides_.size(); ++i) {
      if (spec_.sides[i].name == name) return sides_[i].writer();
    }
    throw std::invalid_argument("process() was not given the side output '" + std::string(name) +
                                "'");
  }

 private:
  static TimeDomain domain(bool event_time) {
    return event_time ? TimeDomain::kEventTime : TimeDomain::kProcessingTime;
  }
  template <typename S>
  std::shared_ptr<S> opened(Result<std::shared_ptr<S>> state) {
    if (state.is_ok()) return *std::move(state);
    check_state(state.status());
    return nullptr;
  }
  /// The watermark; before there is one, the time of the row.
  EventClock clock() const {
    return [this] { return watermark() == kMinWatermark ? time_ : watermark(); };
  }
  template <typename S>
  using States = std::map<std::string, std::shared_ptr<S>, std::less<>>;
  /// Remembers a state by its name, for looks into it.
  template <typename S>
  std::shared_ptr<S> keep(std::string_view name, States<S>& states,
                          Result<std::shared_ptr<S>> made) {
    std::shared_ptr<S> state = opened(std::move(made));
    states.insert_or_assign(std::string(name), state);
    return state;
  }
  /// Rows emitted since the last call are of the current time.
  void stamp() {
    main_.stamp(time_);
    for (EmittedRows& side : sides_) side.stamp(time_);
  }

  std::unique_ptr<NativeProcess> function_;
  ProcessSpec spec_;
  KeyCodec key_codec_;
  EmittedRows main_;
  std::vector<EmittedRows> sides_;
  States<BytesValue> values_;
  States<BytesList> lists_;
  States<BytesMap> maps_;

  tidegate::ProcessContext* context_ = nullptr;
  std::span<const EventTime> times_;
  StateKey base_key_;       // of the row or timer
  std::string window_key_;  // the same with a window behind it
  EventTime time_ = kMinWatermark;
  TimeDomain timer_domain_ = TimeDomain::kEventTime;
  Counter* late_ = nullptr;
  bool has_times_ = false;
  std::vector<ArrayPtr> key_columns_;  // what key() has answered last
};

/// What all kinds of process functions have in common as a step of the plan.
struct ProcessStep {
  std::string_view verb = "process";
  std::vector<ProcessInput> inputs;
  ProcessSpec spec;
  bool orders_event_time = false;
  bool groups_rows = false;
  std::optional<TimeGrain> grain;  ///< unless as fine as timers of event time need it
  std::function<std::unique_ptr<NativeProcess>()> make;
};

NodeRef add_process(ProcessStep step, SharedFailureHandler failures) {
  step.spec.verb = step.verb;
  step.spec.failures = std::move(failures);
  ProcessFunctionOptions options;
  options.inputs.clear();
  options.orders_event_time = step.orders_event_time;
  options.groups_rows = step.groups_rows;
  options.key_suffix_bytes = step.spec.windows ? kWindowBytes : 0;
  std::vector<plan::NativeInput> native_inputs;
  for (const ProcessInput& input : step.inputs) {
    tidegate::ProcessInput described;
    described.keyed = !input.broadcast && !(input.in_place && input.keys.empty());
    described.broadcast = input.broadcast;
    described.keys = input.keys;
    for (int key : input.keys) {
      described.key_types.push_back(input_of(input.node).schema()->field(key).type);
    }
    if (described.keyed) step.spec.key_types = described.key_types;
    options.inputs.push_back(std::move(described));
    const Exchange exchange = input.broadcast  ? Exchange::kBroadcast
                              : input.in_place ? Exchange::kForward
                                               : Exchange::kHash;
    native_inputs.push_back({input_of(input.node), exchange, input.keys});
  }
  const SchemaPtr schema = schema_of(step.spec.columns);
  const std::vector<SideSpec> sides = step.spec.sides;
  const TimeGrain grain = step.grain.value_or(process_function_time_grain(options));
  NodeRef ref = add_native(native_inputs, schema, std::string(step.verb), grain,
                           [make = std::move(step.make), options, spec = std::move(step.spec)] {
                             return make_process_function(
                                 std::make_unique<FunctionLogic>(make(), spec), options);
                           });
  auto& node = *static_cast<plan::Node*>(ref.node.get());
  for (const SideSpec& side : sides) {
    node.side_names.push_back(side.name);
    node.side_schemas.push_back(schema_of(side.columns));
  }
  return ref;
}

/// What is wrong with a window that has a trigger.
Status check_window(const WindowSpec& spec) {
  const Window& window = spec.window;
  if (spec.grace.duration.count() < 0) {
    return error(ErrorCode::kInvalidArgument,
                 "the grace of a window is {} ms; it cannot be negative",
                 spec.grace.duration.count());
  }
  if (spec.emit == Emit::kOnEpoch) {
    return error(ErrorCode::kNotSupported,
                 "results at the end of each epoch of windows with a trigger or a function");
  }
  if (window.kind == Window::Kind::kCount && window.count <= 0) {
    return error(ErrorCode::kInvalidArgument,
                 "the number of rows of a count window is {}; it must be positive", window.count);
  }
  if (spec.processing_time && is_row_window(window)) {
    return error(ErrorCode::kInvalidPlan,
                 "count and global windows are of neither event time nor processing time");
  }
  if (window.kind == Window::Kind::kSession && !spec.trigger->can_merge()) {
    return Status(ErrorCode::kInvalidPlan, "the trigger of a session window cannot merge",
                  "Give it merge() for its state and on_merge() for its timers.");
  }
  if (is_row_window(window)) return Status::ok();
  std::vector<TimeSpan> spans;
  return assign_windows(window, 0, spans);
}

}  // namespace

NodeRef Plan::process(const std::vector<ProcessInput>& inputs, std::vector<ColumnSpec> columns,
                      std::vector<SideSpec> sides, bool uses_time,
                      std::function<std::unique_ptr<NativeProcess>()> make, bool groups_rows) {
  return add_process({.inputs = inputs,
                      .spec = {std::move(columns), std::move(sides), {}, false},
                      .orders_event_time = uses_time,
                      .groups_rows = groups_rows,
                      .grain = std::nullopt,
                      .make = std::move(make)},
                     state_->failures);
}

NodeRef Plan::window(const NodeRef& input, std::vector<int> keys, WindowSpec spec,
                     std::vector<ColumnSpec> columns, std::vector<SideSpec> sides, bool orders_rows,
                     std::function<std::unique_ptr<NativeWindow>()> make) {
  if (Status status = check_window(spec); !status.is_ok()) {
    if (state_->status.is_ok()) state_->status = std::move(status);
    return input;
  }
  std::optional<TimeGrain> grain;
  if (!orders_rows && !spec.trigger->orders_rows()) {
    grain = window_time_grain(spec.window, spec.grace.duration.count(), Emit::kOnEndAndLate);
  }
  return add_process(
      {.verb = "window",
       .inputs = {{input, std::move(keys)}},
       .spec = {std::move(columns), std::move(sides), {}, /*windows=*/true},
       .orders_event_time = true,
       .grain = grain,
       .make = [spec, make = std::move(make)] { return make_window_process(spec, make()); }},
      state_->failures);
}

}  // namespace tidegate::untyped
