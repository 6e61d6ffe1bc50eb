// SPDX-License-Identifier: Apache-2.0
#include <numeric>

#include "base/check.h"
#include "formats/format.h"
#include "plan/aggregate.h"
#include "plan/sink.h"
#include "plan/source.h"
#include "planner/lower_nodes.h"

namespace tidegate {
namespace {

ConnectorRequest request_for(const plan::Node& node, const SchemaPtr& schema,
                             const std::string& connector, const Options& options,
                             const LoweringOptions& lowering) {
  ConnectorRequest request;
  request.table = node.name;
  request.schema = schema;
  request.options = options;
  request.files = lowering.files;
  request.formats = lowering.formats;
  request.settings = lowering.settings;
  // Settings CONNECTOR.OPTION are defaults of that option.
  const std::string prefix = connector + ".";
  for (const auto& [name, value] : lowering.settings.values()) {
    if (!name.starts_with(prefix)) continue;
    const std::string option = name.substr(prefix.size());
    if (!request.options.has(option)) request.options.set(option, value);
  }
  return request;
}

/// Finds what nobody understands before anything outside is touched.
Status check_options(const Connector& connector, const ConnectorRequest& request) {
  std::vector<OptionSpec> specs = connector.options;
  if (connector.takes_format && request.options.has("format")) {
    TG_ASSIGN_OR_RETURN(const Format* format,
                        request.formats->find(request.options.get_string_or("format", "")));
    specs.insert(specs.end(), format->options.begin(), format->options.end());
  }
  return request.options.validate(specs, "connector '" + connector.name + "'");
}

Status lower_source(const plan::SourceNode& source, Lowering& lowering) {
  const LoweringOptions& options = lowering.options();
  Node node = lowering.make_node(source);
  node.watermark = source.watermark;
  if (const auto given = options.sources.find(source.name); given != options.sources.end()) {
    node.source = given->second;
  } else if (source.instance != nullptr) {
    node.source = source.instance;
  } else {
    TG_ASSIGN_OR_RETURN(const Connector* connector, options.connectors->find(source.connector));
    if (!connector->make_source) {
      return error(ErrorCode::kNotSupported, "connector '{}' cannot be read from",
                   source.connector);
    }
    ConnectorRequest request =
        request_for(source, source.table, source.connector, source.options, options);
    request.projection = source.projection;
    TG_RETURN_IF_ERROR(check_options(*connector, request));
    TG_ASSIGN_OR_RETURN(node.source, connector->make_source(request));
  }
  lowering.set_output(source, lowering.add(std::move(node)));
  return Status::ok();
}

/// Newer results of a key must not overtake older ones on their way to a sink of other parallelism.
void spread_to_sink(const plan::Node& from, Edge& edge) {
  edge.exchange = Exchange::kRebalance;
  const auto* keyed = dynamic_cast<const plan::KeyedNode*>(&from);
  if (keyed == nullptr || keyed->keys.empty() || edge.side >= 0) return;
  edge.exchange = Exchange::kHash;
  edge.keys.resize(keyed->keys.size());  // they are the first columns of its output
  std::iota(edge.keys.begin(), edge.keys.end(), 0);
}

Status lower_sink(const plan::SinkNode& sink, Lowering& lowering) {
  const LoweringOptions& options = lowering.options();
  Node node = lowering.make_node(sink);
  const SchemaPtr& schema = sink.inputs[0].schema();
  if (const auto given = options.sinks.find(sink.name); given != options.sinks.end()) {
    node.sink = given->second;
  } else if (sink.instance != nullptr) {
    node.sink = sink.instance;
  } else {
    TG_ASSIGN_OR_RETURN(const Connector* connector, options.connectors->find(sink.connector));
    if (!connector->make_sink) {
      return error(ErrorCode::kNotSupported, "connector '{}' cannot be written to", sink.connector);
    }
    ConnectorRequest request = request_for(sink, schema, sink.connector, sink.options, options);
    request.projection.resize(static_cast<std::size_t>(schema->num_fields()));
    std::iota(request.projection.begin(), request.projection.end(), 0);
    TG_RETURN_IF_ERROR(check_options(*connector, request));
    TG_ASSIGN_OR_RETURN(node.sink, connector->make_sink(request));
  }
  // A sink that stands at the parallelism of its input is chained to it.
  const Node& input = lowering.graph().nodes[static_cast<std::size_t>(
      lowering.edge_from(sink.inputs[0], Exchange::kForward).from)];
  if (node.parallelism == 0) node.parallelism = node.sink->parallelism();
  if (node.parallelism == 0) node.parallelism = input.parallelism;
  Edge edge = lowering.edge_from(sink.inputs[0], Exchange::kForward);
  if (node.parallelism != input.parallelism) spread_to_sink(*sink.inputs[0].node, edge);
  node.inputs.push_back(std::move(edge));
  lowering.set_output(sink, lowering.add(std::move(node)));
  return Status::ok();
}

}  // namespace

void register_source_lowering(LoweringRegistry& registry) {
  registry.add<plan::SourceNode>(lower_source);
}

void register_sink_lowering(LoweringRegistry& registry) {
  registry.add<plan::SinkNode>(lower_sink);
}

}  // namespace tidegate
