// SPDX-License-Identifier: Apache-2.0
#include "base/temporary_folder.h"

#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/errno_status.h"
#include "base/file_system.h"

namespace tidegate {

Result<std::unique_ptr<TemporaryFolder>> TemporaryFolder::make() {
  std::error_code problem;
  const std::filesystem::path parent = std::filesystem::temp_directory_path(problem);
  if (problem) return errno_status(problem.value(), "find", "the folder for temporary files");
  std::string path = (parent / "tidegate-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) return errno_status(errno, "create folder", path);
  return std::unique_ptr<TemporaryFolder>(new TemporaryFolder(std::move(path)));
}

TemporaryFolder::~TemporaryFolder() {
  static_cast<void>(local_file_system().remove_all(path_).is_ok());
}

}  // namespace tidegate
