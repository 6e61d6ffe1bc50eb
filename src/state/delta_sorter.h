// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "state/delta.h"
#include "tidegate/status.h"
#include "types/key_group.h"

namespace tidegate {

class ScratchFile;      // state/scratch_file.h
class TemporaryFolder;  // base/temporary_folder.h

struct DeltaSorterOptions {
  KeyGroupRange own;  ///< rows of other key groups are left out
  /// The rows are ordered by part first: `own` in so many (part_of()).
  int parts = 1;
  /// Rows that are not in memory go to files there; empty: a temporary folder.
  std::string folder = {};
  std::size_t memory_bytes = std::size_t{8} << 20;
};

/// The rows of one state table that deltas make, in order of (part, namespace, hash, key), whatever
/// their number: the last change of a key counts. Knows delta records only, not what they mean.
///
/// Rows are sorted as many at a time as there is memory for. Those runs go to scratch files, where
/// every 128 runs of a size are merged into one of the next.
class DeltaSorter {
 public:
  explicit DeltaSorter(DeltaSorterOptions options);
  DeltaSorter(const DeltaSorter&) = delete;
  DeltaSorter& operator=(const DeltaSorter&) = delete;
  ~DeltaSorter();

  /// Deltas in the order of being applied; copies what it needs. One of another layout replaces all
  /// before it: an epoch with another layout holds all rows of its writers anew. kStateCorrupt when
  /// it is damaged.
  Status add(std::string_view delta);
  /// As if nothing had been added.
  void clear();
  /// True while nothing was added; with a delta that has no rows it is false.
  bool is_empty() const { return !has_any_; }
  /// Of the deltas' layout.
  const std::string& fingerprint() const { return fingerprint_; }
  /// About what the rows take that were added.
  std::int64_t size_bytes() const { return size_bytes_; }

  /// Namespaces that were dropped, in order: what is told of them comes after that.
  std::vector<std::int64_t> drops() const;
  /// No more is added from now on.
  Status finish();
  struct Row {
    DeltaRecord record;  ///< a put or an erasure; holds until the next call
    int part = 0;
  };
  /// The next row; false at the end.
  Result<bool> next(Row& row);

 private:
  class Cursor;
  class Merge;
  struct Entry {
    std::uint64_t name_space;  // sign flipped
    std::uint64_t hash;
    std::uint32_t offset;  // in arena_
    std::uint32_t part;
  };
  struct Block;
  struct Run {
    std::uint32_t number = 0;  // the larger, the later
    int level = 0;
    std::vector<Block> blocks;
  };
  class RunWriter;
  struct Drop {
    std::uint32_t run = 0;
    std::uint32_t offset = 0;  // of rows of that run, those before it are dropped
    KeyGroupRange writer;
  };

  std::uint32_t part_of_hash(std::uint64_t hash) const;
  void add_row(const DeltaRecord& record);
  std::string_view key_in_arena(const Entry& entry) const;
  bool is_before(const Entry& a, const Entry& b) const;
  bool is_dropped(std::uint64_t name_space, std::uint64_t hash, std::uint32_t run,
                  std::uint32_t offset) const;
  /// Ends the run that is in memory; `stays`: it is the last one, and need not leave.
  Status end_run(bool stays);
  Status merge_last();
  Status make_scratch();

  const DeltaSorterOptions options_;
  std::vector<std::uint32_t> part_of_group_;  // by key group of `own`
  std::string fingerprint_;
  bool has_any_ = false;
  std::int64_t size_bytes_ = 0;

  std::string arena_;  // the rows of the run that is in memory
  std::vector<Entry> entries_;
  std::uint32_t next_run_ = 0;
  std::map<std::int64_t, std::vector<Drop>> drops_;
  std::vector<Run> runs_;
  std::unique_ptr<TemporaryFolder> temporary_;
  std::shared_ptr<ScratchFile> scratch_;  // of the level that is being written
  std::unique_ptr<Merge> merge_;
};

}  // namespace tidegate
