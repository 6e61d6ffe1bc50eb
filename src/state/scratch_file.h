// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "state/state_backend.h"
#include "tidegate/status.h"

namespace tidegate {

/// A file that has no name any more: it goes with the last piece that somebody holds, and with the
/// process.
class ScratchFile : public std::enable_shared_from_this<ScratchFile> {
 public:
  static Result<std::shared_ptr<ScratchFile>> create(const std::string& folder);

  Result<std::shared_ptr<const StoredBytes>> append(std::string_view bytes);

 private:
  class Piece;
  std::unique_ptr<WritableFile> writer_;
  std::unique_ptr<RandomAccessFile> reader_;
  mutable std::mutex mutex_;
  std::int64_t written_ = 0;
  std::string tail_;  // behind what is written
};

}  // namespace tidegate
