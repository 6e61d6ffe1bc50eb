// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/file_system.h"
#include "formats/format.h"
#include "tidegate/status.h"

namespace tidegate {

/// Avro object container files, all numbers as AvroInput reads them:
///
///   "Obj" 0x01 | map of metadata: "avro.schema", "avro.codec" | sync marker, 16 bytes
///   then blocks: rows | bytes | the rows, compressed by the codec | the sync marker
Result<std::unique_ptr<FileDecoder>> open_avro(const DecodeRequest& request,
                                               std::shared_ptr<RandomAccessFile> file);
Result<std::unique_ptr<FileEncoder>> create_avro(const SchemaPtr& schema, const Options& options,
                                                 std::unique_ptr<WritableFile> file);

/// The file's schema for these columns, by the format's options.
Result<std::string> avro_schema_for(const Schema& schema, const Options& options);

}  // namespace tidegate
