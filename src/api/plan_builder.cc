// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <utility>

#include "api/columns.h"
#include "api/guard_rows.h"
#include "api/native_aggregator.h"
#include "api/native_connectors.h"
#include "api/native_node.h"
#include "api/plan_state.h"
#include "api/row_failures.h"
#include "base/check.h"
#include "base/options.h"
#include "expr/function_registry.h"
#include "operators/map_batch.h"
#include "operators/row_codec.h"
#include "operators/temporal_sort.h"
#include "plan/aggregate.h"
#include "plan/changelog.h"
#include "plan/native.h"
#include "plan/sink.h"
#include "plan/source.h"
#include "tidegate/row.h"
#include "tidegate/untyped.h"

namespace tidegate::untyped {
namespace {

plan::Node& node_of(const NodeRef& ref) { return *static_cast<plan::Node*>(ref.node.get()); }

/// A program's generator of watermarks as the engine's.
class FunctionWatermarks final : public WatermarkGenerator {
 public:
  explicit FunctionWatermarks(std::function<EventTime(EventTime)> on_row)
      : on_row_(std::move(on_row)) {}
  EventTime on_row(EventTime time) override { return on_row_(time); }

 private:
  std::function<EventTime(EventTime)> on_row_;
};

Result<std::vector<plan::AggregateCall>> bind_calls(const Schema& input,
                                                    const std::vector<AggregateCall>& calls) {
  std::vector<plan::AggregateCall> bound;
  for (const AggregateCall& call : calls) {
    plan::AggregateCall out;
    out.result_name = call.result_name;
    if (call.native != nullptr) {
      out.text = "native";
      out.aggregator = make_native_aggregator(call.native);
      out.can_merge = call.native->can_merge();
      out.arguments.resize(static_cast<std::size_t>(input.num_fields()));
      std::iota(out.arguments.begin(), out.arguments.end(), 0);
    } else {
      std::vector<LogicalType> types;
      for (int argument : call.arguments) types.push_back(input.field(argument).type);
      TG_ASSIGN_OR_RETURN(const AggregateFunction* function,
                          builtin_functions().find_aggregate(call.function));
      TG_ASSIGN_OR_RETURN(out.aggregator, function->bind(types));
      out.arguments = call.arguments;
      out.text =
          fmt::format("{}({})", call.function,
                      call.arguments.empty() ? "*" : plan::column_names(input, call.arguments));
    }
    out.result_type = out.aggregator->result_type();
    out.flatten = call.native != nullptr && out.result_type.kind() == TypeKind::kRow;
    bound.push_back(std::move(out));
  }
  return bound;
}

/// Keeps the first error.
void fail(Plan::State& state, Status status) {
  if (state.status.is_ok()) state.status = std::move(status);
}

using OperatorPtr = std::unique_ptr<Operator>;

void add_sink(Plan::State& state, const NodeRef& input, std::string name,
              std::shared_ptr<Sink> sink) {
  auto node = std::make_shared<plan::SinkNode>(input_of(input), "custom", Options());
  node->name = std::move(name);
  node->instance = std::move(sink);
  state.sinks.push_back(std::move(node));
}

/// The same columns, of which the first are the key.
SchemaPtr with_key(const Schema& schema, std::size_t keys) {
  auto keyed = std::make_shared<Schema>(schema);
  keyed->primary_key.resize(keys);
  std::iota(keyed->primary_key.begin(), keyed->primary_key.end(), 0);
  return keyed;
}

/// Makes a format of the program's own known to the job, under its name.
void add_format(Plan::State& state, const ConnectorSpec& spec) {
  if (spec.native_format() != nullptr) {
    state.formats[spec.options().at("format")] = spec.native_format();
  }
}

/// What the connector fills or writes itself, of these columns.
std::vector<MetadataColumn> metadata_of(Plan::State& state, const ConnectorSpec& spec,
                                        const Schema& schema) {
  std::vector<MetadataColumn> metadata;
  for (const auto& [column, key] : spec.metadata()) {
    const int index = schema.index_of(column);
    if (index < 0)
      fail(state, error(ErrorCode::kUnknownName, "'{}': there is no column '{}' for metadata in {}",
                        spec.name(), column, schema.to_string()));
    metadata.push_back({std::max(index, 0), key});
  }
  return metadata;
}

}  // namespace

Plan::Plan(std::string job_name) : state_(std::make_unique<State>()) {
  state_->job_name = std::move(job_name);
}
Plan::~Plan() = default;
Plan::Plan(Plan&&) noexcept = default;
Plan& Plan::operator=(Plan&&) noexcept = default;

const Status& Plan::status() const { return state_->status; }

NodeRef Plan::source(const ConnectorSpec& spec, std::vector<ColumnSpec> columns) {
  Options options;
  for (const auto& [name, value] : spec.options()) options.set(name, value);
  auto node =
      std::make_shared<plan::SourceNode>(spec.connector(), std::move(options), schema_of(columns));
  node->name = spec.name();
  node->metadata = metadata_of(*state_, spec, *node->table);
  add_format(*state_, spec);
  return {node, -1};
}

NodeRef Plan::source(std::string name, std::vector<ColumnSpec> columns,
                     std::shared_ptr<NativeSource> custom) {
  const SchemaPtr schema = schema_of(columns);
  auto node = std::make_shared<plan::SourceNode>("custom", Options(), schema);
  node->name = std::move(name);
  node->instance = make_native_source(schema, std::move(custom));
  return {node, -1};
}

void Plan::event_time(const NodeRef& source, TimeSpec time) {
  auto* node = dynamic_cast<plan::SourceNode*>(&node_of(source));
  if (node == nullptr) {
    if (state_->status.is_ok()) {
      state_->status =
          error(ErrorCode::kInvalidPlan, "event_time() must follow source() directly, not '{}'",
                node_of(source).name);
    }
    return;
  }
  WatermarkStrategy& strategy = node->watermark;
  strategy.kind =
      time.custom ? WatermarkStrategy::Kind::kCustom : WatermarkStrategy::Kind::kBoundedDisorder;
  strategy.column = time.column;
  strategy.delay_ms = time.delay.count();
  strategy.idle_timeout_ms = time.idle_timeout.count();
  strategy.max_drift_ms = time.max_drift.count();
  if (time.custom) {
    strategy.custom = [make = std::move(time.custom)]() -> std::unique_ptr<WatermarkGenerator> {
      return std::make_unique<FunctionWatermarks>(make());
    };
  }
  if (time.extract) {
    strategy.extract = [extract = std::move(time.extract)](const Batch& batch, EventTime* times) {
      return guard_rows(batch, [&] { extract(view_of(batch), times); });
    };
  }
}

NodeRef Plan::map(const NodeRef& input, std::string name, std::vector<ColumnSpec> columns,
                  MapBatch map) {
  auto make = [map = std::move(map), types = types_of(columns), step = name,
               failures = SharedFailureHandler(state_->failures)]() -> Result<OperatorPtr> {
    return make_map_batch([map, types, step, failures](const Batch& in) mutable -> Result<Batch> {
      BatchWriter writer(types);
      HandledRows thrown(failures, step, in, &writer);
      BatchView rows = view_of(in);
      rows.thrown = &thrown;
      TG_RETURN_IF_ERROR(guard_rows(in, [&] { map(rows, writer); }));
      return finish_batch(writer, in);
    });
  };
  return add_native({{input_of(input)}}, schema_of(columns), std::move(name), kMapBatchTimeGrain,
                    std::move(make));
}

NodeRef Plan::filter(const NodeRef& input, std::string name, FilterBatch filter) {
  auto make = [filter = std::move(filter), step = name,
               failures = SharedFailureHandler(state_->failures)]() -> Result<OperatorPtr> {
    return make_map_batch([filter, step, failures, keep = std::vector<std::int32_t>()](
                              const Batch& in) mutable -> Result<Batch> {
      keep.clear();
      HandledRows thrown(failures, step, in, nullptr);
      BatchView rows = view_of(in);
      rows.thrown = &thrown;
      TG_RETURN_IF_ERROR(guard_rows(in, [&] { filter(rows, keep); }));
      if (static_cast<std::int64_t>(keep.size()) == in.num_rows()) return in;
      return in.take(keep);
    });
  };
  return add_native({{input_of(input)}}, input_of(input).schema(), std::move(name),
                    kMapBatchTimeGrain, std::move(make));
}

NodeRef Plan::merge(const std::vector<NodeRef>& inputs) {
  std::vector<plan::Input> all;
  for (const NodeRef& input : inputs) all.push_back(input_of(input));
  return {std::make_shared<plan::MergeNode>(std::move(all)), -1};
}

NodeRef Plan::window_aggregate(const NodeRef& input, std::vector<int> keys, WindowSpec window,
                               std::vector<AggregateCall> calls) {
  const plan::Input in = input_of(input);
  auto bound = bind_calls(*in.schema(), calls);
  if (!bound.is_ok()) {
    fail(*state_, std::move(bound).status());
    return input;
  }
  auto node = std::make_shared<plan::WindowAggregateNode>(in, std::move(keys), *std::move(bound),
                                                          window.window, window.grace, window.emit,
                                                          !window.late_output.empty());
  if (!window.late_output.empty()) node->side_names.push_back(window.late_output);
  return {std::move(node), -1};
}

NodeRef Plan::aggregate(const NodeRef& input, std::vector<int> keys,
                        std::vector<AggregateCall> calls) {
  const plan::Input in = input_of(input);
  auto bound = bind_calls(*in.schema(), calls);
  if (!bound.is_ok()) {
    fail(*state_, std::move(bound).status());
    return input;
  }
  return {std::make_shared<plan::AggregateNode>(in, std::move(keys), *std::move(bound)), -1};
}

NodeRef Plan::side_output(const NodeRef& ref, std::string_view name) {
  const std::vector<std::string>& names = node_of(ref).side_names;
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return {ref.node, static_cast<int>(found - names.begin())};
  const std::string nearest = nearest_name(name, names);
  fail(
      *state_,
      Status(ErrorCode::kUnknownName,
             fmt::format("'{}' has no side output '{}'",
                         node_of(ref).name.empty() ? node_of(ref).kind() : node_of(ref).name, name),
             nearest.empty() ? "Name it where the operator is made, for example with "
                               "late_to()."
                             : fmt::format("Did you mean '{}'?", nearest)));
  return ref;
}

void Plan::primary_key(const NodeRef& source, std::size_t keys) {
  plan::Node& node = node_of(source);
  node.schema = with_key(*node.schema, keys);
  if (auto* table = dynamic_cast<plan::SourceNode*>(&node)) {
    table->table = with_key(*table->table, keys);
  }
}

NodeRef Plan::from_changelog(const NodeRef& rows, std::size_t keys) {
  auto node = std::make_shared<plan::FromChangelogNode>(input_of(rows), 0, plan::OpMapping(),
                                                        /*skip_unknown=*/false);
  node->schema = with_key(*node->schema, keys);
  return {std::move(node), -1};
}

NodeRef Plan::in_time_order(const NodeRef& input) {
  TemporalSortOptions options;
  options.types = column_types(*input_of(input).schema());
  return add_native({{input_of(input)}}, input_of(input).schema(), "in_time_order",
                    temporal_sort_time_grain(options),
                    [options] { return make_temporal_sort(options); });
}

void Plan::on_row_failure(RowFailureHandler handler) { *state_->failures = std::move(handler); }

void Plan::sink(const NodeRef& input, const ConnectorSpec& spec) {
  Options options;
  for (const auto& [name, value] : spec.options()) options.set(name, value);
  auto node =
      std::make_shared<plan::SinkNode>(input_of(input), spec.connector(), std::move(options));
  node->name = spec.name();
  node->metadata = metadata_of(*state_, spec, *input_of(input).schema());
  add_format(*state_, spec);
  state_->sinks.push_back(std::move(node));
}

void Plan::sink(const NodeRef& input, std::string name, std::shared_ptr<NativeSink> custom) {
  add_sink(*state_, input, std::move(name), make_native_sink(std::move(custom)));
}

void Plan::sink(const NodeRef& input, std::string name,
                std::function<void(const BatchView& rows)> take) {
  add_sink(*state_, input, std::move(name), make_function_sink(std::move(take)));
}

void Plan::sink(const NodeRef& input, std::string name, EpochFunction take) {
  add_sink(*state_, input, std::move(name), make_epoch_sink(std::move(take)));
}

std::vector<ColumnSpec> Plan::columns(const NodeRef& node) const {
  std::vector<ColumnSpec> columns;
  const Schema& schema = *input_of(node).schema();
  const Result<std::vector<ColumnType>> types = physical_types(schema);
  if (!types.is_ok()) return columns;  // start() will say that such a column cannot be read
  for (int i = 0; i < schema.num_fields(); ++i) {
    columns.push_back({schema.field(i).name, (*types)[static_cast<std::size_t>(i)],
                       schema.field(i).type.nullable()});
  }
  return columns;
}

int Plan::column(const NodeRef& node, std::string_view name) {
  const Schema& schema = *input_of(node).schema();
  const int index = schema.index_of(name);
  if (index >= 0) return index;
  std::vector<std::string> names;
  for (const Field& field : schema.fields()) names.push_back(field.name);
  const std::string nearest = nearest_name(name, names);
  fail(*state_, Status(ErrorCode::kUnknownName,
                       fmt::format("there is no column '{}' in {}", name, schema.to_string()),
                       nearest.empty() ? "" : fmt::format("Did you mean '{}'?", nearest)));
  return 0;
}

std::vector<AggregateCall> Plan::aggregate_calls(const NodeRef& node,
                                                 const std::vector<ColumnAggregate>& aggregates) {
  std::vector<AggregateCall> calls;
  for (const ColumnAggregate& aggregate : aggregates) {
    AggregateCall call;
    call.function = aggregate.function;
    if (!aggregate.column.empty()) call.arguments.push_back(column(node, aggregate.column));
    call.result_name = aggregate.result;
    calls.push_back(std::move(call));
  }
  return calls;
}

void Plan::name(const NodeRef& node, std::string name) { node_of(node).name = std::move(name); }

void Plan::parallelism(const NodeRef& node, int parallelism) {
  node_of(node).parallelism = parallelism;
}

}  // namespace tidegate::untyped
