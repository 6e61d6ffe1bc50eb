// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tidegate/status.h"

namespace tidegate {

struct FileInfo {
  std::string path;
  std::int64_t size_bytes = 0;
  std::int64_t modified_ms = 0;  ///< since 1970
  bool is_directory = false;
  bool is_link = false;  ///< a symbolic link; the rest describes what it points to
};

/// An open file to read; several threads may read at the same time. Blocking.
class RandomAccessFile {
 public:
  virtual ~RandomAccessFile() = default;
  /// Reads up to buffer.size() bytes at `offset`; fewer only at the end of the file.
  virtual Result<std::size_t> read_at(std::int64_t offset, std::span<std::byte> buffer) = 0;
  /// The size now; it may grow.
  virtual Result<std::int64_t> size() = 0;
};

/// An open file to write; one thread. Blocking. Destroyed without close(): contents are undefined.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual Status append(std::span<const std::byte> bytes) = 0;
  virtual Status append(std::string_view text) {
    return append(std::as_bytes(std::span(text.data(), text.size())));
  }
  /// Bytes appended so far, and the file's name in its folder, are on the disk when this returns
  /// (fsync). After an error of append or sync the file takes nothing any more.
  virtual Status sync() = 0;
  virtual Status close() = 0;
};

/// Files by path. The local one is the machine's; the in-memory one is for tests and simulation
/// (with faults). Thread-safe. All calls block.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<RandomAccessFile>> open(const std::string& path) = 0;
  /// Creates or truncates; makes missing parent folders.
  virtual Result<std::unique_ptr<WritableFile>> create(const std::string& path) = 0;
  virtual Result<FileInfo> stat(const std::string& path) = 0;
  /// Files and folders directly in `path`, sorted by path. Leaves out sockets, devices and links
  /// that point nowhere.
  virtual Result<std::vector<FileInfo>> list(const std::string& path) = 0;
  virtual Status create_directories(const std::string& path) = 0;
  /// Atomic within a file system; replaces the target; durable once the folder is synced, which
  /// this does.
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  /// The same for files, but false, with nothing changed, when there is a target already.
  virtual Result<bool> rename_new(const std::string& from, const std::string& to) = 0;
  /// Ok when there is no such file. Not durable by itself: after a power cut the file may be back.
  virtual Status remove(const std::string& path) = 0;
  virtual Status remove_all(const std::string& path) = 0;
};

/// The machine's files; lives for the whole process.
FileSystem& local_file_system();

/// Files in memory with faults for tests: see memory_file_system.h.

/// Writes a whole file so that readers see the old content or the new, never a part: a file that
/// starts with a dot, fsync, rename, fsync of the folder. One writer per path at a time.
Status write_file_atomically(FileSystem& files, const std::string& path, std::string_view content);
/// The same for a file that must not be there yet; false when it is.
Result<bool> write_new_file(FileSystem& files, const std::string& path, std::string_view content);

/// The whole content; kLimitExceeded when it is longer than `limit_bytes`.
Result<std::string> read_file(FileSystem& files, const std::string& path,
                              std::int64_t limit_bytes = std::int64_t{1} << 30);

/// The files that `pattern` names: one file, all files below a folder (recursively), or a glob with
/// * ? [..] and **. Files whose name starts with '.' or '_' are left out unless named directly.
/// A folder that a glob matches stands for the files below it; a backslash takes a wildcard
/// literally; links to folders are followed only where the pattern names them. Sorted by
/// (modification time, path). kFileNotFound when a path without wildcards, or the folder in front
/// of the first wildcard, does not exist.
Result<std::vector<FileInfo>> find_files(FileSystem& files, const std::string& pattern);

}  // namespace tidegate
