// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/blob_store.h"
#include "epoch/manifest.h"
#include "runtime/epoch_record.h"
#include "tidegate/status.h"

namespace tidegate {

// A savepoint is a folder of the user's own with everything as of one epoch: `savepoint` (a
// manifest) and the data files that it names. Nothing in it depends on another folder.

/// Folds the state that `manifest` names in `from` into a savepoint. One that is there already is
/// replaced in one step.
Status copy_savepoint(BlobStore& from, Manifest manifest, BlobStore& to);

/// The same for a record that holds its deltas.
Status write_savepoint(BlobStore& to, const EpochRecord& record);

/// The manifest of a savepoint, or of the newest epoch of a checkpoint folder. kFileNotFound when
/// the folder holds neither.
Result<Manifest> find_savepoint(BlobStore& blobs);

/// What to restore from; all of it is verified.
Result<EpochRecord> read_savepoint(BlobStore& blobs);
/// Likewise, but what is large stays where it is, and is read again when it is looked at.
Result<EpochRecord> read_savepoint(const std::shared_ptr<BlobStore>& blobs);

/// The record of a manifest, with the deltas that it names; of tables that `held` (null: nothing)
/// has, those that come after it. kStateCorrupt names a damaged file. With an `owner`, of `blobs`,
/// a state that is large is verified now, and read again when its deltas are looked at.
Result<EpochRecord> read_state(BlobStore& blobs, const Manifest& manifest,
                               const HeldState* held = nullptr,
                               std::shared_ptr<BlobStore> owner = nullptr);

}  // namespace tidegate
