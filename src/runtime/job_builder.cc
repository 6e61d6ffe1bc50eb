// SPDX-License-Identifier: Apache-2.0
#include "runtime/job_builder.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/check.h"
#include "dataflow/state_context.h"
#include "runtime/channel.h"
#include "runtime/input_gate.h"
#include "runtime/key_hasher.h"
#include "runtime/router.h"
#include "runtime/source_head.h"

namespace tidegate {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

const OperatorState* state_of(const EpochRecord* record, const std::string& uid) {
  if (record == nullptr) return nullptr;
  for (const OperatorState& state : record->operators)
    if (state.uid == uid) return &state;
  return nullptr;
}

// With as many subtasks as before each goes on where it was. Else they share the state by key
// groups, and event time is where the slowest one was. An operator has finished when all of it has:
// while some subtasks go on, the finished ones may be given rows again.
OperatorState::Subtask restored_subtask(const OperatorState& state, int subtask, int parallelism) {
  OperatorState::Subtask slowest{kMaxWatermark, true};
  for (const OperatorState::Subtask& old : state.subtasks) {
    slowest.finished = slowest.finished && old.finished;
    slowest.watermark = std::min(slowest.watermark, old.watermark);
  }
  if (slowest.finished || static_cast<int>(state.subtasks.size()) != parallelism) return slowest;
  const OperatorState::Subtask& own = state.subtasks[at(subtask)];
  return own.finished ? slowest : own;
}

class JobBuilder {
 public:
  JobBuilder(const Graph& graph, const ExecutionPlan& plan, TaskHost& host)
      : graph_(graph), plan_(plan), host_(host), restore_(host.options().restore.get()) {}

  JobParts run() {
    for (std::size_t chain = 0; chain < plan_.chains.size(); ++chain) {
      first_task_.push_back(static_cast<int>(parts_.tasks.size()));
      for (int subtask = 0; subtask < plan_.chains[chain].parallelism; ++subtask) {
        const int index = static_cast<int>(parts_.tasks.size());
        parts_.tasks.push_back(std::make_unique<Task>(host_, index, subtask));
      }
    }
    inputs_.resize(parts_.tasks.size());
    for (std::size_t chain = 0; chain < plan_.chains.size(); ++chain) add_sources(chain);
    for (const ChannelPlan& channel : plan_.channels) add_channels(channel);
    for (std::size_t chain = 0; chain < plan_.chains.size(); ++chain) {
      for (int subtask = 0; subtask < plan_.chains[chain].parallelism; ++subtask)
        fill_task(chain, subtask);
    }
    return std::move(parts_);
  }

 private:
  Task& task(std::size_t chain, int subtask) {
    return *parts_.tasks[at(first_task_[chain] + subtask)];
  }

  void add_sources(std::size_t chain) {
    const ChainPlan& plan = plan_.chains[chain];
    const int index = plan.nodes[0];
    const Node& node = graph_.nodes[at(index)];
    if (node.source == nullptr) return;
    const std::string& label = plan_.nodes[at(index)].label;
    auto enumerator = std::make_unique<SplitEnumerator>(node, label, plan.parallelism, host_);
    std::unique_ptr<WatermarkAlignment> alignment;
    if (node.watermark.max_drift_ms > 0) {
      alignment =
          std::make_unique<WatermarkAlignment>(node.watermark.max_drift_ms, plan.parallelism);
    }
    EpochCoordinator::SourceTasks source{index, enumerator.get(), {}};
    for (int subtask = 0; subtask < plan.parallelism; ++subtask) {
      Task& owner = task(chain, subtask);
      enumerator->set_reader(subtask, owner.activation());
      if (alignment) alignment->set_task(subtask, owner.activation());
      SourceHead::Spec spec{&node,
                            index,
                            label,
                            subtask,
                            plan_.nodes[at(index)].grain,
                            enumerator.get(),
                            alignment.get(),
                            restore_ ? restore_->epoch : 0};
      auto head = std::make_unique<SourceHead>(std::move(spec), host_, owner.activation());
      source.heads.push_back(head.get());
      owner.set_head(std::move(head));
    }
    if (restore_ != nullptr) {
      for (const SourceState& state : restore_->sources)
        if (state.uid == plan_.nodes[at(index)].uid) enumerator->restore(state);
    }
    parts_.enumerators.push_back(std::move(enumerator));
    if (alignment) parts_.alignments.push_back(std::move(alignment));
    parts_.sources.push_back(std::move(source));
  }

  // One routed edge per producing task.
  void add_channels(const ChannelPlan& plan) {
    const Edge& edge = *plan.edge;
    const int producers = plan_.chains[at(plan.from_chain)].parallelism;
    const int consumers = plan_.chains[at(plan.to_chain)].parallelism;
    for (int producer = 0; producer < producers; ++producer) {
      std::vector<std::shared_ptr<Channel>> channels;
      for (int consumer = 0; consumer < consumers; ++consumer) {
        // From more to fewer, neighbours meet.
        const bool connects =
            plan.exchange != Exchange::kForward || consumer == producer * consumers / producers;
        if (!connects) continue;
        const int to = first_task_[at(plan.to_chain)] + consumer;
        auto channel = std::make_shared<Channel>(host_.options().channel,
                                                 task(at(plan.from_chain), producer).activation(),
                                                 parts_.tasks[at(to)]->activation());
        inputs_[at(to)].push_back({channel, edge.input, plan.order});
        channels.push_back(std::move(channel));
      }
      RoutedEdge routed(plan.exchange, std::move(channels), producer);
      if (plan.exchange == Exchange::kHash) {
        const Node& from = graph_.nodes[at(edge.from)];
        const Schema& schema = edge.side < 0 ? *from.schema : *from.side_schemas[at(edge.side)];
        const KeyGroupRange all{0, graph_.key_groups, graph_.key_groups};
        routed.set_keys(KeyHasher(schema, edge.keys), host_.options().key_groups.value_or(all));
      }
      edges_[{edge.from, edge.side, producer}].push_back(std::move(routed));
    }
  }

