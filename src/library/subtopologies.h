// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataflow/graph.h"
#include "tidegate/status.h"

namespace tidegate::library {

/// A topic that carries rows between tasks in the place of an exchange.
struct Repartition {
  std::string topic;
  int from = 0;  ///< subtopologies, which may be the same
  int to = 0;
  Edge edge;       ///< that was cut; `from` is the node in the whole graph
  int reader = 0;  ///< the node that holds the edge
  SchemaPtr schema;
  TimeGrain grain;  ///< of all operators behind it
};

/// What of the graph runs as one task per partition.
struct Subtopology {
  std::vector<int> nodes;           ///< of the whole graph, in order
  std::vector<std::string> topics;  ///< that its sources read
  bool single = false;              ///< one task does it all: aggregates without a key
  /// Its partitions own the keys that are in theirs of the source topic, whatever their key group.
  bool keyed = false;
  int partitions = 0;  ///< by set_partitions()
};

/// A graph cut at its exchanges. The cut depends on nothing but the graph, so that all instances of
/// a program, and every time that it is planned anew, come to the same one.
class Topology {
 public:
  /// kNotSupported for what library mode has not: sources other than Kafka, broadcasts, sinks that
  /// commit by themselves. Tells the sinks that the mode commits.
  static Result<Topology> cut(const Graph& graph, std::string_view application_id);

  const std::vector<Subtopology>& subtopologies() const { return parts_; }
  const std::vector<Repartition>& repartitions() const { return repartitions_; }

  /// `partitions_of` says how many a source topic has. Subtopologies have as many as their source
  /// topics, or as those in front of them. kNotSupported when topics read together differ.
  Status set_partitions(const std::function<Result<int>(const std::string& topic)>& partitions_of);
  int num_tasks() const;
  int partitions_of(const Repartition& repartition) const {
    return parts_[static_cast<std::size_t>(repartition.to)].partitions;
  }

  /// The topic whose partitions stand for the tasks of a subtopology: who owns one owns its task.
  const std::string& anchor_of(int subtopology) const;

  /// Makes the ends of a repartition topic.
  struct Ends {
    std::function<std::shared_ptr<Sink>(const Repartition&)> make_sink;
    std::function<std::shared_ptr<Source>(const Repartition&)> make_source;
  };
  /// The graph of one subtopology, out of `whole`, which is the graph that was cut or the same
  /// planned again.
  Result<Graph> graph_of(int subtopology, Graph whole, const Ends& ends) const;

  /// For people: a line per subtopology.
  std::string to_string() const;

 private:
  Topology() = default;
  Status take_ends(const Graph& graph);

  std::vector<Subtopology> parts_;
  std::vector<Repartition> repartitions_;
  std::vector<std::string> uids_;  // of the nodes that were cut
  std::vector<int> part_of_node_;
};

/// The name of an operator as a part of a topic's name: what Kafka takes of it, and a hash of all.
std::string topic_part(std::string_view uid);

}  // namespace tidegate::library
