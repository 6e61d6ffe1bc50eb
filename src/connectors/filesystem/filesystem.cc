// SPDX-License-Identifier: Apache-2.0
// The connector 'filesystem': files to read, a folder of files to write. Options as Flink's
// connector of that name, and what to do about records that cannot be read.

#include <utility>

#include "connectors/filesystem/file_sink.h"
#include "connectors/filesystem/file_source.h"
#include "dataflow/connector.h"
#include "formats/record_errors.h"

namespace tidegate {

void register_connector_filesystem(ConnectorRegistry& registry) {
  Connector connector;
  connector.name = "filesystem";
  connector.description =
      "Files, folders and globs, plain or compressed; sinks publish whole files.";
  connector.options = {
      {"path", "string", "", "A file, a folder or a glob to read; a folder to write.", true},
      {"format", "string", "", "How records are written in the files.", true},
      {"source.monitor-interval", "duration", "",
       "Look for new files this often; without it the source ends with the files that are there."},
      {"source.path.regex-pattern", "string", "", "Only files whose whole path matches are read."},
      {"maxFilesPerTrigger", "integer", "",
       "Micro-batches: at most so many files each, unless the job says otherwise."},
      {"maxBytesPerTrigger", "size", "",
       "Micro-batches: files until there are so many bytes; one at least."},
      {"source.report-statistics", "all|none", "all", "Taken for Flink's sake."},
      {"source.block-size", "size", "512 KiB",
       "How much of a file is decoded at a time; several blocks are in work at once."},
      {"dead-letter.path", "string", "",
       "The folder for records that cannot be read, with error-policy dead-letter."},
      {"sink.rolling-policy.file-size", "size", "128 MiB",
       "A larger file is closed, a new one begun."},
      {"sink.rolling-policy.rollover-interval", "duration", "30 min",
       "So is an older one. Each epoch has files of its own in any case."},
      {"sink.rolling-policy.check-interval", "duration", "1 min",
       "Taken for Flink's sake; age is checked with every batch."},
      {"sink.partition-commit.policy.kind", "string", "",
       "success-file: a partition's folder gets an empty file with its first rows."},
      {"sink.partition-commit.trigger", "process-time|partition-time", "process-time",
       "Only process-time is supported."},
      {"sink.partition-commit.delay", "duration", "0 s", "Only 0 is supported."},
      {"sink.partition-commit.success-file.name", "string", "_SUCCESS", "The name of that file."},
      {"partition.default-name", "string", "__DEFAULT_PARTITION__",
       "The folder of rows whose partition column is null or empty."},
      {"sink.shuffle-by-partition.enable", "boolean", "false", "Taken for Flink's sake."},
      {"auto-compaction", "boolean", "false", "Only false is supported."},
      {"sink.parallelism", "integer", "", "How many tasks write; default: the job's parallelism."},
  };
  for (OptionSpec& option : record_error_options()) connector.options.push_back(std::move(option));
  connector.takes_format = true;
  connector.takes_partitions = true;
  connector.make_source = make_file_source;
  connector.make_sink = make_file_sink;
  registry.add(std::move(connector));
}

}  // namespace tidegate
