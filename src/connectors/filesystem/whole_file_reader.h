// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/file_system.h"
#include "connectors/filesystem/metadata_columns.h"
#include "dataflow/source.h"
#include "formats/format.h"
#include "tidegate/status.h"

namespace tidegate {

/// Reads a file of a format that has no records in it but is one thing (Parquet): on a blocking
/// thread, a few batches ahead. Its position is the number of rows that were returned, or
/// left out in front of these.
class WholeFileReader final : public SplitReader {
 public:
  using OpenDecoder = std::function<Result<std::unique_ptr<FileDecoder>>()>;

  /// `open` is called on the blocking thread.
  WholeFileReader(FileInfo file, OpenDecoder open, const MetadataColumns& metadata,
                  std::int64_t skip_rows, SourceContext& context);
  ~WholeFileReader() override;

  Result<Polled> poll(std::int64_t max_rows) override;
  std::string position() const override { return std::to_string(rows_passed_); }

 private:
  struct Ahead;  // what is read on the blocking thread, which may outlive the reader

  const FileInfo file_;
  const MetadataColumns metadata_;
  Executor& executor_;
  std::shared_ptr<Ahead> ahead_;
  Batch rows_;
  std::int64_t left_ = 0;  // rows of it that were not returned
  std::int64_t rows_passed_;
};

}  // namespace tidegate
