// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/options.h"
#include "dataflow/connector.h"
#include "dataflow/source.h"
#include "dataflow/watermark_strategy.h"
#include "expr/expr.h"
#include "plan/node.h"

namespace tidegate::plan {

/// Rows of a connector's table.
class SourceNode final : public Node {
 public:
  SourceNode(std::string connector, Options options, SchemaPtr table);
  std::string_view kind() const override { return "Source"; }
  std::string details() const override;
  std::string identity() const override;

  std::string connector;
  Options options;
  SchemaPtr table;              ///< all physical columns
  std::vector<int> projection;  ///< those that are read, in the order of `schema`
  /// Set by the planner: a row of which they are not true is not needed.
  std::vector<ColumnCondition> conditions;
  WatermarkStrategy watermark;  ///< its column is an index into `schema`
  /// Event time as an expression over `schema`, where it is not a column of the source; the
  /// planner makes watermark.extract of it.
  ExprPtr event_time;
  /// Rows of `instance` carry row kinds.
  bool changelog = false;
  std::vector<MetadataColumn> metadata;  ///< of `table`, filled by the connector itself
  std::vector<int> partitioned_by;       ///< columns of `table`
  /// A source of the program's own (or the test driver's), instead of a connector.
  std::shared_ptr<Source> instance;

  /// Keeps only these columns of `schema` (rising indices) and adjusts projection and watermark.
  void keep_columns(const std::vector<int>& columns);
};

}  // namespace tidegate::plan
