// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/blob_store.h"
#include "epoch/manifest.h"
#include "tidegate/status.h"

namespace tidegate {

/// Where a data file is in its store.
std::string data_file_name(const DataFile& file);

/// Packs state deltas into data files: "TGDF" | version u8 = 1 | 3 bytes 0 | deltas, one behind the
/// other. A file is put when it is large enough.
class DataFileWriter {
 public:
  /// Makes a file durable.
  using Put = std::function<Status(const DataFile& file, std::string_view content)>;

  explicit DataFileWriter(Put put) : put_(std::move(put)) {}

  /// kStateCorrupt when it is not a delta.
  Status add(EpochId epoch, bool is_base, std::string_view delta);
  /// Puts what is left. The sections are in the order of add().
  Result<std::vector<StateSection>> finish();

 private:
  Status put_file();

  Put put_;
  std::string content_;
  std::vector<StateSection> sections_;
  std::size_t first_open_ = 0;  // sections from here on are in `content_`
};

/// Reads sections; keeps the file that was read last. Single-threaded.
class DataFileReader {
 public:
  explicit DataFileReader(BlobStore& blobs) : blobs_(blobs) {}
  /// The bytes of a delta, which hold until the next call. kStateCorrupt names a file that is
  /// missing or not what its name says.
  Result<std::string_view> read(const StateSection& section);
  bool has(const DataFile& file) const { return !hash_.empty() && hash_ == file.hash; }

 private:
  BlobStore& blobs_;
  std::string hash_;
  std::string content_;
};

/// The state of a table as of its last section, as deltas that build it from nothing: one part of
/// the key groups after the other, so that memory is bounded. `keeps_on` is asked in between: false
/// ends it with kCancelled.
Status fold_table(BlobStore& blobs, const TableState& table, int key_groups,
                  const std::function<bool()>& keeps_on,
                  const std::function<Status(const std::string& delta)>& emit);

/// Whether sections can be merged: what their writers own is the same or apart.
bool can_merge(std::span<const StateSection> sections);

/// Sections of changes, oldest first, as one per writer that does the same.
Status merge_sections(BlobStore& blobs, std::span<const StateSection> sections,
                      const std::function<bool()>& keeps_on,
                      const std::function<Status(const std::string& delta)>& emit);

}  // namespace tidegate
