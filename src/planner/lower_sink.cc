// SPDX-License-Identifier: Apache-2.0
//
// Sinks, and what stands in front of them so that they get what they can take: rows that keep the
// table's promises, and changes that fit its primary key.
#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "operators/changelog_rows.h"
#include "operators/constraint_check.h"
#include "operators/upsert_materialize.h"
#include "plan/aggregate.h"
#include "plan/sink.h"
#include "planner/changelog.h"
#include "planner/connector_request.h"
#include "planner/lower_nodes.h"
#include "planner/lower_rows.h"
#include "planner/sink_changes.h"
#include "planner/stream_facts.h"
#include "planner/unique_keys.h"

namespace tidegate {
namespace {

/// Newer results of a key must not overtake older ones on their way to a sink of other parallelism.
bool spread_typed(const plan::Node& from, Edge& edge) {
  const auto* keyed = dynamic_cast<const plan::KeyedNode*>(&from);
  if (keyed == nullptr || keyed->keys.empty() || edge.side >= 0) return false;
  edge.exchange = Exchange::kHash;
  edge.keys.resize(keyed->keys.size());  // they are the first columns of its output
  std::iota(edge.keys.begin(), edge.keys.end(), 0);
  return true;
}

ConstraintCheckOptions constraints_of(const plan::SinkNode& sink, const PlanSettings& settings) {
  ConstraintCheckOptions options;
  options.schema = sink.inputs[0].schema();
  options.not_null = static_cast<ConstraintCheckOptions::NotNull>(settings.not_null);
  options.length = static_cast<ConstraintCheckOptions::Length>(settings.length);
  options.nested = static_cast<ConstraintCheckOptions::Nested>(settings.nested);
  return options;
}

/// A node of its own between the plan's input of a sink and the sink.
Node node_before(const plan::SinkNode& sink, const std::string& what, const Lowering& lowering) {
  Node node = lowering.make_node(sink);
  node.name += "." + what;
  node.uid += "." + what;
  node.schema = sink.inputs[0].schema();
  return node;
}

/// The way of rows to a sink: where it has come, and how rows are told apart there.
class SinkPath {
 public:
  SinkPath(const plan::SinkNode& sink, Taking taking, Lowering& lowering)
      : sink_(sink),
        taking_(taking),
        lowering_(lowering),
        facts_(lowering.facts().of(sink.inputs[0])),
        primary_key_(sink.inputs[0].schema()->primary_key) {
    std::sort(primary_key_.begin(), primary_key_.end());
    edge_ = lowering.edge_from(sink.inputs[0], Exchange::kForward);
  }

  Status check_constraints() {
    const ConstraintCheckOptions options = constraints_of(sink_, lowering_.settings());
    if (!sink_.checks_constraints || !needs_constraint_check(options)) return Status::ok();
    Node node = node_before(sink_, "constraints", lowering_);
    node.parallelism = from().parallelism;
    node.inputs.push_back(edge_);
    node.time_grain = kConstraintCheckTimeGrain;
    node.make_operator = [options] { return make_constraint_check(options); };
    go_on_from(lowering_.add(std::move(node)));
    return Status::ok();
  }

  void fit_to_key() {
    switch (key_fit_of(sink_, taking_, facts_, lowering_.settings())) {
      case KeyFit::kFits:
        return;
      case KeyFit::kMaterialize:
        return materialize();
      case KeyFit::kDropBefore:
        if (facts_.tells_before) drop_update_before();
        by_primary_key_ = true;
    }
  }

  /// Joins the sink to it; sets its parallelism where that is open.
  void feed(Node& node) {
    if (node.parallelism == 0) node.parallelism = node.sink->parallelism();
    if (node.parallelism == 0) node.parallelism = from().parallelism;
    // A sink that stands at the parallelism of its input is chained to it.
    if (node.parallelism != from().parallelism) spread();
    node.inputs.push_back(edge_);
  }

 private:
  const Node& from() const { return lowering_.graph().nodes[static_cast<std::size_t>(edge_.from)]; }
  void go_on_from(int index) {
    edge_ = Edge();
    edge_.from = index;
  }
  void materialize() {
    const Schema& schema = *sink_.inputs[0].schema();
    UpsertMaterializeOptions options;
    options.types = column_types(schema);
    options.primary_key = schema.primary_key;
    options.input_key = smallest_key(facts_.keys);
    options.ttl_ms = lowering_.settings().state_ttl_ms;
    Node node = node_before(sink_, "upsert_materialize", lowering_);
    edge_.exchange = Exchange::kHash;
    edge_.keys = schema.primary_key;
    node.inputs.push_back(edge_);
    node.time_grain = kUpsertMaterializeTimeGrain;
    node.make_operator = [options] { return make_upsert_materialize(options); };
    go_on_from(lowering_.add(std::move(node)));
    by_primary_key_ = true;
  }

