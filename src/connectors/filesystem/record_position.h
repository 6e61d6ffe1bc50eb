// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "tidegate/status.h"

namespace tidegate {

/// A place between the rows of a file: so many rows behind the beginning of a block. As text
/// "<offset>:<row>:<line>".
struct RecordPosition {
  std::int64_t offset = 0;  ///< where the block begins in the (decompressed) content
  std::int64_t row = 0;
  std::int64_t line = 0;  ///< of the content, at which the block begins; from 0

  std::string to_string() const;
  static Result<RecordPosition> parse(const std::string& text);
};

}  // namespace tidegate
