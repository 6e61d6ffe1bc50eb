// SPDX-License-Identifier: Apache-2.0
#include "base/folder_lock.h"

#include <sys/file.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/check.h"
#include "base/errno_status.h"
#include "base/file_system.h"

namespace tidegate {

Result<std::unique_ptr<FolderLock>> FolderLock::acquire(const std::string& folder) {
  TG_RETURN_IF_ERROR(local_file_system().create_directories(folder));
  const std::string path = folder + "/.lock";
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return errno_status(errno, "open", path);
  std::unique_ptr<FolderLock> lock(new FolderLock(descriptor));
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    return Status(ErrorCode::kServiceRefused,
                  fmt::format("'{}' is in use by another process", folder),
                  "Wait until it has ended, or use another folder.");
  }
  return lock;
}

FolderLock::~FolderLock() { ::close(descriptor_); }

}  // namespace tidegate