  void drop_update_before() {
    Node node = node_before(sink_, "drop_update_before", lowering_);
    node.parallelism = from().parallelism;
    node.inputs.push_back(edge_);
    node.time_grain = kChangelogRowsTimeGrain;
    node.make_operator = []() -> Result<std::unique_ptr<Operator>> {
      return make_drop_update_before();
    };
    go_on_from(lowering_.add(std::move(node)));
  }

  void spread() {
    edge_.exchange = Exchange::kRebalance;
    const bool by_key = by_primary_key_ || (!primary_key_.empty() && !facts_.retracts) ||
                        (!primary_key_.empty() && has_key_within(facts_.keys, primary_key_));
    if (by_key) {
      edge_.exchange = Exchange::kHash;
      edge_.keys = primary_key_;
      return;
    }
    if (facts_.retracts) {
      edge_.exchange = Exchange::kHash;
      edge_.keys = smallest_key(facts_.keys);
      if (!edge_.keys.empty()) return;
      // Without a key a row is itself as a whole.
      edge_.keys.resize(static_cast<std::size_t>(sink_.inputs[0].schema()->num_fields()));
      std::iota(edge_.keys.begin(), edge_.keys.end(), 0);
      return;
    }
    spread_typed(*sink_.inputs[0].node, edge_);
  }

  const plan::SinkNode& sink_;
  const Taking taking_;
  Lowering& lowering_;
  const StreamFacts& facts_;
  ColumnSet primary_key_;
  Edge edge_;
  bool by_primary_key_ = false;
};

Status check_changes(const plan::SinkNode& sink, const Taking& taking, PlanFacts& facts) {
  if (taking.changes || !facts.of(sink.inputs[0]).retracts) return Status::ok();
  return Status(
      ErrorCode::kInvalidPlan,
      fmt::format("Table sink '{}' doesn't support consuming update and delete changes which is "
                  "produced by node {}",
                  sink.name, changelog_origin(sink.inputs[0], facts)),
      "Write to a sink that takes changes (print, or a format such as debezium-json), or make the "
      "query insert-only, for instance with windows.");
}

Status make_sink(const plan::SinkNode& sink, const LoweringOptions& options, Node& node) {
  if (const auto given = options.sinks.find(sink.name); given != options.sinks.end()) {
    node.sink = given->second;
    return Status::ok();
  }
  if (sink.instance != nullptr) {
    node.sink = sink.instance;
    return Status::ok();
  }
  const SchemaPtr& schema = sink.inputs[0].schema();
  TG_ASSIGN_OR_RETURN(const Connector* connector, options.connectors->find(sink.connector));
  if (!connector->make_sink) {
    return error(ErrorCode::kNotSupported, "connector '{}' cannot be written to", sink.connector);
  }
  ConnectorRequest request = connector_request(sink, schema, sink.connector, sink.options, options);
  request.projection.resize(static_cast<std::size_t>(schema->num_fields()));
  std::iota(request.projection.begin(), request.projection.end(), 0);
  request.metadata = sink.metadata;
  request.uid = node.uid;
  request.partitioned_by = sink.partitioned_by;
  if (!sink.partitioned_by.empty() && !connector->takes_partitions) {
    return error(ErrorCode::kNotSupported,
                 "table '{}' is PARTITIONED BY columns, which connector '{}' does not do",
                 sink.name, sink.connector);
  }
  TG_RETURN_IF_ERROR(check_connector_options(*connector, request));
  TG_ASSIGN_OR_RETURN(node.sink, connector->make_sink(request));
  return Status::ok();
}

Status lower_sink(const plan::SinkNode& sink, Lowering& lowering) {
  const LoweringOptions& options = lowering.options();
  Node node = lowering.make_node(sink);
  lowering.tell_apart(node);
  // Its own 'sink.parallelism' or that of its input counts, not the setting of the job.
  node.parallelism = sink.parallelism;
  TG_RETURN_IF_ERROR(make_sink(sink, options, node));
  TG_ASSIGN_OR_RETURN(const Taking taking, taking_of(sink, options));
  TG_RETURN_IF_ERROR(check_changes(sink, taking, lowering.facts()));
  SinkPath path(sink, taking, lowering);
  TG_RETURN_IF_ERROR(path.check_constraints());
  path.fit_to_key();
  path.feed(node);
  return lowering.finish(sink, std::move(node));
}

}  // namespace

void register_sink_lowering(LoweringRegistry& registry) {
  registry.add<plan::SinkNode>(lower_sink);
}

}  // namespace tidegate
