// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/options.h"
#include "dataflow/sink.h"
#include "dataflow/source.h"
#include "formats/column_condition.h"
#include "tidegate/status.h"
#include "types/schema.h"

namespace tidegate {

class FileSystem;      // base/file_system.h
class FormatRegistry;  // formats/format.h

/// A column that the connector fills (or, in a sink, reads) itself instead of the format: SQL's
/// `name TYPE METADATA FROM 'key'`.
struct MetadataColumn {
  int column = -1;  ///< of the request's schema
  std::string key;  ///< the connector's word for it: "timestamp", "headers"
};

/// What a connector gets to make a source or a sink.
struct ConnectorRequest {
  std::string table;  ///< for messages
  std::string uid;    ///< of the sink's node: no other of the job has it, also after a restart
  SchemaPtr schema;   ///< the physical columns, without computed ones
  /// Indices of the columns of `schema` that anybody reads; the source returns just these, in this
  /// order. Everything for sinks.
  std::vector<int> projection;
  /// By which rows may be left out.
  std::vector<ColumnCondition> conditions;
  Options options;  ///< the WITH list, without 'connector'
  FileSystem* files = nullptr;
  /// Set whenever the connector takes a format.
  const FormatRegistry* formats = nullptr;
  std::vector<MetadataColumn> metadata;
  /// PARTITIONED BY: indices of columns of `schema`, in that order.
  std::vector<int> partitioned_by;
  /// The job, so that what is left of an earlier run of it is not taken for another job's.
  std::string job;
  /// What the job was started with (--set), for a connector's defaults ("kafka.brokers").
  Options settings;
};

/// One outside system: its name, options and factories. A folder under src/connectors registers
/// one; nothing else names it.
struct Connector {
  std::string name;                 ///< as in 'connector' = '...'
  std::string description;          ///< one sentence
  std::vector<OptionSpec> options;  ///< besides those of its format
  bool takes_format = false;
  /// Its sink takes changelogs, whatever its format. Else that depends on Format::changelog.
  bool takes_changes = false;
  /// Its sink makes nothing of -U.
  bool ignores_update_before = false;
  /// Its source gives changes by primary key: +I or +U in any order, and -D with nothing but the
  /// key.
  bool gives_upserts = false;
  /// Its sink lays rows out by the columns of PARTITIONED BY.
  bool takes_partitions = false;
  /// Empty when the connector cannot be read from (or written to).
  std::function<Result<std::shared_ptr<Source>>(const ConnectorRequest&)> make_source;
  std::function<Result<std::shared_ptr<Sink>>(const ConnectorRequest&)> make_sink;
};

/// All connectors by name.
class ConnectorRegistry {
 public:
  void add(Connector connector);
  /// The connector, or kUnknownName with the nearest one.
  Result<const Connector*> find(std::string_view name) const;
  std::vector<const Connector*> all() const;

 private:
  std::map<std::string, Connector, std::less<>> connectors_;
};

/// Calls every register_connector_* (generated from the folders of src/connectors).
void register_all_connectors(ConnectorRegistry& registry);

}  // namespace tidegate
