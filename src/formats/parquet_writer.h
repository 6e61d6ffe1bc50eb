// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/file_system.h"
#include "base/options.h"
#include "formats/format.h"
#include "tidegate/status.h"
#include "types/schema.h"

namespace tidegate {

/// Writes rows as a Parquet file, which close() syncs and closes. Holds one row group in memory,
/// encoded and compressed.
Result<std::unique_ptr<FileEncoder>> create_parquet(const SchemaPtr& schema, const Options& options,
                                                    std::unique_ptr<WritableFile> file);

}  // namespace tidegate
