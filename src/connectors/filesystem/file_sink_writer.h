// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/metrics.h"
#include "base/options.h"
#include "connectors/filesystem/part_file.h"
#include "connectors/filesystem/part_names.h"
#include "connectors/filesystem/partition_folders.h"
#include "connectors/filesystem/serial_io.h"
#include "dataflow/sink.h"
#include "formats/format.h"

namespace tidegate {

/// What the writers of a file sink have in common.
struct FileSinkSettings {
  std::string table;
  std::string job;
  std::string folder;
  FileSystem* files = nullptr;
  Format format;
  SchemaPtr schema;  ///< of the files
  Options options;
  std::int64_t max_file_bytes = 0;
  std::int64_t rollover_ms = 0;
};

/// Writes the rows of one task into files that nobody sees yet: per partition one at a time, begun
/// anew by size, age and epoch. All file operations are on a blocking thread.
class FileSinkWriter final : public SinkWriter {
 public:
  /// Settings and names belong to the sink, which outlives it.
  FileSinkWriter(const FileSinkSettings& settings, PartNames& names, PartitionFolders partitions,
                 OperatorContext& context);
  /// What was not prepared belongs to no epoch and is removed.
  ~FileSinkWriter() override;

  /// Removes what killed runs of this sink have left.
  Status open();
  Result<Progress> write(Batch batch) override;
  Result<Progress> resume() override;
  Result<Progress> flush() override;
  Result<std::string> prepare(EpochId epoch) override;

 private:
  using PartPtr = std::shared_ptr<PartFile>;
  /// A file that is being written.
  struct OpenPart {
    PartPtr part;
    std::string name;
    std::int64_t sequence = 0;
    std::int64_t started_ms = 0;
    std::int64_t sent_bytes = 0;
    std::string buffer;  // encoded rows that were not sent yet
  };
  struct Finished {
    PartPtr part;
    std::string folder;
    std::string name;
    std::int64_t sequence = 0;
  };

  Status write_rows(const std::string& folder, Batch rows);
  OpenPart& part_of(const std::string& folder);
  void start(const std::string& folder, OpenPart& open);
  bool is_due(const OpenPart& open) const;
  void send_buffer(OpenPart& open);
  void finish(const std::string& folder, OpenPart& open);
  void finish_oldest();
  void discard(const PartPtr& part);
  Status in_table(Status status) const;

  const FileSinkSettings& settings_;
  PartNames& names_;
  PartitionFolders partitions_;
  const Clock& clock_;
  const int subtask_;
  const std::string owner_;
  SerialIo io_;
  Counter& bytes_;
  std::unique_ptr<Encoder> encoder_;  // null for formats of whole files

  std::map<std::string, OpenPart> open_;  // by folder of the partition
  std::int64_t sequence_ = 0;             // of the last file, over all epochs
  std::vector<Finished> finished_;        // of this epoch
  bool flushing_ = false;
};

}  // namespace tidegate
