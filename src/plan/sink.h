// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/options.h"
#include "dataflow/connector.h"
#include "dataflow/sink.h"
#include "plan/node.h"

namespace tidegate::plan {

/// Writes the rows of its input to a connector's table.
class SinkNode final : public Node {
 public:
  SinkNode(Input input, std::string connector, Options options)
      : Node({std::move(input)}), connector(std::move(connector)), options(std::move(options)) {}
  std::string_view kind() const override { return "Sink"; }
  std::string details() const override { return "connector=" + connector; }

  std::string connector;
  Options options;
  std::vector<MetadataColumn> metadata;  ///< of the input, written by the connector itself
  std::vector<int> partitioned_by;       ///< columns of the input
  /// Set by the planner for SQL: rows are checked against NOT NULL and the length of texts.
  bool checks_constraints = false;
  /// A sink of the program's own (or the test driver's), instead of a connector.
  std::shared_ptr<Sink> instance;
};

}  // namespace tidegate::plan
