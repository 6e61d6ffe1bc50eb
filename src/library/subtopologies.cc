// SPDX-License-Identifier: Apache-2.0
#include "library/subtopologies.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "runtime/execution_plan.h"

namespace tidegate::library {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

/// All rows go to one task.
bool gathers(const Graph& graph, const Node& to, const Edge& edge) {
  if (edge.exchange == Exchange::kHash) return edge.keys.empty();
  // A sink of its own parallelism takes rows wherever they are.
  return to.sink == nullptr && to.parallelism == 1 && graph.nodes[at(edge.from)].parallelism != 1;
}

/// The planner found that rows of a key are in one partition, and so in one task, already. Two
/// inputs would have to be spread in the same way.
bool is_keyed(const Node& to, const Edge& edge) {
  return edge.exchange == Exchange::kForward && !edge.keys.empty() && to.inputs.size() == 1;
}

bool is_cut(const Graph& graph, const Node& to, const Edge& edge) {
  const bool by_key = edge.exchange == Exchange::kHash || !edge.keys.empty();
  return (by_key && !is_keyed(to, edge)) || gathers(graph, to, edge);
}

/// Numbers the connected components in the order of their first nodes.
class Components {
 public:
  explicit Components(std::size_t nodes) : parents_(nodes) {
    std::iota(parents_.begin(), parents_.end(), 0);
  }
  void join(int a, int b) { parents_[at(find(a))] = find(b); }
  std::vector<int> numbers() {
    std::map<int, int> by_root;
    std::vector<int> numbers;
    for (std::size_t i = 0; i < parents_.size(); ++i) {
      const int next = static_cast<int>(by_root.size());
      numbers.push_back(by_root.try_emplace(find(static_cast<int>(i)), next).first->second);
    }
    return numbers;
  }

 private:
  int find(int node) {
    while (parents_[at(node)] != node) node = parents_[at(node)] = parents_[at(parents_[at(node)])];
    return node;
  }
  std::vector<int> parents_;
};

SchemaPtr schema_of(const Graph& graph, const Edge& edge) {
  const Node& from = graph.nodes[at(edge.from)];
  return edge.side < 0 ? from.schema : from.side_schemas[at(edge.side)];
}

/// The sinks that a transaction of Kafka covers, and those that promise nothing.
Status join_sink(const Node& node) {
  if (node.sink->join_transaction() || node.sink->guarantee() != SinkGuarantee::kTransactional)
    return Status::ok();
  return Status(ErrorCode::kNotSupported,
                fmt::format("the sink '{}' in library mode, which commits in transactions of Kafka",
                            node.name),
                "Write to kafka or upsert-kafka, or run without --application-id.");
}

}  // namespace

std::string topic_part(std::string_view uid) {
  constexpr std::size_t kMostChars = 40;
  std::string part;
  for (const char c : uid) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!upper && !plain) break;
    part += static_cast<char>(upper ? c - 'A' + 'a' : c);
    if (part.size() == kMostChars) break;
  }
  std::uint64_t hash = 14'695'981'039'346'656'037U;  // FNV-1a
  for (const char c : uid) hash = (hash ^ static_cast<std::uint8_t>(c)) * 1'099'511'628'211U;
  return fmt::format("{}{}{:08x}", part, part.empty() ? "" : "-",
                     static_cast<std::uint32_t>(hash ^ (hash >> 32)));
}

Result<Topology> Topology::cut(const Graph& graph, std::string_view application_id) {
  TG_ASSIGN_OR_RETURN(const ExecutionPlan plan, cut_into_chains(graph, 1));
  Topology topology;
  Components components(graph.nodes.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    topology.uids_.push_back(plan.nodes[i].uid);
    for (const Edge& edge : node.inputs) {
      if (edge.exchange == Exchange::kBroadcast)
        return error(ErrorCode::kNotSupported, "the broadcast to '{}' in library mode", node.name);
      if (!is_cut(graph, node, edge)) components.join(static_cast<int>(i), edge.from);
    }
  }
  topology.part_of_node_ = components.numbers();
  topology.parts_.resize(
      at(*std::max_element(topology.part_of_node_.begin(), topology.part_of_node_.end()) + 1));
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    Subtopology& part = topology.parts_[at(topology.part_of_node_[i])];
    part.nodes.push_back(static_cast<int>(i));
    part.keyed = part.keyed || std::any_of(node.inputs.begin(), node.inputs.end(),
                                           [&](const Edge& edge) { return is_keyed(node, edge); });
    for (std::size_t input = 0; input < node.inputs.size(); ++input) {
      const Edge& edge = node.inputs[input];
      if (!is_cut(graph, node, edge)) continue;
      if (gathers(graph, node, edge)) part.single = true;
      const std::string uid =
          input == 0 ? plan.nodes[i].uid : fmt::format("{}#{}", plan.nodes[i].uid, input);
      topology.repartitions_.push_back(
          {fmt::format("{}-{}-repartition", application_id, topic_part(uid)),
           topology.part_of_node_[at(edge.from)], topology.part_of_node_[i], edge,
           static_cast<int>(i), schema_of(graph, edge), plan.nodes[i].grain});
    }
  }
  TG_RETURN_IF_ERROR(topology.take_ends(graph));
  return topology;
}

