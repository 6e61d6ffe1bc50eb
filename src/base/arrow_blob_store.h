// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/blob_store.h"

namespace tidegate {

/// The store behind an s3://, gs:// or hdfs:// URI, by Arrow's file systems. Its library is set up
/// when the first such URI is opened and closed down at the end of the process. Unfenced: none of
/// them offers a conditional put.
Result<std::unique_ptr<BlobStore>> open_arrow_blob_store(const std::string& uri,
                                                         const Options& options);

}  // namespace tidegate
