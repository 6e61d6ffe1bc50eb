// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/file_system.h"
#include "formats/format.h"
#include "tidegate/status.h"

namespace tidegate {

/// Opens a Parquet file to read the wanted columns, found by name, one row group after the other.
/// Columns that the file lacks are NULL; columns of another type are cast where nothing but digits
/// of a fraction of a second can get lost. Row groups of which
/// the file says that no row fulfils the conditions are not read. kFileTruncated, kMalformedFile,
/// kTypeMismatch.
Result<std::unique_ptr<FileDecoder>> open_parquet(const DecodeRequest& request,
                                                  std::shared_ptr<RandomAccessFile> file);

}  // namespace tidegate