  // Null when nobody reads this output.
  std::unique_ptr<Router> router(int node, int side, int subtask, Chain& chain) {
    const auto found = edges_.find({node, side, subtask});
    auto router =
        std::make_unique<Router>([&chain](Status status) { chain.fail(std::move(status)); });
    if (found == edges_.end()) return router;
    for (RoutedEdge& edge : found->second) router->add(std::move(edge));
    return router;
  }

  void fill_task(std::size_t chain_index, int subtask) {
    const ChainPlan& plan = plan_.chains[chain_index];
    Task& owner = task(chain_index, subtask);
    Chain& chain = owner.chain();
    std::vector<std::pair<ChainNode*, ChainNode::Restored>> nodes;
    for (int index : plan.nodes) {
      const Node& node = graph_.nodes[at(index)];
      if (node.source != nullptr) continue;
      ChainNode& step = chain.add(node_spec(index, subtask, chain));
      nodes.emplace_back(&step, restored(index, subtask));
    }
    const int last = plan.nodes.back();
    chain.connect(router(last, -1, subtask, chain));
    if (restore_ != nullptr) chain.set_sealed_epoch(restore_->epoch);
    if (graph_.nodes[at(plan.nodes[0])].source == nullptr) {
      const EventTime watermark = nodes.front().second.state.watermark;
      const int index = first_task_[chain_index] + subtask;
      owner.set_head(std::make_unique<InputGate>(std::move(inputs_[at(index)]), watermark,
                                                 host_.options().planner != nullptr));
    }
    owner.set_opener([nodes = std::move(nodes)]() -> Status {
      for (const auto& [node, state] : nodes) TG_RETURN_IF_ERROR(node->open(state));
      return Status::ok();
    });
  }

  ChainNode::Spec node_spec(int index, int subtask, Chain& chain) {
    const Node& node = graph_.nodes[at(index)];
    const NodePlan& plan = plan_.nodes[at(index)];
    ChainNode::Spec spec;
    spec.node = &node;
    spec.name = plan.label;
    spec.uid = plan.uid;
    spec.index = index;
    spec.subtask = subtask;
    spec.parallelism = plan.parallelism;
    spec.key_groups = graph_.key_groups;
    spec.state_context = state_context_of(graph_, node);
    spec.state_context.may_drop = host_.options().drop_unclaimed_state;
    if (plan.keyed_in_chain) {
      const Edge& edge = node.inputs[0];
      spec.hasher.emplace(*graph_.nodes[at(edge.from)].schema, edge.keys);
    }
    for (std::size_t side = 0; side < node.side_schemas.size(); ++side)
      spec.sides.push_back(router(index, static_cast<int>(side), subtask, chain));
    return spec;
  }

  ChainNode::Restored restored(int index, int subtask) const {
    ChainNode::Restored restored;
    if (restore_ == nullptr) return restored;
    restored.epoch = restore_->epoch;
    const NodePlan& plan = plan_.nodes[at(index)];
    const OperatorState* state = state_of(restore_, plan.uid);
    if (state == nullptr) return restored;
    restored.state = restored_subtask(*state, subtask, plan.parallelism);
    if (!state->deltas.empty()) restored.deltas = &state->deltas;
    return restored;
  }

  const Graph& graph_;
  const ExecutionPlan& plan_;
  TaskHost& host_;
  const EpochRecord* restore_;
  JobParts parts_;
  std::vector<int> first_task_;                                         // by chain
  std::vector<std::vector<InputGate::Input>> inputs_;                   // by task
  std::map<std::tuple<int, int, int>, std::vector<RoutedEdge>> edges_;  // node, side, subtask
};

}  // namespace

Status check_restorable(const EpochRecord& record, const Graph& graph, const ExecutionPlan& plan,
                        bool drop_unclaimed) {
  if (record.key_groups != graph.key_groups)
    return error(ErrorCode::kStateMismatch,
                 "the state is in {} key groups, but the job '{}' has {}", record.key_groups,
                 graph.job_name, graph.key_groups);
  if (drop_unclaimed) return Status::ok();
  std::set<std::string> sources;
  std::set<std::string> operators;
  for (std::size_t i = 0; i < plan.nodes.size(); ++i)
    (graph.nodes[i].source != nullptr ? sources : operators).insert(plan.nodes[i].uid);
  for (const SourceState& state : record.sources) {
    if (!sources.contains(state.uid))
      return error(ErrorCode::kStateMismatch,
                   "epoch {} holds positions of a source '{}', which "
                   "the job '{}' does not have",
                   record.epoch, state.uid, graph.job_name);
  }
  const auto check_operator = [&](const std::string& uid) {
    return operators.contains(uid) ? Status::ok()
                                   : error(ErrorCode::kStateMismatch,
                                           "epoch {} holds state of an operator '{}', which the "
                                           "job '{}' does not have",
                                           record.epoch, uid, graph.job_name);
  };
  for (const OperatorState& state : record.operators) {
    if (!state.deltas.empty()) TG_RETURN_IF_ERROR(check_operator(state.uid));
  }
  for (const TableName& table : record.held) TG_RETURN_IF_ERROR(check_operator(table.first));
  return Status::ok();
}

JobParts build_job(const Graph& graph, const ExecutionPlan& plan, TaskHost& host) {
  return JobBuilder(graph, plan, host).run();
}

}  // namespace tidegate
