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

/// The names of a sink's files, chosen so that published ones sort by the order of writing and none
/// is ever used twice, not even by another job that wrote to the folder before.
///
///   part-<label>-<subtask>-<sequence>.<extension>          published
///   .part-<run>-<subtask>-<sequence>.inprogress            being written
///
/// The label is the epoch, plus the highest label that was there before when this run starts to
/// count below it. The run is a number that no file in the folder had before.
class PartNames {
 public:
  PartNames() = default;
  /// Looks at what is in the folder.
  PartNames(const std::vector<FileInfo>& folder, std::string extension);

  std::string in_progress(int subtask, std::int64_t sequence) const;
  /// Thread-safe.
  std::string published(EpochId epoch, int subtask, std::int64_t sequence);

 private:
  std::string extension_;
  std::uint64_t last_label_ = 0;
  std::uint64_t run_ = 1;
  std::mutex mutex_;
  std::optional<std::uint64_t> base_;  // added to epochs; set by the first one
};

/// The files of one subtask in one epoch: what prepare() returns. As text, a line per file:
/// "<in progress> <published>".
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
