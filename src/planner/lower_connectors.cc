// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <utility>

#include "base/check.h"
#include "expr/compiled_expr.h"
#include "formats/format.h"
#include "operators/changelog_normalize.h"
#include "operators/event_times.h"
#include "operators/row_codec.h"
#include "plan/source.h"
#include "planner/changelog.h"
#include "planner/connector_request.h"
#include "planner/lower_nodes.h"
#include "planner/split_keys.h"
#include "planner/stream_facts.h"

namespace tidegate {
namespace {

/// The event time of each row from an expression over it.
Status extract_event_time(const plan::SourceNode& source, const Lowering& lowering,
                          WatermarkStrategy& watermark) {
  TG_ASSIGN_OR_RETURN(const FunctionRegistry* functions, lowering.functions());
  TG_ASSIGN_OR_RETURN(CompiledExpr compiled,
                      CompiledExpr::compile(source.event_time, *source.schema, *functions));
  auto time = std::make_shared<const CompiledExpr>(std::move(compiled));
  watermark.column = -1;
  watermark.extract = [time, context = lowering.eval_context()](const Batch& batch,
                                                                EventTime* times) -> Status {
    EvalContext own = context;
    TG_ASSIGN_OR_RETURN(ArrayPtr column, time->evaluate(batch, own));
    const Batch computed(batch.num_rows(), {std::move(column)});
    EventTimes read;
    TG_RETURN_IF_ERROR(read.read(computed, 0));
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      // Says nothing about how far time has come.
      times[row] = read.is_null(row) ? kMinWatermark : read.times()[static_cast<std::size_t>(row)];
    }
    return Status::ok();
  };
  return Status::ok();
}

Status set_watermark(const plan::SourceNode& source, const Lowering& lowering, Node& node) {
  node.watermark = source.watermark;
  if (source.event_time != nullptr) {
    TG_RETURN_IF_ERROR(extract_event_time(source, lowering, node.watermark));
  }
  if (node.watermark.kind != WatermarkStrategy::Kind::kNone &&
      node.watermark.idle_timeout_ms == 0) {
    node.watermark.idle_timeout_ms = lowering.settings().idle_timeout_ms;
  }
  return Status::ok();
}

/// A node behind the source that makes a full changelog of its changes by key.
Status make_whole(const plan::SourceNode& source, Node from, Lowering& lowering) {
  const std::vector<int>& key = source.schema->primary_key;
  if (key.empty() || std::count(key.begin(), key.end(), -1) > 0) {
    return error(
        ErrorCode::kInvalidPlan,
        "table '{}' of connector '{}' needs a PRIMARY KEY of columns that are not computed",
        source.name, source.connector);
  }
  ChangelogNormalizeOptions options;
  options.types = column_types(*source.schema);
  options.keys = key;
  options.ttl_ms = lowering.settings().state_ttl_ms;
  Node node = lowering.make_node(source);
  node.name += ".changelog_normalize";
  node.uid += ".changelog_normalize";
  Edge edge;
  edge.keys = key;
  edge.exchange = keeps_splits(lowering.options()) && tells_splits_apart(key, *from.source)
                      ? Exchange::kForward
                      : Exchange::kHash;
  edge.from = lowering.add(std::move(from));
  node.inputs.push_back(std::move(edge));
  node.time_grain = kChangelogNormalizeTimeGrain;
  node.make_operator = [options] { return make_changelog_normalize(options); };
  return lowering.finish(source, std::move(node));
}

Status lower_source(const plan::SourceNode& source, Lowering& lowering) {
  const LoweringOptions& options = lowering.options();
  Node node = lowering.make_node(source);
  TG_RETURN_IF_ERROR(set_watermark(source, lowering, node));
  if (const auto given = options.sources.find(source.name); given != options.sources.end()) {
    node.source = given->second;
  } else if (source.instance != nullptr) {
    node.source = source.instance;
  } else {
    TG_ASSIGN_OR_RETURN(const auto make_source, connector_source_maker(source, options));
    TG_ASSIGN_OR_RETURN(node.source, make_source());
  }
  if (node.source->is_bounded() && options.drains) lowering.facts().set_bounded(source);
  if (source_upserts(source, options)) return make_whole(source, std::move(node), lowering);
  return lowering.finish(source, std::move(node));
}

}  // namespace

ConnectorRequest connector_request(const plan::Node& node, const SchemaPtr& schema,
                                   const std::string& connector, const Options& options,
                                   const LoweringOptions& lowering) {
  ConnectorRequest request;
  request.table = node.name;
  request.schema = schema;
  request.options = options;
  request.files = lowering.files;
  request.formats = lowering.formats;
  request.settings = lowering.settings;
  request.job = lowering.job_name;
  // Settings CONNECTOR.OPTION are defaults of that option.
  const std::string prefix = connector + ".";
  for (const auto& [name, value] : lowering.settings.values()) {
    if (!name.starts_with(prefix)) continue;
    const std::string option = name.substr(prefix.size());
    if (!request.options.has(option)) request.options.set(option, value);
  }
  return request;
}

Result<std::function<Result<std::shared_ptr<Source>>()>> connector_source_maker(
    const plan::SourceNode& source, const LoweringOptions& options) {
  TG_ASSIGN_OR_RETURN(const Connector* connector, options.connectors->find(source.connector));
  if (!connector->make_source) {
    return error(ErrorCode::kNotSupported, "connector '{}' cannot be read from", source.connector);
  }
  ConnectorRequest request =
      connector_request(source, source.table, source.connector, source.options, options);
  request.projection = source.projection;
  request.conditions = source.conditions;
  request.metadata = source.metadata;
  request.partitioned_by = source.partitioned_by;
  TG_RETURN_IF_ERROR(check_connector_options(*connector, request));
  return std::function<Result<std::shared_ptr<Source>>()>(
      [connector, request] { return connector->make_source(request); });
}

Status check_connector_options(const Connector& connector, const ConnectorRequest& request) {
  std::vector<OptionSpec> specs = connector.options;
  if (connector.takes_format && request.options.has("format")) {
    TG_ASSIGN_OR_RETURN(const Format* format,
                        request.formats->find(request.options.get_string_or("format", "")));
    specs.insert(specs.end(), format->options.begin(), format->options.end());
  }
  return request.options.validate(specs, "connector '" + connector.name + "'");
}

void register_source_lowering(LoweringRegistry& registry) {
  registry.add<plan::SourceNode>(lower_source);
}

}  // namespace tidegate
