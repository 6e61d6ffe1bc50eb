// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/blob_store.h"
#include "epoch/manifest.h"
#include "tidegate/status.h"

namespace tidegate {

// The files of a checkpoint store that are not data, by name.

inline constexpr std::string_view kCurrent = "current";
inline constexpr std::string_view kSavepoint = "savepoint";

/// "manifest-<epoch>"; names sort by epoch.
std::string manifest_name(EpochId epoch);
std::optional<EpochId> epoch_of_manifest(std::string_view name);

/// Of an epoch's manifest or a savepoint. kStateCorrupt names the file.
Result<Manifest> read_manifest(BlobStore& blobs, const std::string& name);

/// Whom a checkpoint folder belongs to.
struct Current {
  std::string run;
  EpochId epoch = 0;  ///< committed for certain; later ones may be
};
std::string encode_current(const Current& current);
/// Nothing when there is none, or none that can be read: it is only a second witness.
Result<std::optional<Current>> read_current(BlobStore& blobs);

/// kStateVersion when the folder holds epochs or a savepoint of a version before manifests.
Status refuse_old_format(BlobStore& blobs);

}  // namespace tidegate
