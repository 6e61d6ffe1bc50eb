// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "runtime/commit_policy.h"
#include "tidegate/status.h"

namespace tidegate {

/// Epochs of one job in a folder:
///
///   base-<epoch>     everything as of that epoch
///   epoch-<epoch>    what the epoch changed since the one before
///
/// A file appears whole or not at all (record_codec.h says what is in it), so the epoch that a job
/// goes on from is the last one for which base and all later epochs are there. Once the changes
/// outweigh the base they are folded into a new one, and what it replaces is deleted.
class CheckpointFolder final : public CommitPolicy {
 public:
  /// Files are made when the first epoch commits.
  CheckpointFolder(FileSystem& files, std::string folder)
      : files_(files), folder_(std::move(folder)) {}

  /// What to go on from; nothing when no epoch is there. kStateCorrupt names the damaged file.
  Result<std::optional<EpochRecord>> load() const;
  /// Deletes all epochs, for a job that starts anew.
  Status clear();
  /// The job goes on from an epoch that is kept elsewhere. The folder must be empty.
  Status begin_from(EpochRecord record);

  Status commit(const EpochRecord& record) override;

 private:
  struct Entry {
    EpochId epoch = 0;
    bool is_base = false;
    std::string path;
  };
  /// Oldest first; a base stands behind the changes of its epoch.
  Result<std::vector<Entry>> entries() const;
  Result<EpochRecord> read(const Entry& entry) const;
  Status write(const EpochRecord& record, bool is_base);
  Status compact();

  FileSystem& files_;
  const std::string folder_;
  std::int64_t base_bytes_ = 0;
  std::int64_t bytes_since_ = 0;
};

/// Everything as of one epoch, in a folder of its own that belongs to the user.
Status write_savepoint(FileSystem& files, const std::string& folder, EpochRecord record);
/// kFileNotFound when there is none.
Result<EpochRecord> read_savepoint(FileSystem& files, const std::string& folder);

/// The path of a folder on this machine that a URI names: "dir", "/dir" or "file:///dir".
/// kNotSupported for other schemes.
Result<std::string> local_folder(const std::string& uri);

}  // namespace tidegate
