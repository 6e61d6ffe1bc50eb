// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "tidegate/status.h"

namespace tidegate {

/// A folder of this machine that one process has to itself, for as long as the lock lives or the
/// process does, however it ends.
class FolderLock {
 public:
  /// Makes the folder when it is not there. kServiceRefused when another process holds the lock.
  static Result<std::unique_ptr<FolderLock>> acquire(const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace tidegate
