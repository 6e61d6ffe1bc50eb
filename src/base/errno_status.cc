// SPDX-License-Identifier: Apache-2.0
#include "base/errno_status.h"

#include <errno.h>

#include <system_error>

#include "base/check.h"

namespace tidegate {
namespace {

ErrorCode code_of(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::kFileNotFound;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::kFileAccess;
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::kDiskFull;
    case EMFILE:
    case ENFILE:
    case EFBIG:
      return ErrorCode::kLimitExceeded;
    case EISDIR:
    case ENAMETOOLONG:
    case ELOOP:
    case EEXIST:
    case ENOTEMPTY:
    case EXDEV:
    case EINVAL:
      return ErrorCode::kInvalidArgument;
    default:
      return ErrorCode::kFileIo;
  }
}

}  // namespace

Status errno_status(int error_number, std::string_view what, std::string_view path) {
  return error(code_of(error_number), "cannot {} '{}': {}", what, path,
               std::generic_category().message(error_number));
}

}  // namespace tidegate
