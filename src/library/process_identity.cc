// SPDX-License-Identifier: Apache-2.0
#include "library/process_identity.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "base/file_system.h"
#include "base/random.h"

namespace tidegate::library {
namespace {

constexpr std::size_t kNameChars = 16;

std::string new_name() { return fmt::format("{:016x}", entropy_seed()); }

bool is_name(const std::string& text) {
  return text.size() == kNameChars &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

Result<ProcessIdentity> ProcessIdentity::of(const std::string& folder,
                                            const std::string& application_id) {
  ProcessIdentity identity;
  if (folder.empty()) {
    identity.name_ = new_name();
    return identity;
  }
  FileSystem& files = local_file_system();
  identity.folder_ = folder + "/" + application_id;
  TG_RETURN_IF_ERROR(files.create_directories(identity.folder_));
  Result<std::unique_ptr<FolderLock>> lock = FolderLock::acquire(identity.folder_);
  if (!lock.is_ok() && lock.status().code() == ErrorCode::kServiceRefused)
    return Status(ErrorCode::kServiceRefused, lock.status().message(),
                  "Give each instance of the program a --state-dir of its own.");
  TG_ASSIGN_OR_RETURN(identity.lock_, std::move(lock));
  const std::string path = identity.folder_ + "/process-id";
  const Result<std::string> kept = read_file(files, path, 4 * kNameChars);
  if (kept.is_ok() && is_name(*kept)) {
    identity.name_ = *kept;
    return identity;
  }
  identity.name_ = new_name();
  TG_RETURN_IF_ERROR(write_file_atomically(files, path, identity.name_));
  return identity;
}

}  // namespace tidegate::library
