// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/file_system.h"
#include "dataflow/connector.h"
#include "tidegate/status.h"
#include "types/batch.h"
#include "types/schema.h"

namespace tidegate {

/// Columns that say which file a row is from: 'file.path', 'file.name' (STRING), 'file.size'
/// (BIGINT), 'file.modification-time' (TIMESTAMP_LTZ(3)); and the columns of PARTITIONED BY, which
/// its folders name. Splits a request into what the format reads and what is put in beside it.
class MetadataColumns {
 public:
  static Result<MetadataColumns> from(const ConnectorRequest& request);

  /// The columns that are in the files, and which of them are wanted.
  const SchemaPtr& file_schema() const { return file_schema_; }
  const std::vector<int>& file_projection() const { return file_projection_; }

  /// Rows of the file's wanted columns to rows of all wanted columns.
  Result<Batch> complete(Batch rows, const FileInfo& file) const;

 private:
  struct Column {
    int in_file = -1;       // index in file_projection_, or -1 for others
    std::string key;        // of metadata
    std::string partition;  // the name of a column of PARTITIONED BY, or empty
    LogicalType type;
  };

  SchemaPtr file_schema_;
  std::vector<int> file_projection_;
  std::vector<Column> columns_;
  std::string default_partition_;
  bool any_ = false;
};

}  // namespace tidegate
