// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dataflow/connector.h"
#include "tidegate/status.h"
#include "types/batch.h"
#include "types/key_encoding.h"
#include "types/schema.h"

namespace tidegate {

/// The folders of a table that is PARTITIONED BY columns: one level per column, named
/// "<column>=<value>" as Hive does. Characters that are special in paths are written %XX; null and
/// the empty text are the option 'partition.default-name'. The columns are not in the files.

/// The option 'partition.default-name'.
std::string default_partition_name(const Options& options);

/// "k=a%2Fb" of k and "a/b".
std::string partition_folder(std::string_view column, std::optional<std::string_view> value,
                             std::string_view default_name);

/// The value of a column in the path of a file; kMalformedFile when no folder of it names the
/// column. nullopt: null.
Result<std::optional<std::string>> partition_value(std::string_view path, std::string_view column,
                                                   std::string_view default_name);

/// Cuts batches by partition. One thread.
class PartitionFolders {
 public:
  /// kNotSupported for columns of types that have no text in a path.
  static Result<PartitionFolders> from(const ConnectorRequest& request);

  /// Another one that has seen nothing.
  PartitionFolders copy() const;
  /// Without PARTITIONED BY there is one partition, whose folder is "".
  bool any() const { return !columns_.empty(); }
  int depth() const { return static_cast<int>(columns_.size()); }
  /// The columns that are in the files.
  const SchemaPtr& file_schema() const { return file_schema_; }

  /// Calls visit(folder, rows without the partition columns) per partition, in the order in which
  /// they first appear; rows stay in order. `folder` is relative: "k=1/d=2026-01-02".
  Status split(const Batch& batch,
               const std::function<Status(const std::string& folder, Batch rows)>& visit);

 private:
  explicit PartitionFolders(std::vector<LogicalType> types) : keys_(std::move(types)) {}

  const std::string& folder_of(const Batch& batch, std::int64_t row, std::string_view key);
  Batch without_partition_columns(const Batch& batch) const;

  SchemaPtr schema_;
  SchemaPtr file_schema_;
  std::vector<int> columns_;
  std::vector<int> file_columns_;
  std::string default_name_;
  KeyCodec keys_;
  EncodedKeys encoded_;
  std::unordered_map<std::string, std::string> folders_;  // by encoded key
};

}  // namespace tidegate
