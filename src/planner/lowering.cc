// SPDX-License-Identifier: Apache-2.0
#include "planner/lowering.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "plan/relational.h"
#include "plan/sink.h"
#include "planner/lint.h"
#include "planner/lower_nodes.h"
#include "planner/rules.h"
#include "planner/split_keys.h"
#include "planner/state_bound.h"
#include "planner/stream_facts.h"
#include "planner/unique_keys.h"

namespace tidegate {
namespace {

/// Says who the node is when nobody named it: "WindowAggregate[keys=[url], ...]".
std::string with_kind(const plan::Node& node, const std::string& details) {
  return details.empty() ? std::string(node.kind()) : fmt::format("{}[{}]", node.kind(), details);
}

const Clock& clock_of(const LoweringOptions& options) {
  return options.clock == nullptr ? system_clock() : *options.clock;
}

/// Rows of a query come to its sink through a projection to the table's columns; those of the typed
/// API are what their types say.
void mark_checked_sinks(const std::vector<plan::NodePtr>& roots) {
  for (const plan::NodePtr& root : roots) {
    auto* sink = dynamic_cast<plan::SinkNode*>(root.get());
    if (sink == nullptr) continue;
    sink->checks_constraints =
        dynamic_cast<const plan::ProjectNode*>(sink->inputs[0].node.get()) != nullptr;
  }
}

}  // namespace

Lowering::Lowering(const LoweringOptions& options, PlanSettings settings)
    : options_(options),
      settings_(std::move(settings)),
      start_ms_(clock_of(options).wall_ms()),
      facts_(std::make_unique<PlanFacts>(options)) {}

Lowering::~Lowering() = default;

Result<const FunctionRegistry*> Lowering::functions() const {
  if (options_.functions != nullptr) return options_.functions;
  return error(ErrorCode::kInvalidArgument,
               "the plan has expressions, but no functions were given");
}

EvalContext Lowering::eval_context() const {
  EvalContext context;
  context.time_zone = settings_.time_zone;
  context.query_start_ms = start_ms_;
  return context;
}

void Lowering::feed_in_place(Node& node, const plan::Input& input) const {
  Edge edge = edge_from(input, Exchange::kForward);
  const Node& from = graph_.nodes[static_cast<std::size_t>(edge.from)];
  node.parallelism = from.parallelism;
  node.inputs.push_back(std::move(edge));
}

void Lowering::feed_by_key(Node& node, const plan::Input& input, std::vector<int> keys,
                           int input_index) const {
  if (keys.empty()) node.parallelism = 1;
  Edge edge = edge_from(input, Exchange::kHash, std::move(keys));
  edge.input = input_index;
  node.inputs.push_back(std::move(edge));
}

void Lowering::feed_in_order(Node& node, const plan::Input& input, int input_index) {
  Edge edge = edge_from(input, Exchange::kForward);
  edge.input = input_index;
  const Node& from = graph_.nodes[static_cast<std::size_t>(edge.from)];
  if (from.parallelism != node.parallelism) {
    const StreamFacts& facts = facts_->of(input);
    edge.exchange = facts.retracts ? Exchange::kHash : Exchange::kRebalance;
    if (facts.retracts) edge.keys = smallest_key(facts.keys);
    if (facts.retracts && edge.keys.empty()) {
      edge.keys.resize(static_cast<std::size_t>(input.schema()->num_fields()));
      std::iota(edge.keys.begin(), edge.keys.end(), 0);
    }
  }
  node.inputs.push_back(std::move(edge));
}

Status Lowering::finish(const plan::Node& of, Node node) {
  set_output(of, add(std::move(node)));
  return Status::ok();
}

Edge Lowering::edge_from(const plan::Input& input, Exchange exchange, std::vector<int> keys) const {
  const auto found = places_.find(input.node.get());
  TG_CHECK(found != places_.end(), "{} is read before it is lowered", input.node->kind());
  Edge edge;
  edge.from = input.side < 0 ? found->second.main : found->second.sides;
  edge.side = input.side;
  edge.exchange = exchange;
  edge.keys = std::move(keys);
  if (exchange == Exchange::kHash && keeps_splits(options_)) {
    const std::optional<SourceColumns> read = source_columns(input, edge.keys);
    if (!read) return edge;
    const Node* node = &graph_.nodes[static_cast<std::size_t>(places_.at(read->source).main)];
    while (node->source == nullptr)  // what makes its rows whole stands behind it
      node = &graph_.nodes[static_cast<std::size_t>(node->inputs[0].from)];
    if (tells_splits_apart(read->columns, *node->source)) edge.exchange = Exchange::kForward;
  }
  return edge;
}

Node Lowering::make_node(const plan::Node& node) const {
  Node out;
  out.name = node.name.empty() ? with_kind(node, node.details()) : node.name;
  // A name that the program gave is the identity of the state, whatever else changes.
  out.uid = node.name.empty() ? with_kind(node, node.identity()) : node.name;
  out.parallelism = node.parallelism == 0 ? settings_.parallelism : node.parallelism;
  out.schema = node.schema;
  out.side_schemas = node.side_schemas;
  return out;
}

namespace {

/// The first n from 2 on such that no node is called `prefix`n, in one pass over the nodes.
std::size_t first_free_number(const std::string& prefix, const std::vector<Node>& nodes) {
  std::vector<bool> taken(nodes.size() + 3);
  for (const Node& node : nodes) {
    if (!node.uid.starts_with(prefix)) continue;
    std::size_t n = 0;
    const char* const begin = node.uid.data() + prefix.size();
    const char* const end = node.uid.data() + node.uid.size();
    const auto [read, failed] = std::from_chars(begin, end, n);
    if (failed == std::errc() && read == end && *begin != '0' && n < taken.size()) taken[n] = true;
  }
  return static_cast<std::size_t>(std::find(taken.begin() + 2, taken.end(), false) - taken.begin());
}

}  // namespace

// Two operators of the same identity are told apart by what else they are, and then by their order
// in the plan.
void Lowering::tell_apart(Node& node) const {
  const auto taken = [&](const std::string& uid) {
    return std::any_of(graph_.nodes.begin(), graph_.nodes.end(),
                       [&](const Node& other) { return other.uid == uid; });
  };
  if (!taken(node.uid)) return;
  if (node.uid != node.name && !taken(node.name)) {
    node.uid = node.name;
    return;
  }
  const std::size_t n = first_free_number(node.uid + "#", graph_.nodes);
  node.uid = fmt::format("{}#{}", node.uid, n);
  node.name = fmt::format("{}#{}", node.name, n);
}

int Lowering::add(Node node) {
  tell_apart(node);
  graph_.nodes.push_back(std::move(node));
  return static_cast<int>(graph_.nodes.size()) - 1;
}

void Lowering::set_output(const plan::Node& node, int index, int side_index) {
  places_[&node] = {index, side_index < 0 ? index : side_index};
  take_note(node, index);
}

void Lowering::take_note(const plan::Node& node, int index) {
  const auto at = static_cast<std::size_t>(index);
  if (notes_.size() <= at) notes_.resize(at + 1);
  NodeNotes& notes = notes_[at];
  // A plan node that became nothing leaves the word to the one that stands there.
  if (!notes.changelog.empty()) return;
  const bool is_sink = node.schema == nullptr;
  const StreamFacts& facts = is_sink ? facts_->of(node.inputs[0]) : facts_->of(node);
  const Schema& schema = is_sink ? *node.inputs[0].schema() : *node.schema;
  notes.changelog = !facts.retracts      ? "insert-only (+I)"
                    : facts.tells_before ? "changelog (+I, -U, +U, -D)"
                                         : "changelog (+I, +U, -D)";
  const ColumnSet key = smallest_key(facts.keys);
  if (!key.empty()) notes.key = plan::column_names(schema, key);
  if (!is_sink) notes.state = state_bound_of(node, *facts_, settings_).text;
  std::vector<int> times;
  for (std::size_t i = 0; i < facts.times.size(); ++i) {
    if (facts.times[i] == TimeAttribute::kRowtime) times.push_back(static_cast<int>(i));
  }
  notes.time = plan::column_names(schema, times);
  const WatermarkStrategy& watermark = graph_.nodes[at].watermark;
  if (watermark.kind == WatermarkStrategy::Kind::kBoundedDisorder) {
    notes.time +=
        fmt::format("{}watermark {} ms behind", notes.time.empty() ? "" : ", ", watermark.delay_ms);
  }
}

const LowerNode* LoweringRegistry::find(const plan::Node& node) const {
  const auto found = by_type_.find(typeid(node));
  return found == by_type_.end() ? nullptr : &found->second;
}

Result<Graph> lower(const std::vector<plan::NodePtr>& roots, const LoweringOptions& options) {
  TG_ASSIGN_OR_RETURN(LoweredPlan lowered, lower_with_notes(roots, options));
  return std::move(lowered.graph);
}

Result<LoweredPlan> lower_with_notes(const std::vector<plan::NodePtr>& roots,
                                     const LoweringOptions& options) {
  if (roots.empty()) {
    return Status(ErrorCode::kInvalidPlan, "the pipeline has no sink, so nothing would be computed",
                  "End a stream with sink(), print() or for_each().");
  }
  TG_ASSIGN_OR_RETURN(PlanSettings settings, PlanSettings::from(options.settings));
  mark_checked_sinks(roots);
  TG_RETURN_IF_ERROR(rewrite_plan(roots, options));
  LoweringRegistry registry;
  register_lowerings(registry);
  Lowering lowering(options, std::move(settings));
  lowering.graph().job_name = options.job_name;
  for (plan::Node* node : plan::topological_order(roots)) {
    const LowerNode* lower_node = registry.find(*node);
    TG_CHECK(lower_node != nullptr, "no lowering for {}", node->kind());
    Status status = (*lower_node)(*node, lowering);
    if (!status.is_ok()) {
      return std::move(status).with_context(node->name.empty()
                                                ? std::string(node->kind())
                                                : fmt::format("{} '{}'", node->kind(), node->name));
    }
  }
  LoweredPlan lowered;
  lowered.warnings = lint(roots, lowering);
  lowered.notes = lowering.notes();
  lowered.graph = std::move(lowering.graph());
  lowered.notes.resize(lowered.graph.nodes.size());
  TG_RETURN_IF_ERROR(lowered.graph.validate());
  return lowered;
}

}  // namespace tidegate
