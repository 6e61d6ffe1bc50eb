// SPDX-License-Identifier: Apache-2.0
#include "runtime/execution_plan.h"

#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "base/check.h"

namespace tidegate {
namespace {

class ChainCutter {
 public:
  ChainCutter(const Graph& graph, int default_parallelism)
      : graph_(graph), default_parallelism_(default_parallelism) {}

  Result<ExecutionPlan> run() {
    if (default_parallelism_ < 1)
      return error(ErrorCode::kInvalidArgument, "parallelism {} is not at least 1",
                   default_parallelism_);
    TG_RETURN_IF_ERROR(graph_.validate());
    plan_.nodes.resize(graph_.nodes.size());
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      plan_.nodes[i].parallelism = node.parallelism > 0 ? node.parallelism : default_parallelism_;
      TG_RETURN_IF_ERROR(check_key_groups(i));
    }
    TG_RETURN_IF_ERROR(name_nodes());
    combine_grains();
    find_sources();
    build_chains();
    build_channels();
    return std::move(plan_);
  }

 private:
  Status check_key_groups(std::size_t i) const {
    for (const Edge& edge : graph_.nodes[i].inputs) {
      if (edge.exchange != Exchange::kHash || plan_.nodes[i].parallelism <= graph_.key_groups)
        continue;
      return Status(
          ErrorCode::kInvalidPlan,
          fmt::format("operator '{}' has parallelism {}, but its keys are in {} groups",
                      graph_.nodes[i].name, plan_.nodes[i].parallelism, graph_.key_groups),
          "Lower the parallelism, or start the job anew with more key groups.");
    }
    return Status::ok();
  }

  Status name_nodes() {
    std::set<std::string> uids;
    for (const Node& node : graph_.nodes) {
      if (!node.uid.empty() && !uids.insert(node.uid).second)
        return error(ErrorCode::kInvalidPlan, "two operators have the uid '{}'", node.uid);
    }
    std::set<std::string> labels;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      plan_.nodes[i].label = unique(node.name, labels);
      plan_.nodes[i].uid = node.uid.empty() ? unique(node.name, uids) : node.uid;
    }
    return Status::ok();
  }

  static std::string unique(const std::string& name, std::set<std::string>& taken) {
    std::string candidate = name;
    for (int n = 2; !taken.insert(candidate).second; ++n) candidate = fmt::format("{} {}", name, n);
    return candidate;
  }

  // Consumers come after producers, so going backwards everybody behind a node is done.
  void combine_grains() {
    for (std::size_t i = graph_.nodes.size(); i-- > 0;) {
      const TimeGrain grain = TimeGrain::combine(plan_.nodes[i].grain, graph_.nodes[i].time_grain);
      plan_.nodes[i].grain = grain;
      for (const Edge& edge : graph_.nodes[i].inputs) {
        TimeGrain& upstream = plan_.nodes[static_cast<std::size_t>(edge.from)].grain;
        upstream = TimeGrain::combine(upstream, grain);
      }
    }
  }

  void find_sources() {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      std::set<int>& sources = plan_.nodes[i].sources;
      if (graph_.nodes[i].source != nullptr) sources.insert(static_cast<int>(i));
      for (const Edge& edge : graph_.nodes[i].inputs)
        sources.merge(std::set<int>(plan_.nodes[static_cast<std::size_t>(edge.from)].sources));
    }
  }

  bool joins_chain(std::size_t i, const std::vector<int>& readers) const {
    const Node& node = graph_.nodes[i];
    if (node.inputs.size() != 1) return false;
    const Edge& edge = node.inputs[0];
    const int parallelism = plan_.nodes[i].parallelism;
    if (edge.side >= 0 || readers[static_cast<std::size_t>(edge.from)] != 1) return false;
    if (parallelism != plan_.nodes[static_cast<std::size_t>(edge.from)].parallelism) return false;
    return edge.exchange == Exchange::kForward || parallelism == 1;
  }

  void build_chains() {
    std::vector<int> readers(graph_.nodes.size(), 0);  // of the main output
    for (const Node& node : graph_.nodes) {
      for (const Edge& edge : node.inputs)
        if (edge.side < 0) ++readers[static_cast<std::size_t>(edge.from)];
    }
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      NodePlan& node = plan_.nodes[i];
      if (joins_chain(i, readers)) {
        const Edge& edge = graph_.nodes[i].inputs[0];
        node.chain = plan_.nodes[static_cast<std::size_t>(edge.from)].chain;
        node.keyed_in_chain = edge.exchange == Exchange::kHash;
      } else {
        node.chain = static_cast<int>(plan_.chains.size());
        plan_.chains.push_back(ChainPlan{{}, node.parallelism});
      }
      plan_.chains[static_cast<std::size_t>(node.chain)].nodes.push_back(static_cast<int>(i));
    }
  }

  void build_channels() {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const NodePlan& to = plan_.nodes[i];
      if (plan_.chains[static_cast<std::size_t>(to.chain)].nodes[0] != static_cast<int>(i))
        continue;
      std::map<std::set<int>, int> orders;  // by sources
      for (const Edge& edge : graph_.nodes[i].inputs) {
        const NodePlan& from = plan_.nodes[static_cast<std::size_t>(edge.from)];
        ChannelPlan channel{&edge, from.chain, to.chain, edge.exchange};
        if (to.grain.orders_rows)
          channel.order = orders.try_emplace(from.sources, std::ssize(orders)).first->second;
        if (edge.exchange == Exchange::kForward && from.parallelism < to.parallelism)
          channel.exchange = Exchange::kRebalance;
        plan_.channels.push_back(channel);
      }
    }
  }

  const Graph& graph_;
  const int default_parallelism_;
  ExecutionPlan plan_;
};

}  // namespace

Result<ExecutionPlan> cut_into_chains(const Graph& graph, int default_parallelism) {
  return ChainCutter(graph, default_parallelism).run();
}

}  // namespace tidegate
