// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "types/schema.h"

namespace tidegate::plan {

class Node;
using NodePtr = std::shared_ptr<Node>;

/// An output of a node that another node reads.
struct Input {
  NodePtr node;
  int side = -1;  ///< -1: main output, else the index of the side output

  const SchemaPtr& schema() const;
};

/// A step of the logical plan: what is to be done, not how. SQL and the typed API both end here;
/// the planner rewrites the tree and lowers it to a dataflow::Graph. Each kind of node is a file of
/// its own under plan/ with a lowering of its own under planner/.
class Node {
 public:
  explicit Node(std::vector<Input> inputs) : inputs(std::move(inputs)) {}
  virtual ~Node() = default;

  /// "WindowAggregate"; for explain and state identity.
  virtual std::string_view kind() const = 0;
  /// What distinguishes this node from others of its kind: "keys=[url], window=TUMBLE(5 min)".
  virtual std::string details() const { return {}; }
  /// The part of it that makes its state another one, and not only other columns of it.
  virtual std::string identity() const { return details(); }

  /// Marks in `used` the columns of input `input` that the node reads. All of them by default.
  virtual void mark_columns_read(int input, std::vector<bool>& used) const;
  /// Column i of input `input` now stands at new_index[i] (-1: gone, was not read). Only called
  /// when the node does not read everything.
  virtual void remap_columns(int input, const std::vector<int>& new_index);

  /// For people and for state identity; empty: made from kind and details.
  std::string name;
  /// Where in the text it comes from, for messages: "at f.sql, line 3, column 5:", the line and a
  /// caret. Null: unknown. Not to be called once the text has been planned.
  std::function<std::string()> place;
  /// 0: the job's.
  int parallelism = 0;
  std::vector<Input> inputs;
  /// Of the main output (null for sinks) and of the side outputs.
  SchemaPtr schema;
  std::vector<SchemaPtr> side_schemas;
  std::vector<std::string> side_names;
};

/// All nodes that the roots need, inputs before readers, each once.
std::vector<Node*> topological_order(const std::vector<NodePtr>& roots);

/// Names made of the column names of a schema: "url, ts".
std::string column_names(const Schema& schema, const std::vector<int>& columns);

}  // namespace tidegate::plan
