// SPDX-License-Identifier: Apache-2.0
//
// The plan's verb for process functions: a program's function as the logic of the engine's
// operator.

#include <arrow/buffer.h>

#include <stdexcept>
#include <utility>

#include "api/columns.h"
#include "api/native_node.h"
#include "api/process_state.h"
#include "base/check.h"
#include "operators/process_function.h"
#include "plan/native.h"
#include "tidegate/process.h"
#include "tidegate/untyped.h"
#include "types/key_encoding.h"

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
};

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
      function_->process(input, view_of(batch), *this);
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

  // What the function asks for.
  std::shared_ptr<BytesValue> value_state(std::string_view name, const Ttl& ttl) override {
    return opened(make_value_state(*context_, name, ttl));
  }
  std::shared_ptr<BytesList> list_state(std::string_view name, const Ttl& ttl) override {
    return opened(make_list_state(*context_, name, ttl));
  }
  std::shared_ptr<BytesMap> map_state(std::string_view name, const Ttl& ttl) override {
    return opened(make_map_state(*context_, name, ttl));
  }
  std::shared_ptr<BytesMap> broadcast_state(std::string_view name) override {
    return opened(make_broadcast_state(*context_, name));
  }
  int task() const override { return context_->runtime().subtask(); }

  void select(std::int64_t row) override {
    stamp();
    context_->select(row);
    time_ = times_.empty() ? kMinWatermark : times_[static_cast<std::size_t>(row)];
  }
  BatchView key() override {
    const std::string_view bytes = context_->key().bytes;
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

  tidegate::ProcessContext* context_ = nullptr;
  std::span<const EventTime> times_;
  EventTime time_ = kMinWatermark;
  bool has_times_ = false;
  std::vector<ArrayPtr> key_columns_;  // what key() has answered last
};

}  // namespace

NodeRef Plan::process(const std::vector<ProcessInput>& inputs, std::vector<ColumnSpec> columns,
                      std::vector<SideSpec> sides, bool uses_time,
                      std::function<std::unique_ptr<NativeProcess>()> make) {
  ProcessFunctionOptions options;
  options.inputs.clear();
  options.orders_event_time = uses_time;
  std::vector<plan::NativeInput> native_inputs;
  ProcessSpec spec;
  for (const ProcessInput& input : inputs) {
    tidegate::ProcessInput described;
    described.keyed = !input.keys.empty();
    described.broadcast = input.broadcast;
    described.keys = input.keys;
    for (int key : input.keys) {
      described.key_types.push_back(input_of(input.node).schema()->field(key).type);
    }
    if (described.keyed) spec.key_types = described.key_types;
    options.inputs.push_back(std::move(described));
    native_inputs.push_back({input_of(input.node),
                             input.broadcast ? Exchange::kBroadcast : Exchange::kHash, input.keys});
  }
  spec.columns = columns;
  spec.sides = sides;
  const TimeGrain grain = process_function_time_grain(options);
  NodeRef ref = add_native(
      native_inputs, schema_of(columns), "process", grain, [make = std::move(make), options, spec] {
        return make_process_function(std::make_unique<FunctionLogic>(make(), spec), options);
      });
  auto& node = *static_cast<plan::Node*>(ref.node.get());
  for (const SideSpec& side : sides) {
    node.side_names.push_back(side.name);
    node.side_schemas.push_back(schema_of(side.columns));
  }
  return ref;
}

}  // namespace tidegate::untyped
