// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/file_system.h"
#include "connectors/filesystem/block_feed.h"
#include "connectors/filesystem/metadata_columns.h"
#include "connectors/filesystem/record_position.h"
#include "dataflow/source.h"
#include "formats/format.h"
#include "tidegate/status.h"

namespace tidegate {

/// What reading a file of records takes, apart from the file.
struct RecordReading {
  std::function<Result<std::unique_ptr<Decoder>>()> make_decoder;
  /// Null where records are lines.
  std::function<Result<std::unique_ptr<RecordSplitter>>()> make_splitter;
  bool has_header = false;
  RecordErrorPolicy policy = RecordErrorPolicy::kFail;
  std::string dead_letter_path;
  std::int64_t max_record_bytes = 0;
  std::int64_t block_bytes = 0;
};

/// Reads a file of records, plain or compressed: blocks of it are decoded in parallel on the
/// executor's workers and returned in the file's order. With one worker they are decoded inside
/// poll() instead, which spares handing them over.
Result<std::unique_ptr<SplitReader>> open_record_reader(
    const std::string& path, FileSystem& files, std::shared_ptr<const RecordReading> reading,
    const MetadataColumns& metadata, const RecordPosition& position, SourceContext& context);

}  // namespace tidegate
