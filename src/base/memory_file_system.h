// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "tidegate/status.h"

namespace tidegate {

/// What is done to a file; what faults are asked about.
enum class FileOperation : std::uint8_t {
  kOpen,
  kRead,
  kCreate,
  kAppend,
  kSync,
  kClose,
  kStat,
  kList,
  kCreateDirectories,
  kRename,
  kRemove,
};

/// Files in memory for tests and simulation, with the durability of a disk that promises nothing:
/// after crash() there is only what was synced. Times come from the clock, faults from the caller,
/// so that a run can be repeated exactly. Thread-safe. Paths are taken as they are written: "./a",
/// "a" and "/a" are the same file.
class MemoryFileSystem final : public FileSystem {
 public:
  /// Asked before each operation; an error is that operation's outcome, and it changes nothing.
  /// Called with a lock held: must not use the file system.
  using Fault = std::function<Status(FileOperation operation, std::string_view path)>;

  /// The clock must outlive it.
  explicit MemoryFileSystem(const Clock& clock);
  ~MemoryFileSystem() override;

  Result<std::unique_ptr<RandomAccessFile>> open(const std::string& path) override;
  Result<std::unique_ptr<WritableFile>> create(const std::string& path) override;
  Result<FileInfo> stat(const std::string& path) override;
  Result<std::vector<FileInfo>> list(const std::string& path) override;
  Status create_directories(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Result<bool> rename_new(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status remove_all(const std::string& path) override;

  /// Replaces the fault; an empty one heals everything.
  void set_fault(Fault fault);
  /// kDiskFull (with part of the bytes written) once all files together would pass `bytes`.
  void set_capacity(std::int64_t bytes);
  /// How many operations there have been, failed ones included.
  std::int64_t operations() const;

  /// The machine loses power: every file falls back to what was synced, every folder to the entries
  /// that were synced, and files that are open now fail from here on.
  void crash();

 private:
  struct Node;
  struct Disk;
  class Reader;
  class Writer;
  std::shared_ptr<Disk> disk_;  // shared with open files
};

/// A fault that fails the n-th operation from now (1: the next one) with `status`.
MemoryFileSystem::Fault fail_nth_operation(std::int64_t n, Status status);

/// A fault that fails each operation with the probability `rate`, in a seeded order.
MemoryFileSystem::Fault fail_randomly(std::uint64_t seed, double rate, Status status);

}  // namespace tidegate
