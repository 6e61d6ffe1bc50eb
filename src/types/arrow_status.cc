// SPDX-License-Identifier: Apache-2.0
#include "types/arrow_status.h"

#include <fmt/format.h>

namespace tidegate {

Status from_arrow_status(const arrow::Status& status, std::string_view what, ErrorCode otherwise) {
  if (status.ok()) return Status::ok();
  ErrorCode code = otherwise;
  if (status.IsOutOfMemory()) code = ErrorCode::kOutOfMemory;
  if (status.IsCapacityError()) code = ErrorCode::kLimitExceeded;
  if (status.IsIOError()) code = ErrorCode::kFileIo;
  return Status(code, fmt::format("{}: {}", what, status.message()));
}

}  // namespace tidegate