Status Topology::take_ends(const Graph& graph) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (node.sink != nullptr) TG_RETURN_IF_ERROR(join_sink(node));
    if (node.source == nullptr) continue;
    const std::optional<LogTopics> log = node.source->log_topics();
    if (!log)
      return Status(ErrorCode::kNotSupported,
                    fmt::format("the source '{}' in library mode, which reads Kafka", node.name),
                    "Read topics of Kafka, or run without --application-id.");
    if (log->topics.empty())
      return error(ErrorCode::kNotSupported, "the topic-pattern of '{}' in library mode",
                   node.name);
    std::vector<std::string>& topics = parts_[at(part_of_node_[i])].topics;
    for (const std::string& topic : log->topics) {
      if (std::find(topics.begin(), topics.end(), topic) == topics.end()) topics.push_back(topic);
    }
  }
  return Status::ok();
}

Status Topology::set_partitions(
    const std::function<Result<int>(const std::string& topic)>& partitions_of) {
  for (Subtopology& part : parts_) {
    part.partitions = part.single ? 1 : 0;
    for (const std::string& topic : part.topics) {
      TG_ASSIGN_OR_RETURN(const int partitions, partitions_of(topic));
      if (part.partitions == 0) part.partitions = partitions;
      if (part.partitions == partitions) continue;
      return Status(ErrorCode::kNotSupported,
                    fmt::format("topic '{}' has {} partitions, but what is read together with it "
                                "in library mode has {}",
                                topic, partitions, part.partitions),
                    "Give the topics the same number of partitions.");
    }
  }
  // As many as in front, where nothing else is said; each round settles at least one.
  for (std::size_t round = 0; round < parts_.size(); ++round) {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (parts_[i].single || !parts_[i].topics.empty()) continue;
      for (const Repartition& each : repartitions_) {
        if (each.to == static_cast<int>(i))
          parts_[i].partitions = std::max(parts_[i].partitions, parts_[at(each.from)].partitions);
      }
    }
  }
  return Status::ok();
}

int Topology::num_tasks() const {
  int tasks = 0;
  for (const Subtopology& part : parts_) tasks += part.partitions;
  return tasks;
}

const std::string& Topology::anchor_of(int subtopology) const {
  const Subtopology& part = parts_[at(subtopology)];
  if (!part.topics.empty()) return part.topics.front();
  const auto read = std::find_if(repartitions_.begin(), repartitions_.end(),
                                 [&](const Repartition& each) { return each.to == subtopology; });
  TG_CHECK(read != repartitions_.end(), "nothing feeds subtopology {}", subtopology);
  return read->topic;
}

Result<Graph> Topology::graph_of(int subtopology, Graph whole, const Ends& ends) const {
  if (whole.nodes.size() != uids_.size())
    return error(ErrorCode::kInternal, "the plan of '{}' has {} steps, and had {}", whole.job_name,
                 whole.nodes.size(), uids_.size());
  Graph graph;
  graph.job_name = whole.job_name;
  graph.key_groups = whole.key_groups;
  std::vector<int> places(whole.nodes.size(), -1);
  std::vector<int> source_places(repartitions_.size(), -1);
  for (std::size_t i = 0; i < repartitions_.size(); ++i) {
    const Repartition& each = repartitions_[i];
    if (each.to != subtopology) continue;
    Node node;
    node.name = each.topic;
    node.uid = each.topic + ".source";
    node.schema = each.schema;
    node.source = ends.make_source(each);
    source_places[i] = static_cast<int>(graph.nodes.size());
    graph.nodes.push_back(std::move(node));
  }
  for (const int index : parts_[at(subtopology)].nodes) {
    Node node = std::move(whole.nodes[at(index)]);
    node.uid = uids_[at(index)];
    node.parallelism = 0;
    std::size_t cut = 0;
    for (Edge& edge : node.inputs) {
      while (cut < repartitions_.size() && repartitions_[cut].reader < index) ++cut;
      const bool is_cut_here = cut < repartitions_.size() && repartitions_[cut].reader == index &&
                               repartitions_[cut].edge.from == edge.from &&
                               repartitions_[cut].edge.side == edge.side &&
                               repartitions_[cut].edge.input == edge.input &&
                               repartitions_[cut].edge.exchange == edge.exchange;
      if (is_cut_here) {
        edge.from = source_places[cut++];
        edge.side = -1;
        if (edge.exchange != Exchange::kHash)
          edge.exchange = edge.keys.empty() ? Exchange::kForward : Exchange::kHash;
      } else {
        edge.from = places[at(edge.from)];
        edge.exchange = edge.keys.empty() ? Exchange::kForward : Exchange::kHash;
      }
    }
    places[at(index)] = static_cast<int>(graph.nodes.size());
    graph.nodes.push_back(std::move(node));
  }
  for (const Repartition& each : repartitions_) {
    if (each.from != subtopology) continue;
    Node node;
    node.name = each.topic;
    node.uid = each.topic + ".sink";
    node.time_grain = each.grain;
    node.sink = ends.make_sink(each);
    Edge edge;
    edge.from = places[at(each.edge.from)];
    edge.side = each.edge.side;
    node.inputs.push_back(std::move(edge));
    graph.nodes.push_back(std::move(node));
  }
  TG_RETURN_IF_ERROR(graph.validate());
  return graph;
}

std::string Topology::to_string() const {
  std::string text;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    text += fmt::format("subtopology {}:", i);
    for (const std::string& topic : parts_[i].topics) text += fmt::format(" reads {}", topic);
    for (const Repartition& each : repartitions_)
      if (each.to == static_cast<int>(i)) text += fmt::format(" reads {}", each.topic);
    for (const Repartition& each : repartitions_)
      if (each.from == static_cast<int>(i)) text += fmt::format(" writes {}", each.topic);
    for (const int node : parts_[i].nodes) text += fmt::format(" [{}]", uids_[at(node)]);
    text += "\n";
  }
  return text;
}

}  // namespace tidegate::library
