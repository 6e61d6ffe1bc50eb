// SPDX-License-Identifier: Apache-2.0
#include "planner/split_keys.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dataflow/connector.h"
#include "dataflow/split_key.h"
#include "planner/test_sql_plan.h"

namespace tidegate {
namespace {

/// A table whose splits are made by its first column.
class SplitByFirst final : public Source, public SplitKey {
 public:
  explicit SplitByFirst(const ConnectorRequest& request) {
    std::vector<Field> fields;
    for (const int column : request.projection) {
      if (column == 0) key_ = {static_cast<int>(fields.size())};
      fields.push_back(request.schema->field(column));
    }
    schema_ = std::make_shared<Schema>(std::move(fields));
  }
  const SchemaPtr& schema() const override { return schema_; }
  bool is_bounded() const override { return false; }
  Status open(SourceContext&) override { return Status::ok(); }
  Result<Discovery> discover(const std::vector<std::string>&) override { return Discovery(); }
  Result<std::unique_ptr<SplitReader>> open_split(const Split&, const std::optional<std::string>&,
                                                  SourceContext&) override {
    return error(ErrorCode::kInternal, "not read");
  }
  std::vector<int> split_key() const override { return key_; }

 private:
  SchemaPtr schema_;
  std::vector<int> key_;
};

class NoSink final : public Sink {
 public:
  SinkGuarantee guarantee() const override { return SinkGuarantee::kAtLeastOnce; }
  Result<std::unique_ptr<SinkWriter>> open_writer(OperatorContext&) override {
    return error(ErrorCode::kInternal, "not written");
  }
};

/// The edges with keys of a query: "h" goes by hash, "f" stays.
std::string exchanges(const std::string& query, bool keeps = true) {
  ConnectorRegistry connectors;
  Connector connector;
  connector.name = "test";
  connector.takes_changes = true;
  connector.make_source = [](const ConnectorRequest& request) -> Result<std::shared_ptr<Source>> {
    return std::shared_ptr<Source>(new SplitByFirst(request));
  };
  connector.make_sink = [](const ConnectorRequest&) -> Result<std::shared_ptr<Sink>> {
    return std::shared_ptr<Sink>(new NoSink());
  };
  connectors.add(std::move(connector));
  const auto roots = plan_of(
      "CREATE TABLE t (k BIGINT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) "
      "WITH ('connector' = 'test'); CREATE TABLE o (a BIGINT, b BIGINT) "
      "WITH ('connector' = 'test'); INSERT INTO o " +
      query + ";");
  if (!roots.is_ok()) return roots.status().to_string();
  LoweringOptions options;
  options.connectors = &connectors;
  options.functions = &builtin_functions();
  if (keeps) options.settings.set(kKeepsSplits, "true");
  const Result<Graph> graph = lower(*roots, options);
  if (!graph.is_ok()) return graph.status().to_string();
  std::string text;
  for (const Node& node : graph->nodes) {
    for (const Edge& edge : node.inputs) {
      if (!edge.keys.empty()) text += edge.exchange == Exchange::kHash ? "h" : "f";
    }
  }
  return text;
}

TEST(SplitKeys, WhatIsGroupedByTheKeyStaysInItsSplit) {
  EXPECT_EQ(exchanges("SELECT k, COUNT(*) FROM t GROUP BY k"), "f");
  EXPECT_EQ(exchanges("SELECT k, COUNT(*) FROM t GROUP BY k", false), "h");
  EXPECT_EQ(exchanges("SELECT x, COUNT(*) FROM (SELECT v, k AS x FROM t WHERE v > 1) GROUP BY x"),
            "f");
  EXPECT_EQ(exchanges("SELECT k, COUNT(*) FROM t GROUP BY v, k"), "f") << "more than the key";
  EXPECT_EQ(exchanges("SELECT k, COUNT(*) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), "
                      "INTERVAL '5' MINUTE)) GROUP BY window_start, window_end, k"),
            "f");
}

TEST(SplitKeys, WhatIsGroupedOtherwiseIsSpread) {
  EXPECT_EQ(exchanges("SELECT v, COUNT(*) FROM t GROUP BY v"), "h");
  EXPECT_EQ(exchanges("SELECT x, COUNT(*) FROM (SELECT k + 1 AS x FROM t) GROUP BY x"), "h")
      << "computed";
  EXPECT_EQ(exchanges("SELECT k, COUNT(*) FROM (SELECT * FROM t UNION ALL SELECT * FROM t) "
                      "GROUP BY k"),
            "h")
      << "of two sources";
}

}  // namespace
}  // namespace tidegate
