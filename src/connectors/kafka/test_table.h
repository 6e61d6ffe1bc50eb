// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "dataflow/connector.h"
#include "formats/format.h"
#include "kafka/test_broker.h"
#include "types/logical_type.h"

namespace tidegate::kafka {

/// A table of the connector: its request, and what that points to.
class TestTable {
 public:
  /// Columns in Flink's notation: "url STRING, n BIGINT NOT NULL".
  TestTable(std::string_view columns, const std::string& brokers, const TestSettings& options)
      : formats_(std::make_unique<FormatRegistry>()) {
    register_all_formats(*formats_);
    const auto row = LogicalType::parse(fmt::format("ROW<{}>", columns));
    TG_CHECK(row.is_ok(), "{}", row.status().to_string());
    std::vector<Field> fields;
    for (const LogicalType::Child& child : row->children())
      fields.push_back(Field{child.name, child.type});
    request.table = "t";
    request.schema = std::make_shared<Schema>(std::move(fields));
    for (int i = 0; i < request.schema->num_fields(); ++i) request.projection.push_back(i);
    request.formats = formats_.get();
    request.options.set("properties.bootstrap.servers", brokers);
    for (const auto& [name, value] : options) request.options.set(name, value);
  }

  /// Columns that come from beside the record: {"at", "timestamp"}.
  TestTable& metadata(const TestSettings& columns) {
    for (const auto& [column, key] : columns)
      request.metadata.push_back({request.schema->index_of(column), key});
    return *this;
  }

  ConnectorRequest request;

 private:
  std::unique_ptr<FormatRegistry> formats_;
};

}  // namespace tidegate::kafka
