// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "tidegate/status.h"
#include "tidegate/time.h"

namespace tidegate {

/// Who writes: eight digits that only the sink of this name in this job has.
std::string part_owner(std::string_view job, std::string_view sink);

/// The names of a sink's files, chosen so that published ones sort by the order of writing and none
/// is ever used twice, not even by another job that writes to the folder.
///
///   part-<label>-<subtask>-<sequence>-<owner>.<extension>          published
///   .part-<owner>-<run>-<subtask>-<sequence>.inprogress            being written
///
/// The label is the epoch, plus the highest label that was there before when this run starts to
/// count below it. The run is a number that no other run has: a file that was published and taken
/// away by its reader must not be mistaken for one of a later run. Thread-safe.
class PartNames {
 public:
  explicit PartNames(std::string extension) : extension_(std::move(extension)) {}

  /// A run begins: looks at what is in the folder (and those of its partitions). `paths` are
  /// relative to it.
  void begin_run(const std::vector<std::string>& paths, std::uint64_t run);
  /// Unfinished files that earlier runs of this owner have left; each is answered once.
  std::vector<std::string> take_leftovers(std::string_view owner);

  std::string in_progress(std::string_view owner, int subtask, std::int64_t sequence) const;
  std::string published(EpochId epoch, std::string_view owner, int subtask, std::int64_t sequence);

 private:
  const std::string extension_;
  mutable std::mutex mutex_;
  std::uint64_t last_label_ = 0;
  std::uint64_t run_ = 0;
  std::vector<std::string> unfinished_;  // of earlier runs
  std::optional<std::uint64_t> base_;    // added to epochs; set by the first one
};

/// The files of one subtask in one epoch: what prepare() returns. As text, a line per file with a
/// tab in between; paths are relative to the sink's folder.
struct PartCommittable {
  struct File {
    std::string in_progress;
    std::string published;
  };
  std::vector<File> files;

  std::string to_string() const;
  static Result<PartCommittable> parse(std::string_view text);
};

}  // namespace tidegate
