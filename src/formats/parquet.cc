// SPDX-License-Identifier: Apache-2.0
// The format 'parquet': whole files, through Arrow's reader and writer.

#include <utility>

#include "formats/format.h"
#include "formats/parquet_reader.h"
#include "formats/parquet_writer.h"

namespace tidegate {

void register_format_parquet(FormatRegistry& registry) {
  Format format;
  format.name = "parquet";
  format.description = "Apache Parquet files; columns are found by name.";
  format.options = {
      {"parquet.compression", "string", "snappy",
       "How files are compressed: snappy, gzip, zstd, lz4, brotli or none."},
      {"parquet.block.size", "size", "128 MiB", "Size of a row group before encoding."},
      {"parquet.utc-timezone", "boolean", "true",
       "Taken for Flink's sake; timestamps are always stored as UTC."},
  };
  format.make_file_decoder = open_parquet;
  format.make_file_encoder = create_parquet;
  registry.add(std::move(format));
}

}  // namespace tidegate
