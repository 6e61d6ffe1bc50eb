// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/blob_store.h"

namespace tidegate {

/// `blobs`, unless a test takes a protection of the checkpoint store away (TG_PROTECTED):
///
///   manifest-last  data files are put behind the manifest that names them
///   fencing        whoever comes later replaces what another run has put
std::shared_ptr<BlobStore> with_planted_bugs(std::shared_ptr<BlobStore> blobs);

}  // namespace tidegate
